// The CLI of Claude Code, spoken to by stream-json, beside a Messages API that answers `ok`. Installed in the current folder.
import { spawn } from 'node:child_process'
import http from 'node:http'
import { createInterface } from 'node:readline'

/** Bodies of what it asked the API, in order, each with its `url` and `headers`. */
export const calls = []
/** Its `status`: of the next answers; none but 200 has a message. */
export const api = { status: 200 }
const server = http.createServer(async (req, res) => {
  let raw = ''
  for await (const part of req) raw += part
  const body = JSON.parse(raw)
  calls.push({ ...body, url: req.url, headers: req.headers })
  if (api.status !== 200) {
    res.writeHead(api.status, { 'content-type': 'application/json' })
    return res.end('{"type":"error","error":{"type":"authentication_error","message":"No."}}')
  }
  if (req.url.includes('/count_tokens')) {
    res.writeHead(200, { 'content-type': 'application/json' })
    return res.end('{"input_tokens":1}')
  }
  const usage = { input_tokens: 1, output_tokens: 1 }
  const message = { id: 'msg_1', type: 'message', role: 'assistant', model: body.model, usage }
  const content = [{ type: 'text', text: 'ok' }]
  if (!body.stream) {
    res.writeHead(200, { 'content-type': 'application/json' })
    return res.end(JSON.stringify({ ...message, content, stop_reason: 'end_turn' }))
  }
  res.writeHead(200, { 'content-type': 'text/event-stream' })
  const event = (type, rest) => res.write(`event: ${type}\ndata: ${JSON.stringify({ type, ...rest })}\n\n`)
  event('message_start', { message: { ...message, content: [] } })
  event('content_block_start', { index: 0, content_block: { type: 'text', text: '' } })
  event('content_block_delta', { index: 0, delta: { type: 'text_delta', text: 'ok' } })
  event('content_block_stop', { index: 0 })
  event('message_delta', { delta: { stop_reason: 'end_turn' }, usage })
  event('message_stop', {})
  res.end()
})
await new Promise((done) => server.listen(0, '127.0.0.1', done))
export const origin = `http://127.0.0.1:${server.address().port}`
export const claude = `node_modules/@anthropic-ai/claude-code-linux-${process.arch}/claude`
const args = '-p --bare --verbose --input-format stream-json --output-format stream-json'.split(' ')
/** `more`: further arguments. */
export function start(...more) {
  const env = {
    PATH: process.env.PATH,
    HOME: process.cwd(),
    ANTHROPIC_BASE_URL: origin,
    ANTHROPIC_API_KEY: 'example',
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
  }
  const child = spawn(claude, [...args, ...more], { env, stdio: ['pipe', 'pipe', 'inherit'] })
  const waiting = []
  createInterface({ input: child.stdout }).on('line', (line) => {
    const message = JSON.parse(line)
    const at = waiting.findIndex(({ type }) => type === message.type)
    if (at !== -1) waiting.splice(at, 1)[0].resolve(message)
  })
  const next = (type) => new Promise((resolve) => waiting.push({ type, resolve }))
  const write = (value) => child.stdin.write(`${JSON.stringify(value)}\n`)
  return {
    async request(subtype, rest) {
      const answer = next('control_response')
      write({ type: 'control_request', request_id: subtype, request: { subtype, ...rest } })
      return (await answer).response
    },
    async prompt(text) {
      const result = next('result')
      write({ type: 'user', message: { role: 'user', content: text }, parent_tool_use_id: null })
      return await result
    },
    end: () => child.kill('SIGKILL'),
  }
}
