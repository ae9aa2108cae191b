import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'

/** The vendor of a demo: it speaks the Messages API as far as Claude Code and OpenClaw ask, and knows one key. */
export interface DemoModel extends AsyncDisposable {
  /** `http://127.0.0.1:<port>`: on this machine, so that the demo needs no network and no account. */
  readonly origin: string
  /** Calls for an answer that came with the key, and those that came without. */
  readonly accepted: number
  readonly refused: number
  /** Awaited before the next answer. */
  beforeAnswer: () => Promise<void>
}

export interface Asked {
  readonly model: string
  readonly stream?: boolean
  readonly tools?: readonly { readonly name: string; readonly type?: string }[]
  readonly messages: readonly { readonly role: string; readonly content: unknown }[]
}

export type Block =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'tool_use'; readonly id: string; readonly name: string; readonly input: object }

const NEWS = 'OAuth3 lets programs have prompts run by Claude Code without ever having the key.'
const USAGE = { input_tokens: 1_200, cache_creation_input_tokens: 0, cache_read_input_tokens: 0 }
const OUTPUT_TOKENS = 40

/** A script and no model: it searches once where it may, and then answers. */
export function answerOfRun({ tools = [], messages }: Asked): Block {
  const last = JSON.stringify(messages.at(-1)?.content ?? '')
  // The search itself, which Claude Code has the vendor do.
  if (tools.some(({ type }) => type?.startsWith('web_search'))) return { type: 'text', text: NEWS }
  if (last.includes('tool_result')) {
    const isDenied = last.includes('"is_error":true')
    return { type: 'text', text: isDenied ? 'A person did not allow the search.' : `The news: ${NEWS}` }
  }
  if (tools.some(({ name }) => name === 'WebSearch'))
    return { type: 'tool_use', id: 'toolu_demo_1', name: 'WebSearch', input: { query: 'news of OAuth3' } }
  return { type: 'text', text: '```json\n{"qty": 2, "unit": "cup", "food": "rice"}\n```' }
}

export async function startDemoModel(key: string, answerOf: (asked: Asked) => Block): Promise<DemoModel> {
  const calls = { accepted: 0, refused: 0 }
  let beforeAnswer = async (): Promise<void> => {}
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await text(request)
    const isRight = request.headers['x-api-key'] === key
    const path = new URL(request.url ?? '/', 'http://demo.invalid').pathname
    if (!isRight) {
      calls.refused += 1
      return sendJson(response, 401, {
        type: 'error',
        error: { type: 'authentication_error', message: 'invalid x-api-key' },
      })
    }
    if (path === '/v1/messages/count_tokens') return sendJson(response, 200, { input_tokens: 1_200 })
    if (path !== '/v1/messages' || request.method !== 'POST')
      return sendJson(response, 404, {
        type: 'error',
        error: { type: 'not_found_error', message: 'The model of the demo has no such endpoint.' },
      })
    calls.accepted += 1
    await beforeAnswer()
    const asked = JSON.parse(body) as Asked
    sendMessage(response, asked, answerOf(asked), calls.accepted)
  }
  const server = createServer((request, response) => {
    serve(request, response).catch((error: unknown) => response.destroy(error as Error))
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo
  return {
    origin: `http://127.0.0.1:${port}`,
    get accepted() {
      return calls.accepted
    },
    get refused() {
      return calls.refused
    },
    get beforeAnswer() {
      return beforeAnswer
    },
    set beforeAnswer(next) {
      beforeAnswer = next
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function sendJson(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(JSON.stringify(body))
}

function sendMessage(response: ServerResponse, asked: Asked, block: Block, at: number): void {
  const stop_reason = block.type === 'tool_use' ? 'tool_use' : 'end_turn'
  const message = {
    ...{ id: `msg_demo_${at}`, type: 'message', role: 'assistant', model: asked.model, stop_sequence: null },
    usage: { ...USAGE, output_tokens: OUTPUT_TOKENS },
  }
  if (asked.stream !== true) {
    sendJson(response, 200, { ...message, content: [block], stop_reason })
    return
  }
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  const event = (type: string, rest: object): void =>
    void response.write(`event: ${type}\ndata: ${JSON.stringify({ type, ...rest })}\n\n`)
  const isText = block.type === 'text'
  event('message_start', {
    message: { ...message, content: [], stop_reason: null, usage: { ...USAGE, output_tokens: 1 } },
  })
  event('content_block_start', {
    index: 0,
    content_block: isText ? { type: 'text', text: '' } : { ...block, input: {} },
  })
  event('content_block_delta', {
    index: 0,
    delta: isText
      ? { type: 'text_delta', text: block.text }
      : { type: 'input_json_delta', partial_json: JSON.stringify(block.input) },
  })
  event('content_block_stop', { index: 0 })
  event('message_delta', {
    delta: { stop_reason, stop_sequence: null },
    usage: { output_tokens: OUTPUT_TOKENS },
  })
  event('message_stop', {})
  response.end()
}
