import type { IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import type { PreparedRequest } from '../../domain/egress/index.ts'

/** Told how many bytes the code sent, as they come. */
export type Count = (bytes: number) => void

/** Sent on as it comes, secrets put in; null for no body. */
export function streamed(request: IncomingMessage, prepared: PreparedRequest, count: Count): Readable | null {
  if (prepared.framing.kind === 'none') return null
  const { body: rewriter } = prepared
  // A stream of its own: when the upstream fails, this is destroyed and not the connection that the answer goes to.
  const content = new Readable({ read: () => void request.resume() })
  request.on('data', (chunk: Buffer) => {
    count(chunk.length)
    if (content.destroyed) return
    const out = rewriter === null ? chunk : rewriter.push(chunk)
    if (out.length > 0 && !content.push(out)) request.pause()
  })
  request.once('end', () => {
    if (content.destroyed) return
    const rest = rewriter?.end()
    if (rest !== undefined && rest.length > 0) content.push(rest)
    content.push(null)
  })
  request.once('close', () => {
    if (!request.complete) content.destroy(new Error('the code left in the middle of its request'))
  })
  content.on('error', () => {})
  // What is left of it is read and dropped, so that the code comes to read the answer.
  content.once('close', () => void request.resume())
  return content
}

/** Read whole, for its length changes with what is put in. Rejects when the code leaves before all of it has come. */
export async function readWhole(
  request: IncomingMessage,
  prepared: PreparedRequest,
  count: Count,
): Promise<Buffer> {
  const parts: Uint8Array[] = []
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    count((chunk as Buffer).length)
    parts.push(prepared.body === null ? (chunk as Buffer) : prepared.body.push(chunk as Buffer))
  }
  if (prepared.body !== null) parts.push(prepared.body.end())
  return Buffer.concat(parts)
}
