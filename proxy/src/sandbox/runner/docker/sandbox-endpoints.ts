/** Opens an endpoint for each container: where the engine finds its directory, and what else the sandbox is to read there. */
import { join } from 'node:path'
import type Docker from 'dockerode'
import type { EgressEndpoint, EgressEndpoints } from '../../../egress/index.ts'
import { createHostPaths } from '../../engine/index.ts'
import type { LockedImports } from '../../imports/index.ts'
import { SandboxUnavailable } from '../../index.ts'
import { IMPORTS_FOLDER, placeFiles } from '../../runtimes/index.ts'

interface SandboxEndpoint {
  readonly endpoint: EgressEndpoint | null
  /** The endpoint's directory as the engine sees it. */
  readonly enginePath: string | null
}

export interface SandboxEndpoints {
  /** An endpoint of its own for one container, with the modules that its code may import. */
  open(imports: LockedImports | null): Promise<SandboxEndpoint>
  /** Told how a launch went, for the notes. */
  launched(endpoint: SandboxEndpoint, error?: unknown): void
  /** Why the engine cannot mount endpoints, for a person; empty as far as is known. */
  readonly notes: readonly string[]
}

export function createSandboxEndpoints(docker: Docker, endpoints: EgressEndpoints | null): SandboxEndpoints {
  const hostPaths = createHostPaths(docker)
  let notes: readonly string[] = []

  return {
    get notes() {
      return notes
    },
    async open(imports) {
      if (endpoints === null) {
        if (imports !== null) throw new TypeError('locked modules need an endpoint to stand behind')
        return { endpoint: null, enginePath: null }
      }
      const endpoint = await endpoints.open()
      try {
        const enginePath = await hostPaths.toEngine(endpoint.directory)
        if (enginePath === null) {
          notes = [notShared(endpoint)]
          throw new SandboxUnavailable(notShared(endpoint))
        }
        if (imports !== null)
          await placeFiles(join(endpoint.directory, IMPORTS_FOLDER), importedFiles(imports))
        return { endpoint, enginePath }
      } catch (error) {
        await endpoint.close()
        throw error
      }
    },
    launched({ endpoint }, error) {
      if (error === undefined) notes = []
      // The engine's words when it is not on this machine, or does not know the container that this process is in.
      if (endpoint !== null && String(error).includes('bind source path does not exist'))
        notes = [notShared(endpoint)]
    },
  }
}

const notShared = ({ directory }: EgressEndpoint): string =>
  `The gateway's sockets are not in a shared volume: the engine cannot see ${directory}. Mount a volume there and name it in OAUTH3_SOCKET_DIR.`

const importedFiles = ({ lock, contents }: LockedImports): ReadonlyMap<string, Uint8Array> =>
  new Map(
    lock.files.map(({ path, sha256 }) => {
      const bytes = contents.get(sha256)
      if (bytes === undefined) throw new TypeError(`no content for ${path}`)
      return [path, bytes] as const
    }),
  )
