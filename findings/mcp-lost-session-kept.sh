#!/usr/bin/env bash
# Guess:   an MCP client whose session the server no longer knows (404 on a request with `Mcp-Session-Id`, as after a restart) begins
#          a new one by `initialize` and repeats its call: the specification says it must begin anew.
# Real:    of six only mcp-remote does. Both TypeScript SDKs, @ai-sdk/mcp, LangChain's adapters and OpenAI's agents raise the
#          404 as the error of this call and send the lost id with each later one: the connection is dead until the program restarts.
# Version: @modelcontextprotocol/sdk 1.32.2, @modelcontextprotocol/client 2.4.0, @ai-sdk/mcp 2.0.99, @langchain/mcp-adapters 1.1.4,
#          @openai/agents-core 0.20.0, mcp-remote 0.15.1
# Matters: a server that keeps sessions in memory cuts off every agent by a restart; one without sessions cuts off none.
# Seen:    sdk 1, sdk 2, ai, langchain, openai: error, error, no initialize · mcp-remote: answer, answer, one initialize
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts @modelcontextprotocol/sdk@1.32.2 @modelcontextprotocol/client@2.4.0 \
  @ai-sdk/mcp@2.0.99 @langchain/mcp-adapters@1.1.4 @langchain/core@1.4.0 @openai/agents-core@0.20.0 mcp-remote@0.15.1 zod@4.6.7 >/dev/null
cat >probe.mjs <<'PROBE'
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import http from 'node:http'
import { createMCPClient } from '@ai-sdk/mcp'
import { MultiServerMCPClient } from '@langchain/mcp-adapters'
import * as two from '@modelcontextprotocol/client'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { MCPServerStreamableHttp } from '@openai/agents-core'

const sessions = new Set()
let initialized = 0
const results = {
  'tools/list': { tools: [{ name: 'echo', inputSchema: { type: 'object', properties: {} } }] },
  'tools/call': { content: [{ type: 'text', text: 'hello' }] },
}
const server = http.createServer(async (req, res) => {
  let text = ''
  for await (const part of req) text += part
  const send = (status, body, headers = {}) =>
    res.writeHead(status, { 'content-type': 'application/json', ...headers }).end(body && JSON.stringify(body))
  if (req.url !== '/mcp') return send(404)
  if (req.method === 'GET') return send(405)
  if (req.method === 'DELETE') return send(200)
  const { id, method, params } = JSON.parse(text)
  if (method === 'initialize') {
    initialized += 1
    const session = randomUUID()
    sessions.add(session)
    const result = { protocolVersion: params.protocolVersion, capabilities: { tools: {} }, serverInfo: { name: 'x', version: '1' } }
    return send(200, { jsonrpc: '2.0', id, result }, { 'mcp-session-id': session })
  }
  const named = req.headers['mcp-session-id']
  if (named !== undefined && !sessions.has(named))
    return send(404, { jsonrpc: '2.0', id: id ?? null, error: { code: -32001, message: 'Session not found' } })
  if (id === undefined) return send(202)
  const result = results[method]
  send(200, { jsonrpc: '2.0', id, ...(result ? { result } : { error: { code: -32601, message: 'Method not found' } }) })
})
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
const url = `http://127.0.0.1:${server.address().port}/mcp`
const call = { name: 'echo', arguments: {} }

// Each resolves to a function that calls the tool.
const clients = {
  'sdk 1': async () => {
    const client = new Client({ name: 'probe', version: '1' })
    await client.connect(new StreamableHTTPClientTransport(new URL(url)))
    return () => client.callTool(call)
  },
  'sdk 2': async () => {
    const client = new two.Client({ name: 'probe', version: '1' })
    await client.connect(new two.StreamableHTTPClientTransport(new URL(url)))
    return () => client.callTool(call)
  },
  ai: async () => {
    const client = await createMCPClient({ transport: { type: 'http', url } })
    const { echo } = await client.tools()
    return () => echo.execute({}, { toolCallId: '1', messages: [] })
  },
  langchain: async () => {
    const [echo] = await new MultiServerMCPClient({ mcpServers: { x: { transport: 'http', url } } }).getTools()
    return () => echo.invoke({})
  },
  openai: async () => {
    const client = new MCPServerStreamableHttp({ url, name: 'x' })
    await client.connect()
    return () => client.callTool('echo', {})
  },
  'mcp-remote': async () => {
    const client = new Client({ name: 'probe', version: '1' })
    const args = ['node_modules/mcp-remote/dist/proxy.js', url, '--allow-http', '--transport', 'http-only']
    const env = { PATH: process.env.PATH, HOME: process.cwd() }
    await client.connect(new StdioClientTransport({ command: process.execPath, args, env, stderr: 'ignore' }))
    return () => client.callTool(call)
  },
}
const said = (calling) => calling.then(() => 'answer', () => 'error')
const seen = {}
for (const [name, connect] of Object.entries(clients)) {
  const use = await connect()
  assert.equal(await said(use()), 'answer', `${name} works with its session`)
  sessions.clear()
  initialized = 0
  seen[name] = `${await said(use())}, ${await said(use())}, initialize ${initialized}`
}
console.log(seen)
const dead = 'error, error, initialize 0'
assert.deepEqual(seen, {
  'sdk 1': dead, 'sdk 2': dead, ai: dead, langchain: dead, openai: dead,
  'mcp-remote': 'answer, answer, initialize 1',
})
console.log('ok')
process.exit(0)
PROBE
node probe.mjs
