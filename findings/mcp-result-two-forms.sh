#!/usr/bin/env bash
# Guess:   of an MCP tool's result the model reads the text in `content`; `structuredContent` is for programs, and is held against the
#          tool's `outputSchema` by every client. `isError` reaches the model as an error.
# Real:    Claude Code, Codex and Genkit give it the structured form alone: a sentence that stands only in the text is never read. Gemini
#          CLI, OpenCode, the AI SDK and OpenAI's agents give the text alone, Qwen Code and LangChain both. With an empty `content` the
#          model gets nothing from Gemini CLI, the AI SDK, LangChain and OpenAI's agents. An error is a success's text or number in
#          Codex, OpenCode, the AI SDK and OpenAI's agents. What breaks the schema is passed on by Claude Code, Codex, Qwen Code
#          and the AI SDK.
# Version: @anthropic-ai/claude-code 2.1.332, @openai/codex 0.171.0, @google/gemini-cli 0.61.0, @qwen-code/qwen-code 0.24.4,
#          opencode-ai 1.18.33, @ai-sdk/mcp 2.0.99, @langchain/mcp-adapters 1.1.4, @openai/agents-core 0.20.0, @genkit-ai/mcp 1.42.0
# Matters: what an agent has to know (that somebody must approve, when to ask again, why it was refused) stands in both forms, whole, or
#          some models never learn of it; a refusal says so in its own words, not by `isError` alone.
# Seen:    the table at the end of the probe
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund @anthropic-ai/claude-code@2.1.332 @openai/codex@0.171.0 @google/gemini-cli@0.61.0 \
  @qwen-code/qwen-code@0.24.4 opencode-ai@1.18.33 >/dev/null
mkdir libraries
(
  cd libraries
  npm init --yes >/dev/null
  npm install --silent --no-audit --no-fund --ignore-scripts --legacy-peer-deps @ai-sdk/mcp@2.0.99 ai@7.0.173 @langchain/mcp-adapters@1.1.4 \
    @langchain/core@1.4.0 @langchain/langgraph@1.7.3 @openai/agents-core@0.20.0 openai@7.59.0 @genkit-ai/mcp@1.42.0 genkit@1.42.0 \
    @modelcontextprotocol/sdk@1.32.2 zod@4.6.7 >/dev/null
)
cat >server.mjs <<'PROBE'
// An MCP server of four tools, and a model (of four vendors' forms) that calls all of them and then says `ok`.
import http from 'node:http'

const text = [{ type: 'text', text: 'TEXT' }]
const results = {
  both: { content: text, structuredContent: { n: 7 } },
  only: { content: [], structuredContent: { n: 7 } },
  refused: { isError: true, content: text, structuredContent: { n: 7 } },
  wrong: { content: text, structuredContent: { n: 'seven' } },
}
export const names = Object.keys(results)
const inputSchema = { type: 'object', properties: {} }
const outputSchema = { type: 'object', properties: { n: { type: 'number' } }, required: ['n'] }
const tools = names.map((name) => ({ name, description: `A tool, ${name}.`, inputSchema, outputSchema }))

/** What the model was told of each tool's result, as JSON; emptied by whoever reads it. */
export const told = {}
const hear = (name, value) => (told[name] ??= JSON.stringify(value))
const toolOf = (id) => names.find((name) => id?.includes(name))
const sse = (events) => events.map((data) => `${data.type ? `event: ${data.type}\n` : ''}data: ${JSON.stringify(data)}\n\n`).join('')
const chosen = (offered) => offered.filter((name) => names.some((tool) => name.endsWith(`_${tool}`)))

