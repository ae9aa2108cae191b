import type Docker from 'dockerode'
import { type EngineInfo, readEngine } from './engine-info.ts'
import { loopbackSysctls } from './loopback.ts'
import { unknownRuntime } from './oci-runtimes.ts'

export interface EngineCheck {
  /** Why no container can be started with the runtime that was set, for a person. Never throws. */
  trouble(timeoutMs: number): Promise<string | undefined>
  /** What the containers' network namespaces are given; nothing before the engine has told of itself. */
  readonly sysctls: Record<string, string>
  /** For an engine that was away and may come back as another. */
  askAgain(): void
}

/** What has to be known of an engine before its first container: asked until it is told, then kept. */
export function createEngineCheck(docker: Docker, ociRuntime: string | undefined): EngineCheck {
  let engine: EngineInfo | undefined
  return {
    async trouble(timeoutMs) {
      if (engine !== undefined) return undefined
      try {
        const told = await readEngine(docker, timeoutMs)
        const trouble = unknownRuntime(told, ociRuntime)
        if (trouble === undefined) engine = told
        return trouble
      } catch (error) {
        // The engine's own runtime is there, whatever else it does not tell.
        if (ociRuntime === undefined) return undefined
        return `The Docker engine does not answer: ${error instanceof Error ? error.message : String(error)}`
      }
    },
    get sysctls() {
      return loopbackSysctls(engine?.KernelVersion ?? undefined, ociRuntime)
    },
    askAgain() {
      engine = undefined
    },
  }
}
