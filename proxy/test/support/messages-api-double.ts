/**
 * The Messages API at the wire, strict: what the real one refuses is refused (`messages-api-rules.ts`) and kept in `refused`, so that a
 * test can hold that nothing was. What it answers is the test's.
 */
import { randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { text as textOf } from 'node:stream/consumers'
import { type ApiError, refuseRequest } from './messages-api-rules.ts'

export interface MessagesCall {
  readonly path: string
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: MessagesBody
  /** As it came. */
  readonly raw: string
}

interface MessagesBody {
  readonly model: string
  readonly max_tokens: number
  readonly stream?: boolean
  readonly system?: string | readonly { readonly text: string }[]
  readonly tools?: readonly { readonly name: string }[]
  readonly messages: readonly { readonly role: string; readonly content: unknown }[]
}

type Block =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'thinking'; readonly thinking: string; readonly signature: string }
  | { readonly type: 'tool_use'; readonly id: string; readonly name: string; readonly input: object }

export type Reply =
  | {
      readonly content: readonly Block[]
      readonly stopReason?: 'end_turn' | 'tool_use' | 'max_tokens' | 'refusal' | 'stop_sequence'
      readonly usage?: { readonly input_tokens: number; readonly output_tokens: number }
      /** Of a text: characters of each delta; all at once when left out. */
      readonly deltaChars?: number
      /** Waited for behind the first delta. */
      readonly until?: Promise<unknown>
      /** The stream breaks off, or stays open without a word, behind the first block. */
      readonly end?: 'cut' | 'silent'
    }
  | { readonly error: ApiError; readonly headers?: Readonly<Record<string, string>> }

export const say = (text: string): Reply => ({ content: [{ type: 'text', text }] })
export const use = (name: string, input: object): Reply => ({
  content: [{ type: 'tool_use', id: `toolu_${randomBytes(8).toString('hex')}`, name, input }],
  stopReason: 'tool_use',
})

export interface MessagesApi extends AsyncDisposable {
  readonly calls: readonly MessagesCall[]
  /** What the real API would not have taken. */
  readonly refused: readonly string[]
  /** Serves a connection that came from elsewhere. */
  connection(socket: Socket): void
  /** Listens on loopback; `http://127.0.0.1:PORT`. */
  listen(): Promise<string>
}

/** `answer`: what is answered to a request for a message, by its place among all from 0. */
export function createMessagesApi(
  answer: (call: MessagesCall, at: number) => Reply | Promise<Reply>,
): MessagesApi {
  const calls: MessagesCall[] = []
  const refused: string[] = []
  const server = createServer((request, response) => {
    serve(request, response).catch((error: unknown) => response.destroy(error as Error))
  })

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const raw = await textOf(request)
    const path = new URL(request.url ?? '/', 'http://api.invalid').pathname
    const body = parsed(raw)
    const problem = refuseRequest(request.method ?? '', path, request.headers, body)
    if (problem !== null) {
      refused.push(`${request.method} ${path}: ${problem.message}`)
      return fail(response, problem)
    }
    if (path.endsWith('/count_tokens'))
      return sendJson(response, 200, { input_tokens: Math.ceil(raw.length / 4) })
    const call: MessagesCall = { path, headers: request.headers, body: body as MessagesBody, raw }
    calls.push(call)
    const at = calls.length - 1
    const reply = await answer(call, at)
    if ('error' in reply) return fail(response, reply.error, reply.headers)
    const message = messageOf(call, reply, at)
    if (call.body.stream === true) await stream(response, reply, message)
    else sendJson(response, 200, { ...message, content: reply.content })
  }

  return {
    calls,
    refused,
    connection: (socket) => void server.emit('connection', socket),
    async listen() {
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      if (server.listening) await new Promise((resolve) => server.close(resolve))
    },
  }
}

const parsed = (raw: string): unknown => {
  try {
    return JSON.parse(raw) as unknown
  } catch {
    return undefined
  }
}

function sendJson(
  response: ServerResponse,
  status: number,
  body: object,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', 'request-id': 'req_double', ...headers })
  response.end(JSON.stringify(body))
}

const fail = (response: ServerResponse, { status, type, message }: ApiError, headers = {}): void =>
  sendJson(response, status, { type: 'error', error: { type, message } }, headers)

type Answered = Extract<Reply, { readonly content: unknown }>

const messageOf = ({ body }: MessagesCall, reply: Answered, at: number) => ({
  id: `msg_${String(at).padStart(8, '0')}`,
  type: 'message',
  role: 'assistant',
  model: body.model,
  stop_reason: reply.stopReason ?? 'end_turn',
  stop_sequence: null,
  usage: {
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: 0,
    ...(reply.usage ?? { input_tokens: 11, output_tokens: 7 }),
  },
})

async function stream(
  response: ServerResponse,
  reply: Answered,
  message: ReturnType<typeof messageOf>,
): Promise<void> {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' })
  const event = (type: string, rest: object): void =>
    void response.write(`event: ${type}\ndata: ${JSON.stringify({ type, ...rest })}\n\n`)
  const { stop_reason, stop_sequence, usage } = message
  event('message_start', {
    message: { ...message, content: [], stop_reason: null, usage: { ...usage, output_tokens: 1 } },
  })
  let isFirst = true
  for (const [index, block] of reply.content.entries()) {
    for (const [type, rest] of eventsOf(block, reply.deltaChars)) {
      event(type, { index, ...rest })
      if (type === 'content_block_delta' && isFirst) {
        isFirst = false
        await reply.until
      }
    }
  }
  if (reply.end === 'silent') return
  if (reply.end === 'cut') return void response.destroy()
  event('message_delta', {
    delta: { stop_reason, stop_sequence },
    usage: { output_tokens: usage.output_tokens },
  })
  event('message_stop', {})
  response.end()
}

function* eventsOf(block: Block, deltaChars: number | undefined): Generator<readonly [string, object]> {
  const empty =
    block.type === 'text'
      ? { type: 'text', text: '' }
      : block.type === 'thinking'
        ? { type: 'thinking', thinking: '', signature: '' }
        : { ...block, input: {} }
  yield ['content_block_start', { content_block: empty }]
  if (block.type === 'text') {
    const size = deltaChars ?? Math.max(1, block.text.length)
    for (let at = 0; at < block.text.length; at += size)
      yield ['content_block_delta', { delta: { type: 'text_delta', text: block.text.slice(at, at + size) } }]
  } else if (block.type === 'thinking') {
    yield ['content_block_delta', { delta: { type: 'thinking_delta', thinking: block.thinking } }]
    yield ['content_block_delta', { delta: { type: 'signature_delta', signature: block.signature } }]
  } else {
    const json = JSON.stringify(block.input)
    yield ['content_block_delta', { delta: { type: 'input_json_delta', partial_json: json } }]
  }
  yield ['content_block_stop', {}]
}
