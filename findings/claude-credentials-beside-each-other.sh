#!/usr/bin/env bash
# Guess:   of several credentials in its environment the CLI of Claude Code sends one; with `--bare`, which reads no settings, it works
#          as well with a subscription's token as with a key.
# Real:    a key and ANTHROPIC_AUTH_TOKEN are both sent in one request. Beside a subscription's token a key wins without a word, and so
#          does ANTHROPIC_AUTH_TOKEN. With `--bare` a subscription's token alone ends with exit 1 before any request. A 401 is asked again
#          with the same credential.
# Version: @anthropic-ai/claude-code 2.1.332
# Matters: a proxy that refuses two credentials, or a wrapper that leaves one of the shell's variables set: a run that was to use a
#          subscription is paid by the key.
# Seen:    the table at the end of the probe
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts --force "@anthropic-ai/claude-code-linux-$(node -p process.arch)@2.1.332" >/dev/null
cat >probe.mjs <<'PROBE'
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import http from 'node:http'

let sent = []
let status = 200
const server = http.createServer(async (req, res) => {
  for await (const _ of req);
  if (!req.url.startsWith('/v1/messages')) return res.writeHead(404).end()
  const { authorization, 'x-api-key': key, 'anthropic-beta': beta = '' } = req.headers
  sent.push([key && `key ${key}`, authorization, beta.includes('oauth-') && 'oauth beta'].filter(Boolean).join(' + '))
  if (status !== 200) {
    res.writeHead(status, { 'content-type': 'application/json' })
    return res.end(JSON.stringify({ type: 'error', error: { type: 'authentication_error', message: 'No.' } }))
  }
  const usage = { input_tokens: 1, output_tokens: 1 }
  res.writeHead(200, { 'content-type': 'text/event-stream' })
  const event = (type, rest) => res.write(`event: ${type}\ndata: ${JSON.stringify({ type, ...rest })}\n\n`)
  event('message_start', { message: { id: 'msg_1', type: 'message', role: 'assistant', model: 'm', content: [], usage } })
  event('content_block_start', { index: 0, content_block: { type: 'text', text: '' } })
  event('content_block_delta', { index: 0, delta: { type: 'text_delta', text: 'ok' } })
  event('content_block_stop', { index: 0 })
  event('message_delta', { delta: { stop_reason: 'end_turn' }, usage })
  event('message_stop', {})
  res.end()
})
await new Promise((done) => server.listen(0, '127.0.0.1', done))
const key = { ANTHROPIC_API_KEY: 'KEY' }
const bearer = { ANTHROPIC_AUTH_TOKEN: 'AUTH' }
const seat = { CLAUDE_CODE_OAUTH_TOKEN: 'SEAT' }
const cases = {
  key: [key], bearer: [bearer], seat: [seat],
  'key, bearer': [{ ...key, ...bearer }], 'key, seat': [{ ...key, ...seat }], 'bearer, seat': [{ ...bearer, ...seat }],
  'key --bare': [key, '--bare'], 'bearer --bare': [bearer, '--bare'], 'seat --bare': [seat, '--bare'], 'key, seat --bare': [{ ...key, ...seat }, '--bare'],
}
async function run(env, ...more) {
  sent = []
  const child = spawn(`node_modules/@anthropic-ai/claude-code-linux-${process.arch}/claude`, ['-p', 'Hello.', ...more, '--tools', ''], {
    env: {
      PATH: process.env.PATH, HOME: process.cwd(), CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1', CLAUDE_CODE_MAX_RETRIES: '1',
      ANTHROPIC_BASE_URL: `http://127.0.0.1:${server.address().port}`, ...env,
    },
    stdio: 'ignore', timeout: 60_000,
  })
  const [code] = await once(child, 'close')
  return sent.length === 0 ? `nothing, exit ${code}` : `${[...new Set(sent)].join(' | ')}${status === 200 ? '' : ` · ${sent.length} requests`}`
}
const seen = {}
for (const [name, [env, ...more]] of Object.entries(cases)) seen[name] = await run(env, ...more)
status = 401
for (const [name, env] of Object.entries({ key, bearer, seat })) seen[`${name}, 401`] = await run(env)
console.log(seen)
assert.deepEqual(seen, {
  key: 'key KEY',
  bearer: 'Bearer AUTH',
  seat: 'Bearer SEAT + oauth beta',
  'key, bearer': 'key KEY + Bearer AUTH',
  'key, seat': 'key KEY',
  'bearer, seat': 'Bearer AUTH',
  'key --bare': 'key KEY',
  'bearer --bare': 'Bearer AUTH',
  'seat --bare': 'nothing, exit 1',
  'key, seat --bare': 'key KEY',
  'key, 401': 'key KEY · 2 requests',
  'bearer, 401': 'Bearer AUTH · 2 requests',
  'seat, 401': 'Bearer SEAT + oauth beta · 2 requests',
})
console.log('ok')
process.exit(0)
PROBE
node probe.mjs
