#!/usr/bin/env bash
# Guess:   a coding agent's command line asks once where a vendor says 400 or 403, and some few times where it says 503.
# Real:    Claude Code sends six requests within two seconds of a 400: without the newest beta flag, without
#          `thinking.display`, then all of it again with its deferred tools written out (the body grows by a half).
#          Codex repeats a 403 five times as if its stream had broken off, waits `Retry-After` before each, gives up a 429
#          without one after a single request, and makes 30 requests of one 503.
# Version: @anthropic-ai/claude-code 2.1.332, @openai/codex 0.171.0
# Matters: what a proxy refuses with 400 or 403 counts six times in a limit of requests; a 402 or 429 counts once.
# Seen:    claude 400: 6, 403: 1, 402: 1 · codex 400: 1, 403: 6, 429: 1, 503: 30
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund @anthropic-ai/claude-code@2.1.332 @openai/codex@0.171.0 >/dev/null
cat >probe.mjs <<'PROBE'
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import { once } from 'node:events'

let status
let sizes = []
const server = http.createServer((req, res) => {
  let bytes = 0
  req.on('data', (chunk) => (bytes += chunk.length))
  req.on('end', () => {
    if (req.method === 'POST') sizes.push(bytes)
    res.writeHead(status, { 'content-type': 'application/json' })
    res.end('{"type":"error","error":{"type":"api_error","message":"refused by the proxy"}}')
  })
})
await new Promise((done) => server.listen(0, '127.0.0.1', done))
const base = `http://127.0.0.1:${server.address().port}`

mkdirSync('home/.codex', { recursive: true })
writeFileSync(
  'home/.codex/config.toml',
  `model = "gpt-5"\nmodel_provider = "local"\n[model_providers.local]\nname = "local"\nbase_url = "${base}/v1"\nenv_key = "EXAMPLE_KEY"\nwire_api = "responses"\n`,
)
const env = {
  PATH: process.env.PATH,
  HOME: `${process.cwd()}/home`,
  ANTHROPIC_BASE_URL: base,
  ANTHROPIC_API_KEY: 'example',
  CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
  EXAMPLE_KEY: 'example',
}
const lines = {
  claude: ['claude', '-p', 'hi', '--model', 'claude-sonnet-4-5'],
  codex: ['codex', 'exec', '--skip-git-repo-check', 'hi'],
}
async function count(name, answer) {
  status = answer
  sizes = []
  const [command, ...args] = lines[name]
  const child = spawn(`${process.cwd()}/node_modules/.bin/${command}`, args, { env, cwd: env.HOME, stdio: 'ignore' })
  const timer = setTimeout(() => child.kill(), 90_000)
  await once(child, 'exit')
  clearTimeout(timer)
  console.log(name, answer, sizes.length)
  return sizes.length
}
const seen = {}
for (const [name, answers] of [['claude', [400, 403, 402]], ['codex', [400, 403, 429, 503]]]) {
  for (const answer of answers) {
    seen[`${name} ${answer}`] = await count(name, answer)
    if (name === 'claude' && answer === 400) assert.ok(sizes.at(-1) > sizes[0] * 1.3, 'the body grows')
  }
}
assert.deepEqual(seen, {
  'claude 400': 6,
  'claude 403': 1,
  'claude 402': 1,
  'codex 400': 1,
  'codex 403': 6,
  'codex 429': 1,
  'codex 503': 30,
})
console.log('ok')
process.exit(0)
PROBE
node probe.mjs
