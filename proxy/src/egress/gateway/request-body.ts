import type { Readable } from 'node:stream'
import type { PreparedRequest } from '../index.ts'

/** A body that was read whole, as the code sent it and with the secrets in their places. */
interface WholeBody {
  readonly sent: Buffer
  readonly rewritten: Buffer
}

/**
 * Read whole, for its length changes with what is put in, or for what it says must be known before any of it is sent.
 * `onBytes` is told what comes, `hold` books the memory. It is given up when it is longer
 * than `maxBytes`, or than there is room for now. Rejects when the code leaves before all of it has come.
 */
export async function readWhole(
  request: Readable,
  prepared: PreparedRequest,
  maxBytes: number,
  room: { onBytes(bytes: number): void; hold(bytes: number): boolean },
): Promise<WholeBody | 'too long' | 'no room'> {
  const sent: Buffer[] = []
  let bytes = 0
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    const { length } = chunk as Buffer
    room.onBytes(length)
    bytes += length
    if (bytes > maxBytes) return 'too long'
    if (!room.hold(length)) return 'no room'
    sent.push(chunk as Buffer)
  }
  const whole = sent.length === 1 ? (sent[0] as Buffer) : Buffer.concat(sent)
  if (prepared.body === null) return { sent: whole, rewritten: whole }
  const rewritten = Buffer.concat([prepared.body.push(whole), prepared.body.end()])
  return { sent: whole, rewritten }
}
