#!/usr/bin/env bash
# Guess:   a tool call in an answer that was cut (`finish_reason` length or `max_tokens`, or a stream that ends before it names one) is run by
#          no framework: what its arguments were going to be is not known.
# Real:    LangChain runs it, and closes the JSON of a streamed one by itself: of `{"n":100}`, cut behind the 1, the tool gets n = 1, with
#          OpenAI's and with Anthropic's models. OpenAI's agents and Mastra run it when the JSON happens to be whole, and so does LangChain
#          for a plain answer. The AI SDK, the tool runners of openai and @anthropic-ai/sdk, and Strands never run it.
# Version: langchain 1.5.14 with @langchain/openai 1.6.0 and @langchain/anthropic 1.5.11, @openai/agents 0.20.0, @mastra/core 1.71.0,
#          ai 7.0.173 with @ai-sdk/openai 4.0.118, openai 7.59.0, @anthropic-ai/sdk 1.14.0, @strands-agents/sdk 1.19.0
# Matters: a proxy that ends a stream (a limit, a vendor that falls silent) and closes it in good order turns half a call into one that
#          is run. After an error event, or when the connection is broken off, none of the eight runs it.
# Seen:    the table at the end of the probe: how often the tool ran, and with which n
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts --legacy-peer-deps langchain@1.5.14 @langchain/core@1.4.0 \
  @langchain/langgraph@1.7.3 @langchain/langgraph-checkpoint@1.2.2 @langchain/openai@1.6.0 @langchain/anthropic@1.5.11 @openai/agents@0.20.0 \
  @mastra/core@1.71.0 ai@7.0.173 @ai-sdk/openai@4.0.118 openai@7.59.0 @anthropic-ai/sdk@1.14.0 @strands-agents/sdk@1.19.0 \
  @modelcontextprotocol/sdk@1.32.2 @opentelemetry/api@1.10.0 zod@4.6.7 >/dev/null
cat >probe.mjs <<'PROBE'
import assert from 'node:assert/strict'
import http from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { createOpenAI } from '@ai-sdk/openai'
import Anthropic from '@anthropic-ai/sdk'
import { betaTool } from '@anthropic-ai/sdk/helpers/beta/json-schema'
import { ChatAnthropic } from '@langchain/anthropic'
import { ChatOpenAI } from '@langchain/openai'
import { Agent as MastraAgent } from '@mastra/core/agent'
import { createTool } from '@mastra/core/tools'
import { Agent, run, setDefaultOpenAIClient, setOpenAIAPI, setTracingDisabled, tool as agentTool } from '@openai/agents'
import { Agent as StrandsAgent, FunctionTool } from '@strands-agents/sdk'
import { OpenAIModel } from '@strands-agents/sdk/models/openai'
import { generateText, jsonSchema, stepCountIs, streamText, tool } from 'ai'
import { createAgent, tool as chainTool } from 'langchain'
import OpenAI from 'openai'
import { z } from 'zod'

