#!/usr/bin/env bash
# Guess:   a call of an MCP tool lives as long as signs of life come (comments, `notifications/progress`), and a client that
#          gives up closes the connection.
# Real:    both TypeScript SDKs give up after 60 s though progress comes and is listened to; only `resetTimeoutOnProgress` together
#          with `onprogress` lets it count, the former alone asks for none. LangChain's adapters and OpenAI's agents never ask for it.
#          They then send `notifications/cancelled` and leave the connection open. @ai-sdk/mcp has no limit; aborted,
#          it closes the connection and sends no notification.
# Version: @modelcontextprotocol/sdk 1.32.2, @modelcontextprotocol/client 2.4.0, @ai-sdk/mcp 2.0.99, @langchain/mcp-adapters 1.1.4,
#          @openai/agents-core 0.20.0
# Matters: a tool that waits for a person answers "pending" within a minute and is asked again: nothing sent meanwhile helps. And
#          either sign alone, the notification or the closed connection, means that nobody waits for the answer any more.
# Seen:    the table at the end of the probe; 60 s are cut to 0.8 s, the tool answers after 2.1 s, with progress when it is asked for
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts @modelcontextprotocol/sdk@1.32.2 @modelcontextprotocol/client@2.4.0 \
  @ai-sdk/mcp@2.0.99 @langchain/mcp-adapters@1.1.4 @langchain/core@1.4.0 @openai/agents-core@0.20.0 zod@4.6.7 >/dev/null
cat >probe.mjs <<'PROBE'
import assert from 'node:assert/strict'
import http from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { createMCPClient } from '@ai-sdk/mcp'
import { MultiServerMCPClient } from '@langchain/mcp-adapters'
import * as two from '@modelcontextprotocol/client'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { MCPServerStreamableHttp } from '@openai/agents-core'

// The limit of 60 s is cut to 0.8 s.
const original = globalThis.setTimeout
globalThis.setTimeout = (work, ms = 0, ...rest) => original(work, ms === 60_000 ? 800 : ms, ...rest)

let signs, over
async function answer(req, res, { id, method, params }) {
  const json = (body) => {
    res.writeHead(200, { 'content-type': 'application/json', 'mcp-session-id': 's1' })
    res.end(JSON.stringify({ jsonrpc: '2.0', id, ...body }))
  }
  if (method === 'notifications/cancelled') signs.push('cancelled')
  if (id === undefined) return res.writeHead(202).end()
  if (method === 'initialize')
    return json({ result: { protocolVersion: params.protocolVersion, capabilities: { tools: {} }, serverInfo: { name: 's', version: '1' } } })
  if (method === 'tools/list') return json({ result: { tools: [{ name: 't', description: 'd', inputSchema: { type: 'object', properties: {} } }] } })
  if (method !== 'tools/call') return json({ error: { code: -32601, message: 'no such method' } })
  const progressToken = params._meta?.progressToken
  if (progressToken !== undefined) signs.push('asks for progress')
  const say = (message) => res.write(`event: message\ndata: ${JSON.stringify({ jsonrpc: '2.0', ...message })}\n\n`)
  res.writeHead(200, { 'content-type': 'text/event-stream' })
  let closed = false
  res.on('close', () => (closed = true))
  for (let progress = 1; progress <= 14 && !closed; progress += 1) {
    res.write(': waiting\n\n')
    if (progressToken !== undefined) say({ method: 'notifications/progress', params: { progressToken, progress } })
    await sleep(150)
  }
  if (closed) signs.push('closed')
  else say({ id, result: { content: [{ type: 'text', text: 'fine' }] } })
  res.end()
  over()
}
const server = http.createServer((req, res) => {
  if (req.method !== 'POST') return res.writeHead(405).end()
  let body = ''
  req.on('data', (chunk) => (body += chunk))
  req.on('end', () => answer(req, res, JSON.parse(body)))
})
await new Promise((done) => server.listen(0, '127.0.0.1', done))
const url = `http://127.0.0.1:${server.address().port}/mcp`

const info = { name: 'c', version: '1' }
const tool = { name: 't', arguments: {} }
const first = new Client(info)
await first.connect(new StreamableHTTPClientTransport(new URL(url)))
const second = new two.Client(info)
await second.connect(new two.StreamableHTTPClientTransport(new URL(url)))
const { t } = await (await createMCPClient({ transport: { type: 'http', url } })).tools()
const [langchain] = await new MultiServerMCPClient({ mcpServers: { s: { transport: 'http', url } } }).getTools()
const agents = new MCPServerStreamableHttp({ url, name: 's' })
await agents.connect()

const onprogress = () => {}
const resetTimeoutOnProgress = true
const abortSignal = () => AbortSignal.timeout(700)
const calls = {
  'sdk 1': () => first.callTool(tool),
  'sdk 1, onprogress': () => first.callTool(tool, undefined, { onprogress }),
  'sdk 1, reset': () => first.callTool(tool, undefined, { resetTimeoutOnProgress }),
  'sdk 1, both': () => first.callTool(tool, undefined, { onprogress, resetTimeoutOnProgress }),
  'sdk 2, onprogress': () => second.callTool(tool, { onprogress }),
  'sdk 2, both': () => second.callTool(tool, { onprogress, resetTimeoutOnProgress }),
  langchain: () => langchain.invoke({}),
  agents: () => agents.callTool('t', {}),
  ai: () => t.execute({}, { toolCallId: '1', messages: [] }),
  'ai, aborted': () => t.execute({}, { toolCallId: '1', messages: [], abortSignal: abortSignal() }),
  'sdk 1, aborted': () => first.callTool(tool, undefined, { signal: abortSignal() }),
}
const seen = {}
for (const [name, call] of Object.entries(calls)) {
  signs = []
  const end = new Promise((done) => (over = done))
  const outcome = await call().then(() => 'answered', () => 'given up')
  await end
  seen[name] = [outcome, ...signs].join(', ')
  console.log(name, '|', seen[name])
}
assert.deepEqual(seen, {
  'sdk 1': 'given up, cancelled',
  'sdk 1, onprogress': 'given up, asks for progress, cancelled',
  'sdk 1, reset': 'given up, cancelled',
  'sdk 1, both': 'answered, asks for progress',
  'sdk 2, onprogress': 'given up, asks for progress, cancelled',
  'sdk 2, both': 'answered, asks for progress',
  langchain: 'given up, cancelled',
  agents: 'given up, cancelled',
  ai: 'answered',
  'ai, aborted': 'given up, closed',
  'sdk 1, aborted': 'given up, cancelled',
})
console.log('ok')
process.exit(0)
PROBE
node probe.mjs
