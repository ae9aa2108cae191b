import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { duplexPair } from 'node:stream'
import { expect, it } from 'vitest'
import { askGateway } from './gateway-chat.ts'

/** What comes of one request to a gateway that answers so. */
async function ask(answer: (request: IncomingMessage, response: ServerResponse) => void) {
  const [stream, far] = duplexPair()
  createServer(answer).emit('connection', far)
  const link = { stream, gatewayToken: 'of-the-gateway' }
  const pieces = askGateway(link, { messages: [] }, new AbortController().signal)
  const said: string[] = []
  for (;;) {
    const { done, value } = await pieces.next()
    if (done) return { said, end: value, isOver: stream.destroyed }
    said.push(value)
  }
}
const events = (...data: readonly (object | string)[]): string =>
  data.map((one) => `data: ${typeof one === 'string' ? one : JSON.stringify(one)}\n\n`).join('')
const piece = (content: string | null, finish_reason: string | null = null) => ({
  choices: [{ index: 0, delta: { content }, finish_reason }],
})

it('hands on what it says, and how it ended', async () => {
  const usage = { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7 }
  const whole = events(piece(null), piece('a'), piece('b', 'length'), { choices: [], usage }, '[DONE]')
  const { said, end, isOver } = await ask(({ headers }, response) => {
    expect(headers.authorization).toBe('Bearer of-the-gateway')
    response.end(whole)
  })
  expect(said).toEqual(['a', 'b'])
  expect(end).toEqual({ isCut: true, usage: { prompt_tokens: 3, completion_tokens: 4 } })
  expect(isOver).toBe(true)
})

// As OpenClaw says it where there is nothing but a system message.
const MISSING = { error: { message: 'Missing user message in `messages`.', type: 'invalid_request_error' } }
it.each([
  [400, JSON.stringify(MISSING), 'invalid_request', 'refuses it: Missing user message in `messages`.'],
  [400, 'not json', 'invalid_request', 'The agent refuses it.'],
  [401, '{}', 'sandbox_unavailable', 'it answered 401.'],
  [500, JSON.stringify(MISSING), 'sandbox_unavailable', 'it answered 500: Missing'],
  [200, '', 'sandbox_unavailable', 'the connection ended'],
  [200, events(piece('a')), 'sandbox_unavailable', 'the connection ended'],
  [200, events(piece('a'), '[DONE]'), 'sandbox_unavailable', 'without an end'],
  [200, events({ error: { message: 'of the model' } }), 'sandbox_unavailable', '“of the model”'],
  [200, events('{"choices":1}'), 'sandbox_unavailable', 'no form'],
])('of %i %j is %s', async (status, body, code, message) => {
  const asked = ask((_request, response) => response.writeHead(status).end(body))
  await expect(asked).rejects.toMatchObject({ code, message: expect.stringContaining(message) })
})