// The arguments of the one call, and how the answer ends: with a reason, without one, with an error event, or broken off.
let args, ending
const reasons = { length: 'max_tokens', tool_calls: 'tool_use' }
const error = { type: 'api_error', message: 'stopped' }
const sse = (events) => events.map((data) => `${data.type ? `event: ${data.type}\n` : ''}data: ${JSON.stringify(data)}\n\n`).join('')
function completions({ stream, messages }) {
  const done = messages.some(({ role }) => role === 'tool')
  const tool_calls = [{ index: 0, id: 'call_a', type: 'function', function: { name: 'pay', arguments: args } }]
  const message = { role: 'assistant', ...(done ? { content: 'done' } : { content: null, tool_calls }) }
  const finish = done ? 'stop' : ending in reasons ? ending : undefined
  const head = { id: 'c', created: 1, model: 'm' }
  const usage = { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 }
  if (!stream)
    return JSON.stringify({ ...head, object: 'chat.completion', choices: [{ index: 0, message, finish_reason: finish, logprobs: null }], usage })
  const chunk = (delta, finish_reason) => ({ ...head, object: 'chat.completion.chunk', choices: [{ index: 0, delta, finish_reason }] })
  if (finish) return `${sse([chunk(message, null), chunk({}, finish)])}data: [DONE]\n\n`
  return sse([chunk(message, null), ...(ending === 'error' ? [{ error }] : [])])
}
function messages({ stream, messages }) {
  const done = JSON.stringify(messages).includes('tool_result')
  const stop_reason = done ? 'end_turn' : reasons[ending]
  const usage = { input_tokens: 1, output_tokens: 1 }
  const message = { id: 'm', type: 'message', role: 'assistant', model: 'm', content: [], stop_reason: null, stop_sequence: null, usage }
  const call = { type: 'tool_use', id: 'toolu_a', name: 'pay', input: {} }
  if (!stream) {
    const content = [done ? { type: 'text', text: 'done' } : { ...call, input: JSON.parse(args) }]
    return JSON.stringify({ ...message, content, stop_reason })
  }
  const [content_block, delta] = done
    ? [{ type: 'text', text: '' }, { type: 'text_delta', text: 'done' }]
    : [call, { type: 'input_json_delta', partial_json: args }]
  const start = [
    { type: 'message_start', message },
    { type: 'content_block_start', index: 0, content_block },
    { type: 'content_block_delta', index: 0, delta },
  ]
  const end = [
    { type: 'content_block_stop', index: 0 },
    { type: 'message_delta', delta: { stop_reason, stop_sequence: null }, usage },
    { type: 'message_stop' },
  ]
  return sse([...start, ...(stop_reason ? end : ending === 'error' ? [{ type: 'error', error }] : [])])
}
const server = http.createServer(async (req, res) => {
  let raw = ''
  for await (const part of req) raw += part
  const body = JSON.parse(raw)
  const answer = req.url.includes('/messages') ? messages : completions
  res.writeHead(200, { 'content-type': body.stream ? 'text/event-stream' : 'application/json' })
  if (ending !== 'broken') return res.end(answer(body))
  res.write(answer(body))
  await sleep(300)
  res.destroy()
})
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
const origin = `http://127.0.0.1:${server.address().port}`

