import { OWN_SERVER, type OwnToolAnswer, type OwnToolCall, REQUEST_TOOL } from '../index.ts'
import { isObject, type JsonObject } from './messages.ts'

/** Read by the model: what it may write, and what comes of it. */
const REQUEST = {
  name: 'request',
  description:
    'Sends one HTTPS request from outside of this sandbox and gives its answer. A person is asked first, and sees these arguments. ' +
    'Write {{NAME}} in a header or in the body where the value of the secret NAME belongs: it is put in on the way, and you never see it. ' +
    'Redirects are not followed.',
  inputSchema: {
    type: 'object',
    properties: {
      url: {
        type: 'string',
        description: 'https://host/path?query, of a public name, escaped as it is sent; no secret in it',
      },
      method: { type: 'string', enum: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] },
      headers: { type: 'object', additionalProperties: { type: 'string' } },
      body: { type: 'string' },
    },
    required: ['url', 'method'],
    additionalProperties: false,
  },
  // The CLI leaves tools of servers out until they are searched for.
  _meta: { 'anthropic/alwaysLoad': true },
} as const

/** What JSON-RPC says to a method that there is not. */
const NO_METHOD = -32_601

/** Answers one message of MCP, as far as a server with one tool has to; notifications too, which the CLI wants acknowledged. */
export async function answerMcp(
  message: JsonObject,
  call: (call: OwnToolCall) => Promise<OwnToolAnswer>,
): Promise<JsonObject> {
  const { id = 0, method } = message
  const params = isObject(message.params) ? message.params : {}
  const done = (result: object): JsonObject => ({ jsonrpc: '2.0', id, result })
  if (method === 'initialize')
    return done({
      protocolVersion: params.protocolVersion,
      ...{ capabilities: { tools: {} }, serverInfo: { name: OWN_SERVER, version: '1' } },
    })
  if (method === 'tools/list') return done({ tools: [REQUEST] })
  if (method === 'tools/call' && params.name === REQUEST.name) {
    const meta = isObject(params._meta) ? params._meta['claudecode/toolUseId'] : undefined
    const { text, isError } = await call({
      toolUseId: typeof meta === 'string' ? meta : null,
      tool: REQUEST_TOOL,
      input: isObject(params.arguments) ? params.arguments : {},
    })
    return done({ content: [{ type: 'text', text }], isError })
  }
  if (method === 'ping' || String(method).startsWith('notifications/')) return done({})
  return { jsonrpc: '2.0', id, error: { code: NO_METHOD, message: 'There is no such method here.' } }
}
