/** Stands between a pool and the server, on a Unix socket as well, and breaks what lies between as networks do. */
import { mkdtempSync, rmSync } from 'node:fs'
import { createConnection, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

type Fault =
  | 'none'
  /** The connection breaks before the server has the COMMIT. */
  | 'commit-lost'
  /** The server has it, and the connection breaks before its answer. */
  | 'answer-lost'
  /** Nothing passes any more, not even the end of a connection. */
  | 'silent'
  /** As `answer-lost`, and with it every other connection; nobody is let in afterwards. */
  | 'gone'

export interface PostgresRelay extends AsyncDisposable {
  readonly url: string
  fault: Fault
}

const SOCKET = '.s.PGSQL.5432'
/** Of the protocol's simple query: `Q`, four bytes of length, the text, NUL. */
const isCommit = (bytes: Buffer): boolean => bytes.includes('COMMIT\0')

export async function relayTo(url: string): Promise<PostgresRelay> {
  const { host, username, pathname } = new URL(url)
  const folder = mkdtempSync(join(tmpdir(), 'oauth3-relay-'))
  const sockets = new Set<Socket>()
  const state: { fault: Fault } = { fault: 'none' }

  const server = createServer((client) => {
    if (state.fault === 'gone') return void client.destroy()
    const upstream = createConnection(join(decodeURIComponent(host), SOCKET))
    let isAnswerLost = false
    const end = (): void => {
      client.destroy()
      upstream.destroy()
    }
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket
        .on('error', () => {})
        .on('close', () => {
          if (state.fault !== 'silent') end()
        })
    }
    client.on('data', (bytes) => {
      if (state.fault === 'silent') return
      if (isCommit(bytes) && state.fault === 'commit-lost') return end()
      if (isCommit(bytes) && (state.fault === 'answer-lost' || state.fault === 'gone')) isAnswerLost = true
      upstream.write(bytes)
    })
    upstream.on('data', (bytes) => {
      if (isAnswerLost) {
        if (state.fault === 'gone') for (const socket of sockets) socket.destroy()
        return end()
      }
      if (state.fault !== 'silent') client.write(bytes)
    })
  })
  await new Promise<void>((resolve) => void server.listen(join(folder, SOCKET), resolve))
  return Object.assign(state, {
    url: `postgres://${username}@${encodeURIComponent(folder)}${pathname}`,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => void server.close(resolve))
      rmSync(folder, { recursive: true, force: true })
    },
  })
}
