import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { AuditLog } from '../../audit/index.ts'
import type { Actor } from '../../identity/index.ts'
import { randomToken, type Storage } from '../../kernel/index.ts'

/** What is known of its end, where its protocol says so. */
interface SocketEnd {
  /** Of its close frame (RFC 6455, 7.1.5). */
  readonly code?: number
  readonly messages_in?: number
}

export interface RecordedSocket {
  /** Whose records have it. */
  readonly of: { readonly storage: Storage; readonly audit: Pick<AuditLog, 'append'> }
  readonly actor: Actor
  readonly purpose: string
  /** What it leads to. */
  readonly to: { readonly machine: string } | { readonly target: string }
  /** What it was opened by. */
  readonly by: 'header' | 'ticket' | 'page'
  /** The connection below it, whose bytes are counted. */
  readonly connection: Duplex
  /** Resolves when it has ended, however. */
  readonly ended: Promise<SocketEnd>
}

/** Rows of its begin and end: nothing is opened without the first, and the first has its second, even of one that ended meanwhile. */
export async function recordSocket(
  { of: { storage, audit }, actor, purpose, to, by, connection, ended }: RecordedSocket,
  log: { error(details: object, message: string): void },
): Promise<void> {
  const since = performance.now()
  const before = bytesOf(connection)
  const about = { socket: `sck_${randomToken(64)}`, ...to, purpose }
  await storage.transaction((tx) => audit.append(tx, 'socket.opened', actor, null, { ...about, by }))
  ended
    .then(async (end) => {
      const bytes = bytesOf(connection)
      const counted = { bytes_in: bytes.read - before.read, bytes_out: bytes.written - before.written }
      const row = { ...about, ...end, ...counted, ms: Math.round(performance.now() - since) }
      await storage.transaction((tx) => audit.append(tx, 'socket.ended', actor, null, row))
    })
    .catch((error: unknown) => log.error({ err: error }, 'the end of a socket was not stored'))
}

/** A stream that is no socket counts none. */
function bytesOf(connection: Duplex): { readonly read: number; readonly written: number } {
  const { bytesRead: read = 0, bytesWritten: written = 0 } = connection as Partial<Socket>
  return { read, written }
}
