/** Chooses the sandbox. The daemon never falls back to weaker isolation unless `auto` was asked for. */
import type Docker from 'dockerode'
import type { EgressEndpoints } from '../../egress/index.ts'
import type { SeccompChoice } from '../engine/index.ts'
import { createEngineClient } from '../engine/index.ts'
import type { Sandbox } from '../index.ts'
import { DockerSandbox } from './docker/docker-sandbox.ts'
import { EmbeddedSandbox } from './embedded/embedded-sandbox.ts'

export interface SandboxOptions {
  readonly kind: 'docker' | 'embedded' | 'auto'
  /** Name of an OCI runtime that the engine knows: runc, crun, runsc, kata. */
  readonly ociRuntime?: string | undefined
  /** OAuth3's own profile of system calls unless said otherwise. */
  readonly seccomp?: SeccompChoice | undefined
  /** Waiting containers a runtime. */
  readonly poolSize: number
  /** Marks what belongs to this daemon; the same after a restart, unlike that of any other daemon on the engine. */
  readonly instanceId: string
  /** Where each sandbox's way out comes from; null for sandboxes without any. */
  readonly endpoints: EgressEndpoints | null
  readonly log?: ((message: string, error?: unknown) => void) | undefined
  readonly docker?: Docker | undefined
}

/** `auto` takes Docker when the engine answers and has the images, else the embedded sandbox. */
export async function createSandbox(options: SandboxOptions): Promise<Sandbox> {
  if (options.kind === 'embedded') return new EmbeddedSandbox(options)
  const docker = new DockerSandbox({ ...options, docker: options.docker ?? createEngineClient() })
  if (options.kind === 'docker') return docker
  const { kind, notes, cause } = await docker.status()
  // A runtime that was named and is not there is a mistake, which weaker isolation would hide.
  if (kind === 'docker' || cause === 'misconfigured') return docker
  options.log?.(`the embedded sandbox is used: ${notes.join(' ')}`)
  await docker[Symbol.asyncDispose]()
  return new EmbeddedSandbox(options)
}