function messages({ messages, tools: offered = [], model }) {
  const got = messages.flatMap(({ content }) => (Array.isArray(content) ? content : [])).filter(({ type }) => type === 'tool_result')
  for (const { tool_use_id, content, is_error } of got) hear(toolOf(tool_use_id), { content, is_error })
  const calls = got.length ? [] : chosen(offered.map(({ name }) => name))
  const blocks = calls.length
    ? calls.map((name) => [{ type: 'tool_use', id: `toolu_${toolOf(name)}`, name, input: {} }, { type: 'input_json_delta', partial_json: '{}' }])
    : [[{ type: 'text', text: '' }, { type: 'text_delta', text: 'ok' }]]
  return sse([
    { type: 'message_start', message: { id: 'm', type: 'message', role: 'assistant', model, content: [], usage: { input_tokens: 1, output_tokens: 1 } } },
    ...blocks.flatMap(([content_block, delta], index) => [
      { type: 'content_block_start', index, content_block },
      { type: 'content_block_delta', index, delta },
      { type: 'content_block_stop', index },
    ]),
    { type: 'message_delta', delta: { stop_reason: calls.length ? 'tool_use' : 'end_turn' }, usage: { output_tokens: 2 } },
    { type: 'message_stop' },
  ])
}
function completions({ messages, tools: offered = [] }) {
  const got = messages.filter(({ role }) => role === 'tool')
  for (const { tool_call_id, content } of got) hear(toolOf(tool_call_id), content)
  const calls = got.length ? [] : chosen(offered.map((tool) => tool.function.name))
  const tool_calls = calls.map((name, index) => ({ index, id: `call_${toolOf(name)}`, type: 'function', function: { name, arguments: '{}' } }))
  const chunk = (delta, finish_reason) =>
    ({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [{ index: 0, delta, finish_reason }] })
  const delta = { role: 'assistant', ...(calls.length ? { content: null, tool_calls } : { content: 'ok' }) }
  return `${sse([chunk(delta, null), chunk({}, calls.length ? 'tool_calls' : 'stop')])}data: [DONE]\n\n`
}
function responses({ input, tools: offered = [] }) {
  const got = input.filter(({ type }) => type === 'function_call_output')
  for (const { call_id, output } of got) hear(toolOf(call_id), output.replace(/Wall time: .*/, ''))
  const within = offered.find(({ type, name }) => type === 'namespace' && name.includes('x'))
  const calls = got.length || !within ? [] : within.tools.filter(({ name }) => names.includes(name))
  const items = calls.map(({ name }) =>
    ({ type: 'function_call', id: `fc_${name}`, call_id: `call_${name}`, namespace: within.name, name, arguments: '{}', status: 'completed' }))
  const said = { type: 'message', id: 'm', role: 'assistant', status: 'completed', content: [{ type: 'output_text', text: 'ok', annotations: [] }] }
  const output = items.length ? items : [said]
  return sse([
    { type: 'response.created', response: { id: 'r' } },
    ...output.map((item, output_index) => ({ type: 'response.output_item.done', output_index, item })),
    { type: 'response.completed', response: { id: 'r', output, usage: { input_tokens: 1, output_tokens: 1, total_tokens: 2 } } },
  ])
}
function contents({ contents, tools: offered = [] }) {
  const got = contents.flatMap(({ parts }) => parts).filter(({ functionResponse }) => functionResponse)
  for (const { functionResponse } of got) hear(toolOf(functionResponse.name), functionResponse.response)
  const calls = got.length ? [] : chosen(offered.flatMap(({ functionDeclarations = [] }) => functionDeclarations).map(({ name }) => name))
  const parts = calls.length ? calls.map((name) => ({ functionCall: { name, args: {} } })) : [{ text: 'ok' }]
  const usageMetadata = { promptTokenCount: 1, candidatesTokenCount: 1, totalTokenCount: 2 }
  return sse([{ candidates: [{ index: 0, content: { role: 'model', parts }, finishReason: 'STOP' }], usageMetadata }])
}
function mcp({ id, method, params }) {
  const serverInfo = { name: 'x', version: '1' }
  const initialize = { protocolVersion: params?.protocolVersion, capabilities: { tools: {} }, serverInfo }
  const result = { initialize, 'tools/list': { tools }, 'tools/call': results[params?.name], ping: {} }[method]
  return JSON.stringify({ jsonrpc: '2.0', id, ...(result ? { result } : { error: { code: -32601, message: 'Method not found' } }) })
}
const vendors = [['/messages', messages], ['/chat/completions', completions], ['/responses', responses], [':streamGenerateContent', contents]]
const server = http.createServer(async (req, res) => {
  let raw = ''
  for await (const part of req) raw += part
  const path = req.url.split('?')[0]
  const send = (status, body, type = 'application/json') => res.writeHead(status, { 'content-type': type }).end(body)
  if (path !== '/mcp') {
    const vendor = req.method === 'POST' && vendors.find(([end]) => path.endsWith(end))
    return vendor ? send(200, vendor[1](JSON.parse(raw)), 'text/event-stream') : send(404, '{}')
  }
  if (req.method !== 'POST') return send(405)
  const message = JSON.parse(raw)
  return message.id === undefined ? send(202) : send(200, mcp(message))
})
await new Promise((done) => server.listen(0, '127.0.0.1', done))
export const origin = `http://127.0.0.1:${server.address().port}`
PROBE
cat >libraries/libraries.mjs <<'PROBE'
// What each library hands on to the model.
import { createMCPClient } from '@ai-sdk/mcp'
import { createMcpClient } from '@genkit-ai/mcp'
import { MultiServerMCPClient } from '@langchain/mcp-adapters'
import { getAllMcpTools, MCPServerStreamableHttp } from '@openai/agents-core'
import { genkit } from 'genkit'
import { names, origin } from '../server.mjs'

