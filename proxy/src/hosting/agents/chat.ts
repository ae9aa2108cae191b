/** One turn of a chat with a machine's OpenClaw, over its OpenAI-compatible endpoint. What it answers is untrusted text. */
import { request as httpRequest, type IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { AppError } from '../../kernel/index.ts'

const SESSION = 'agent:main:main'
const MAX_ANSWER_BYTES = 4 * 1_048_576

/** Throws `sandbox_unavailable` for what is no answer. */
export async function sendChat(
  { stream, gatewayToken }: { readonly stream: Duplex; readonly gatewayToken: string },
  text: string,
  signal: AbortSignal,
): Promise<string> {
  const body = JSON.stringify({
    model: 'openclaw/default',
    messages: [{ role: 'user', content: text }],
    stream: false,
  })
  try {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      httpRequest(
        {
          createConnection: () => stream as never,
          method: 'POST',
          path: '/v1/chat/completions',
          signal,
          headers: {
            host: '127.0.0.1',
            authorization: `Bearer ${gatewayToken}`,
            'content-type': 'application/json',
            'content-length': Buffer.byteLength(body),
            'x-openclaw-session-key': SESSION,
            connection: 'close',
          },
        },
        resolve,
      )
        .on('error', reject)
        // It was paused behind the line that it began with; its reader is there now.
        .on('socket', (socket) => socket.resume())
        .end(body)
    })
    const answer = await readAll(response)
    if (response.statusCode !== 200) throw unanswered(`it answered ${response.statusCode}`)
    return contentOf(answer)
  } catch (error) {
    if (error instanceof AppError) throw error
    signal.throwIfAborted()
    throw unanswered('the connection ended')
  } finally {
    stream.destroy()
  }
}

const unanswered = (why: string): AppError =>
  new AppError('sandbox_unavailable', `The agent gave no answer: ${why}.`, { retryAfterSeconds: 5 })

async function readAll(response: IncomingMessage): Promise<string> {
  const parts: Buffer[] = []
  let bytes = 0
  for await (const part of response) {
    bytes += (part as Buffer).length
    if (bytes > MAX_ANSWER_BYTES) throw unanswered('it is too long')
    parts.push(part as Buffer)
  }
  return Buffer.concat(parts).toString('utf8')
}

function contentOf(answer: string): string {
  try {
    const { choices } = JSON.parse(answer) as { choices?: { message?: { content?: unknown } }[] }
    const content = choices?.[0]?.message?.content
    if (typeof content === 'string') return content
  } catch {
    // As below.
  }
  throw unanswered('it is of no form that is known')
}
