import { createServer, type RequestListener } from 'node:http'
import type { Config } from '../config/index.ts'
import { answerApiError } from '../http/index.ts'
import { AppError } from '../kernel/index.ts'
import { type DaemonLock, lockDaemon } from '../storage/lock/index.ts'
import { VERSION } from '../version.ts'
import { closeServer, listenSocket } from './daemon-servers.ts'

/** The one daemon of a database, and the socket at which commands reach it, from before anything else of it is there. */
export interface DaemonFront extends AsyncDisposable {
  readonly lock: DaemonLock
  /** From now on the owner's commands are answered by this. */
  serve(admin: RequestListener): void
  /** Takes no more commands; the database stays this daemon's until disposal. */
  close(): Promise<void>
}

/**
 * Takes the lock of the database (AppError `conflict` where another daemon has it), and answers commands with `starting` until
 * the daemon can serve them: the rest of it takes seconds to load.
 */
export async function openFront(
  config: Pick<Config, 'dbPath' | 'databaseUrl' | 'adminSocketPath'>,
): Promise<DaemonFront> {
  const lock = await lockDaemon({ path: config.dbPath, url: config.databaseUrl?.open() ?? null })
  let answer: RequestListener = sayStarting
  const server = createServer((request, response) => answer(request, response))
  try {
    await listenSocket(server, config.adminSocketPath)
  } catch (error) {
    await lock[Symbol.asyncDispose]()
    throw error
  }
  let closed: Promise<void> | undefined
  const close = (): Promise<void> => {
    closed ??= closeServer(server)
    return closed
  }
  return {
    lock,
    serve(admin) {
      answer = admin
    },
    close,
    async [Symbol.asyncDispose]() {
      await close()
      await lock[Symbol.asyncDispose]()
    },
  }
}

const sayStarting: RequestListener = (_request, response) =>
  answerApiError(
    response,
    new AppError('starting', 'The daemon is starting; ask again in a moment.', {
      details: { version: VERSION, pid: process.pid },
    }),
  )