let ran
const pay = ({ n }) => {
  ran.push(n)
  return 'paid'
}
const apiKey = 'example'
const maxRetries = 0
const baseURL = `${origin}/v1`
const about = { name: 'pay', description: 'Pays.' }
const schema = { type: 'object', properties: { n: { type: 'number' } }, required: ['n'], additionalProperties: false }
const ask = { model: 'm', messages: [{ role: 'user', content: 'hi' }] }
const drain = async (stream) => {
  for await (const _ of await stream);
}
const openai = new OpenAI({ apiKey, baseURL, maxRetries })
const runnable = { type: 'function', function: { ...about, parameters: schema, parse: JSON.parse, function: pay } }
const runTools = (more) => openai.chat.completions.runTools({ ...ask, tools: [runnable], ...more }).done()
const runner = new Anthropic({ apiKey, baseURL: origin, maxRetries }).beta.messages
const beta = { ...ask, max_tokens: 9, tools: [betaTool({ ...about, inputSchema: schema, run: pay })] }
setDefaultOpenAIClient(openai)
setOpenAIAPI('chat_completions')
setTracingDisabled(true)
const agent = new Agent({ name: 'a', model: 'm', tools: [agentTool({ ...about, parameters: schema, execute: pay })] })
const model = createOpenAI({ apiKey, baseURL }).chat('m')
const steps = { model, prompt: 'hi', tools: { pay: tool({ inputSchema: jsonSchema(schema), execute: pay }) }, stopWhen: stepCountIs(3), maxRetries }
const mastraTool = createTool({ id: 'pay', description: 'Pays.', inputSchema: z.object({ n: z.number() }), execute: async (input) => pay(input) })
const mastra = () => new MastraAgent({ id: 'a', name: 'a', instructions: 'Pay.', model, tools: { pay: mastraTool } })
const strandsModel = () => new OpenAIModel({ api: 'chat', apiKey, modelId: 'm', clientConfig: { baseURL, maxRetries } })
const strandsTool = new FunctionTool({ ...about, inputSchema: schema, callback: pay })
const chain = (chat) => {
  const agent = createAgent({ model: chat, tools: [chainTool(pay, { ...about, schema })] })
  return [() => agent.invoke(ask), () => drain(agent.stream(ask, { streamMode: 'messages' }))]
}
// Of each a plain and a streamed run; Strands has streams only.
const loops = {
  'langchain openai': chain(new ChatOpenAI({ apiKey, model: 'm', maxRetries, configuration: { baseURL } })),
  'langchain anthropic': chain(new ChatAnthropic({ apiKey, model: 'm', maxRetries, anthropicApiUrl: origin })),
  'openai agents': [() => run(agent, 'hi', { maxTurns: 3 }), async () => drain(await run(agent, 'hi', { stream: true, maxTurns: 3 }))],
  mastra: [() => mastra().generate('hi', { maxSteps: 3 }), async () => drain((await mastra().stream('hi', { maxSteps: 3 })).fullStream)],
  ai: [() => generateText(steps), () => drain(streamText({ ...steps, onError() {} }).fullStream)],
  openai: [() => runTools(), () => runTools({ stream: true })],
  anthropic: [
    () => runner.toolRunner(beta).runUntilDone(),
    async () => {
      for await (const stream of runner.toolRunner({ ...beta, stream: true })) await drain(stream)
    },
  ],
  strands: [undefined, () => new StrandsAgent({ printer: false, model: strandsModel(), tools: [strandsTool] }).invoke('hi')],
}
const whole = '{"n":100}'
const half = '{"n":1'
const answers = {
  'plain, length, whole': [0, whole, 'length'],
  'stream, length, whole': [1, whole, 'length'],
  'stream, length, half': [1, half, 'length'],
  'stream, no reason, whole': [1, whole, undefined],
  'stream, no reason, half': [1, half, undefined],
  'stream, error event, whole': [1, whole, 'error'],
  'stream, broken off, whole': [1, whole, 'broken'],
}
const seen = {}
const start = async (loop, json, why) => {
  ;[args, ending, ran] = [json, why, []]
  await loop().catch(() => {})
  return ran.length === 0 ? 'not run' : `n = ${ran}`
}
for (const [name, modes] of Object.entries(loops)) {
  for (const loop of modes) if (loop) assert.equal(await start(loop, whole, 'tool_calls'), 'n = 100', `${name} runs a call that was not cut`)
  seen[name] = {}
  for (const [answer, [mode, json, why]] of Object.entries(answers)) if (modes[mode]) seen[name][answer] = await start(modes[mode], json, why)
  console.log(name, seen[name])
}
const notRun = Object.fromEntries(Object.keys(answers).map((answer) => [answer, 'not run']))
const ifWhole = {
  ...notRun,
  'plain, length, whole': 'n = 100',
  'stream, length, whole': 'n = 100',
  'stream, no reason, whole': 'n = 100',
}
const closed = { ...ifWhole, 'stream, length, half': 'n = 1', 'stream, no reason, half': 'n = 1' }
const { 'plain, length, whole': _, ...streams } = notRun
assert.deepEqual(seen, {
  'langchain openai': closed,
  'langchain anthropic': closed,
  'openai agents': ifWhole,
  mastra: ifWhole,
  ai: notRun,
  openai: notRun,
  anthropic: notRun,
  strands: streams,
})
console.log('ok')
process.exit(0)
PROBE
node probe.mjs