const url = `${origin}/mcp`
const toolCallId = '1'
const ai = await (await createMCPClient({ transport: { type: 'http', url } })).tools()
const langchain = await new MultiServerMCPClient({ mcpServers: { x: { transport: 'http', url } } }).getTools()
const openai = new MCPServerStreamableHttp({ url, name: 'x' })
await openai.connect()
const openaiTools = await getAllMcpTools([openai])
const host = createMcpClient({ name: 'x', mcpServer: { url } })
await host.ready()
const genkitTools = await host.getActiveTools(genkit({}))
const find = (tools, name) => tools.find((tool) => (tool.__action?.name ?? tool.name).endsWith(name))
const calls = {
  ai: async (name) => (await ai[name].toModelOutput({ toolCallId, input: {}, output: await ai[name].execute({}, { toolCallId, messages: [] }) })).value,
  langchain: async (name) => (await find(langchain, name).invoke({ name, args: {}, id: toolCallId, type: 'tool_call' })).content,
  openai: (name) => find(openaiTools, name).invoke({ context: {} }, '{}'),
  genkit: (name) => find(genkitTools, name)({}),
}
export const heard = {}
for (const [library, call] of Object.entries(calls)) {
  heard[library] = {}
  for (const name of names) heard[library][name] = JSON.stringify(await call(name).catch((error) => ({ error: error.message })))
}
PROBE
cat >probe.mjs <<'PROBE'
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { heard } from './libraries/libraries.mjs'
import { origin, told } from './server.mjs'

const home = join(process.cwd(), 'home')
const project = join(home, 'project')
const url = `${origin}/mcp`
const local = { npm: '@ai-sdk/openai-compatible', options: { baseURL: `${origin}/v1`, apiKey: 'example' }, models: { m: { name: 'm', tool_call: true } } }
const files = {
  '.claude.json': { mcpServers: { x: { type: 'http', url } } },
  '.gemini/settings.json': {
    security: { folderTrust: { enabled: false }, auth: { selectedType: 'gemini-api-key' } },
    mcpServers: { x: { httpUrl: url, trust: true } },
  },
  '.qwen/settings.json': {
    security: { auth: { selectedType: 'openai' } },
    tools: { toolSearch: { enabled: false } },
    mcpServers: { x: { httpUrl: url, trust: true } },
  },
  'project/opencode.json': {
    model: 'local/m',
    small_model: 'local/m',
    provider: { local },
    permission: { '*': 'allow' },
    mcp: { x: { type: 'remote', url, enabled: true, oauth: false } },
  },
  '.codex/config.toml': `model = "m"
model_provider = "local"
[model_providers.local]
name = "local"
base_url = "${origin}/v1"
env_key = "OPENAI_API_KEY"
wire_api = "responses"
[mcp_servers.x]
url = "${url}"
`,
}
for (const [name, content] of Object.entries(files)) {
  mkdirSync(dirname(join(home, name)), { recursive: true })
  writeFileSync(join(home, name), typeof content === 'string' ? content : JSON.stringify(content))
}
mkdirSync(project, { recursive: true })
const env = {
  PATH: `${join(process.cwd(), 'node_modules/.bin')}:${process.env.PATH}`,
  HOME: home,
  ANTHROPIC_BASE_URL: origin,
  ANTHROPIC_API_KEY: 'example',
  CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
  ENABLE_TOOL_SEARCH: 'false',
  GOOGLE_GEMINI_BASE_URL: origin,
  GEMINI_API_KEY: 'example',
  OPENAI_BASE_URL: `${origin}/v1`,
  OPENAI_API_KEY: 'example',
  OPENAI_MODEL: 'm',
}
const commands = {
  claude: 'claude -p go --model m --allowedTools mcp__x',
  codex: 'codex exec --skip-git-repo-check --dangerously-bypass-approvals-and-sandbox go',
  gemini: 'gemini -m gemini-2.5-flash -y -p go',
  qwen: 'qwen -y -p go',
  opencode: 'opencode run go',
}
for (const [name, line] of Object.entries(commands)) {
  for (const tool of Object.keys(told)) delete told[tool]
  const [program, ...args] = line.split(' ')
  await once(spawn(program, args, { cwd: project, env, stdio: 'ignore', timeout: 120_000 }), 'close')
  heard[name] = { ...told }
}
// Of what the model was told: the text, the number, that it was an error, or nothing.
const parts = { text: /TEXT/, number: /\\*"n\\*":(7|\\*"seven)/, error: /is_error":true|error/i }
const seen = {}
for (const [name, results] of Object.entries(heard)) {
  seen[name] = Object.entries(results).map(([tool, said]) => {
    const found = Object.keys(parts).filter((part) => parts[part].test(said))
    return `${tool}: ${found.join('+') || 'nothing'}`
  }).join(', ')
}
console.log(seen)
assert.deepEqual(seen, {
  claude: 'both: number, only: number, refused: text+error, wrong: number',
  codex: 'both: number, only: number, refused: number, wrong: number',
  genkit: 'both: number, only: number, refused: text+error, wrong: error',
  gemini: 'both: text, only: nothing, refused: text+number+error, wrong: error',
  opencode: 'both: text, only: number, refused: text, wrong: error',
  ai: 'both: text, only: nothing, refused: text, wrong: text',
  openai: 'both: text, only: nothing, refused: text, wrong: error',
  langchain: 'both: text+number, only: nothing, refused: text+error, wrong: error',
  qwen: 'both: text+number, only: number, refused: text+number+error, wrong: text+number',
})
console.log('ok')
process.exit(0)
PROBE
node probe.mjs
