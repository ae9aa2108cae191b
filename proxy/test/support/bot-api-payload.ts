import type { IncomingMessage } from 'node:http'
import type { Payload } from './bot-api-rules.ts'
import { parseMultipart } from './multipart.ts'

/** What a call of the Bot API has in its body: JSON, or a form with files. */
export async function readPayload(request: IncomingMessage): Promise<Payload> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  const body = Buffer.concat(chunks)
  const type = request.headers['content-type'] ?? ''
  if (type.startsWith('multipart/form-data')) {
    return Object.fromEntries(
      parseMultipart(body, type).map(({ name, fileName, bytes }) => [
        name,
        fileName === undefined ? bytes.toString('utf8') : { fileName, bytes },
      ]),
    )
  }
  return body.length === 0 ? {} : (JSON.parse(body.toString('utf8')) as Payload)
}
