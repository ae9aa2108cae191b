import { createServer, type RequestListener } from 'node:http'
import { lockDatabase } from './adapters/storage/index.ts'
import { closeServer, listenSocket } from './daemon-servers.ts'
import { AppError } from './kernel/index.ts'
import { answerApiError } from './surfaces/http/index.ts'
import { VERSION } from './version.ts'

/** The one daemon of a database, and the socket at which commands reach it, from before anything else of it is there. */
export interface DaemonFront extends AsyncDisposable {
  /** From now on the owner's commands are answered by this. */
  serve(admin: RequestListener): void
  /** Takes no more commands; the database stays this daemon's until disposal. */
  close(): Promise<void>
}

/**
 * Takes the lock of the database (AppError `conflict` where another daemon has it), and answers commands with `starting` until
 * the daemon can serve them: the rest of it takes seconds to load.
 */
export async function openFront(paths: {
  readonly dbPath: string
  readonly adminSocketPath: string
}): Promise<DaemonFront> {
  const lock = lockDatabase(paths.dbPath)
  let answer: RequestListener = sayStarting
  const server = createServer((request, response) => answer(request, response))
  try {
    await listenSocket(server, paths.adminSocketPath)
  } catch (error) {
    lock[Symbol.dispose]()
    throw error
  }
  let closed: Promise<void> | undefined
  const close = (): Promise<void> => {
    closed ??= closeServer(server)
    return closed
  }
  return {
    serve(admin) {
      answer = admin
    },
    close,
    async [Symbol.asyncDispose]() {
      await close()
      lock[Symbol.dispose]()
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
