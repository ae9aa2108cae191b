import type { DaemonLock } from './daemon-lock.ts'
import { lockFile } from './file-lock.ts'

export type { DaemonLock } from './daemon-lock.ts'
export type { Fence } from './fence.ts'
export { lockFile } from './file-lock.ts'

/**
 * Takes the lock of the folder, whose keys and socket are of one daemon with either engine, and of the PostgreSQL database where
 * there is one. AppError `conflict` where another has it, `storage_unavailable`.
 */
export async function lockDaemon(place: {
  readonly path: string
  readonly url: string | null
}): Promise<DaemonLock> {
  const file = lockFile(place.path)
  try {
    if (place.url === null) {
      const taken = new AbortController().signal
      return { taken, fence: undefined, [Symbol.asyncDispose]: async () => file[Symbol.dispose]() }
    }
    // A daemon on SQLite does without the client of PostgreSQL.
    const { lockServer } = await import('./server-lock.ts')
    const server = await lockServer(place.url)
    return {
      taken: server.taken,
      fence: server.fence,
      async [Symbol.asyncDispose]() {
        await server[Symbol.asyncDispose]()
        file[Symbol.dispose]()
      },
    }
  } catch (error) {
    file[Symbol.dispose]()
    throw error
  }
}
