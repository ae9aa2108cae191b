import type { IncomingMessage } from 'node:http'
import type { PreparedRequest } from '../../domain/egress/index.ts'

/** Told how many bytes the code sent, as they come. */
type Count = (bytes: number) => void

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
