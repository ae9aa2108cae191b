/** Opens a door for each container: where the engine finds its directory, and what else the sandbox is to read there. */
import { join } from 'node:path'
import type Docker from 'dockerode'
import type { EgressDoor, EgressDoors } from '../../../domain/egress/index.ts'
import { SandboxUnavailable } from '../../../domain/executions/index.ts'
import type { LockedImports } from '../../../domain/imports/index.ts'
import { IMPORTS_FOLDER, placeFiles } from '../place-files.ts'
import { createHostPaths } from './host-path.ts'

interface SandboxDoor {
  readonly door: EgressDoor | null
  /** The door's directory as the engine sees it. */
  readonly enginePath: string | null
}

export interface SandboxDoors {
  /** A door of its own for one container, with the modules that its code may import. */
  open(imports: LockedImports | null): Promise<SandboxDoor>
  /** Told how a launch went, for the notes. */
  launched(door: SandboxDoor, error?: unknown): void
  /** Why the engine cannot mount doors, for a person; empty as far as is known. */
  readonly notes: readonly string[]
}

export function createSandboxDoors(docker: Docker, doors: EgressDoors | null): SandboxDoors {
  const hostPaths = createHostPaths(docker)
  let notes: readonly string[] = []

  return {
    get notes() {
      return notes
    },
    async open(imports) {
      if (doors === null) {
        if (imports !== null) throw new TypeError('locked modules need a door to stand behind')
        return { door: null, enginePath: null }
      }
      const door = await doors.open()
      try {
        const enginePath = await hostPaths.toEngine(door.directory)
        if (enginePath === null) {
          notes = [notShared(door)]
          throw new SandboxUnavailable(notShared(door))
        }
        if (imports !== null) await placeFiles(join(door.directory, IMPORTS_FOLDER), importedFiles(imports))
        return { door, enginePath }
      } catch (error) {
        await door.close()
        throw error
      }
    },
    launched({ door }, error) {
      if (error === undefined) notes = []
      // The engine's words when it is not on this machine, or does not know the container that this process is in.
      if (door !== null && String(error).includes('bind source path does not exist'))
        notes = [notShared(door)]
    },
  }
}

const notShared = ({ directory }: EgressDoor): string =>
  `The gateway's sockets are not in a shared volume: the engine cannot see ${directory}. Mount a volume there and name it in OAUTH3_SOCKET_DIR.`

const importedFiles = ({ lock, contents }: LockedImports): ReadonlyMap<string, Uint8Array> =>
  new Map(
    lock.files.map(({ path, sha256 }) => {
      const bytes = contents.get(sha256)
      if (bytes === undefined) throw new TypeError(`no content for ${path}`)
      return [path, bytes] as const
    }),
  )
