#!/usr/bin/env bash
# Guess:   `"Authorization": "Bearer ${TOKEN}"` in the headers of an MCP server is filled from the environment by every coding agent; one that
#          knows no such form, or whose variable is not set, refuses the configuration.
# Real:    OpenCode (which wants `{env:TOKEN}`) and Codex (which wants `bearer_token_env_var`) send the text as it stands. With a variable
#          that is not set Claude Code and Qwen Code send the text, Gemini CLI and OpenCode an empty place. Only Gemini CLI and
#          Qwen Code know `$TOKEN`; `${TOKEN:-default}` is known to Claude Code and Gemini CLI, not to Qwen Code.
# Version: @anthropic-ai/claude-code 2.1.332, @google/gemini-cli 0.61.0, @qwen-code/qwen-code 0.24.4, opencode-ai 1.18.33, @openai/codex 0.171.0
# Matters: a server that answers such a request "invalid token" sends people after the wrong fault: say that the name of a variable came.
# Seen:    the table at the end of the probe: Authorization, then a variable that is not set, one with a default, and the short form
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund @anthropic-ai/claude-code@2.1.332 @google/gemini-cli@0.61.0 @qwen-code/qwen-code@0.24.4 \
  opencode-ai@1.18.33 @openai/codex@0.171.0 >/dev/null
cat >probe.mjs <<'PROBE'
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import { dirname, join } from 'node:path'

const seen = {}
const results = { 'tools/list': { tools: [{ name: 'echo', inputSchema: { type: 'object', properties: {} } }] } }
const server = http.createServer(async (req, res) => {
  let text = ''
  for await (const part of req) text += part
  const send = (status, body) => res.writeHead(status, { 'content-type': 'application/json' }).end(body && JSON.stringify(body))
  const [path, client] = req.url.split('?')
  if (path !== '/mcp') return send(404)
  if (req.method !== 'POST') return send(405)
  seen[client] = `${req.headers.authorization} · ${req.headers['x-unset']} · ${req.headers['x-default']} · ${req.headers['x-short']}`
  const { id, method, params } = JSON.parse(text)
  const initialize = { protocolVersion: params?.protocolVersion, capabilities: { tools: {} }, serverInfo: { name: 'x', version: '1' } }
  const result = method === 'initialize' ? initialize : results[method]
  if (id === undefined) return send(202)
  send(200, { jsonrpc: '2.0', id, ...(result ? { result } : { error: { code: -32601, message: 'Method not found' } }) })
})
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
const url = `http://127.0.0.1:${server.address().port}`

const headers = { Authorization: 'Bearer ${TOKEN}', 'X-Unset': '${UNSET}', 'X-Default': '${UNSET:-default}', 'X-Short': '$TOKEN' }
const toml = Object.entries(headers).map(([name, value]) => `${JSON.stringify(name)} = ${JSON.stringify(value)}`).join(', ')
const remote = (client, more) => ({ type: 'remote', url: `${url}/mcp?${client}`, enabled: true, oauth: false, headers: more })
const home = join(process.cwd(), 'home')
const project = join(home, 'project')
const files = {
  '.claude.json': { mcpServers: { x: { type: 'http', url: `${url}/mcp?claude`, headers } } },
  '.gemini/settings.json': {
    security: { folderTrust: { enabled: false } },
    mcpServers: { x: { httpUrl: `${url}/mcp?gemini`, headers } },
  },
  '.qwen/settings.json': { mcpServers: { x: { httpUrl: `${url}/mcp?qwen`, headers } } },
  'project/opencode.json': {
    mcp: { x: remote('opencode', headers), y: remote('opencode-own', { Authorization: 'Bearer {env:TOKEN}', 'X-Unset': '{env:UNSET}' }) },
  },
  '.codex/config.toml': `model_provider = "none"
model = "none"
[model_providers.none]
name = "none"
base_url = "${url}/model"
request_max_retries = 0
stream_max_retries = 0
[mcp_servers.x]
url = "${url}/mcp?codex"
http_headers = { ${toml} }
[mcp_servers.y]
url = "${url}/mcp?codex-own"
bearer_token_env_var = "TOKEN"
[mcp_servers.z]
url = "${url}/mcp?codex-unset"
bearer_token_env_var = "UNSET"
`,
}
for (const [name, content] of Object.entries(files)) {
  mkdirSync(dirname(join(home, name)), { recursive: true })
  writeFileSync(join(home, name), typeof content === 'string' ? content : JSON.stringify(content))
}
mkdirSync(project, { recursive: true })
const commands = ['claude mcp list', 'gemini mcp list', 'qwen mcp list', 'opencode mcp list', 'codex exec --skip-git-repo-check hello']
for (const line of commands) {
  const [program, ...args] = line.split(' ')
  const env = { PATH: `${join(process.cwd(), 'node_modules/.bin')}:${process.env.PATH}`, HOME: home, TOKEN: 'value' }
  await once(spawn(program, args, { cwd: project, env, stdio: 'ignore', timeout: 60_000 }), 'close')
}
console.log(seen)
assert.deepEqual(seen, {
  claude: 'Bearer value · ${UNSET} · default · $TOKEN',
  gemini: 'Bearer value ·  · default · value',
  qwen: 'Bearer value · ${UNSET} · ${UNSET:-default} · value',
  opencode: 'Bearer ${TOKEN} · ${UNSET} · ${UNSET:-default} · $TOKEN',
  'opencode-own': 'Bearer value ·  · undefined · undefined',
  codex: 'Bearer ${TOKEN} · ${UNSET} · ${UNSET:-default} · $TOKEN',
  'codex-own': 'Bearer value · undefined · undefined · undefined',
})
console.log('ok')
process.exit(0)
PROBE
node probe.mjs
