import type { IncomingMessage } from 'node:http'
import type { PreparedRequest } from '../../domain/egress/index.ts'

/** A body that was read whole. */
export interface WholeBody {
  /** As the code sent it; null when it is longer than may be looked into, or than there is room for now. */
  readonly sent: Buffer | null
  /** With the secrets in their places. */
  readonly rewritten: Buffer
}

/**
 * Read whole, for its length changes with what is put in, or for what it says must be known before any of it is sent.
 * `onBytes` is told what comes, `hold` books the memory. Rejects when the code leaves before all of it has come.
 */
export async function readWhole(
  request: IncomingMessage,
  prepared: PreparedRequest,
  maxBytes: number,
  room: { onBytes(bytes: number): void; hold(bytes: number): boolean },
): Promise<WholeBody> {
  const sent: Buffer[] = []
  let bytes = 0
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    const { length } = chunk as Buffer
    room.onBytes(length)
    bytes += length
    if (bytes > maxBytes || !room.hold(length)) return { sent: null, rewritten: Buffer.alloc(0) }
    sent.push(chunk as Buffer)
  }
  const whole = sent.length === 1 ? (sent[0] as Buffer) : Buffer.concat(sent)
  if (prepared.body === null) return { sent: whole, rewritten: whole }
  const rewritten = Buffer.concat([prepared.body.push(whole), prepared.body.end()])
  return { sent: whole, rewritten }
}
