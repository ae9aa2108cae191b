#!/usr/bin/env bash
# Guess:   of the usage that a stream tells several times (Anthropic: in `message_start` and in each `message_delta`, documented as
#          cumulative; OpenAI's form: in each chunk at some vendors) every client takes the last; where it stands matters to none.
# Real:    LangChain adds Anthropic's output tokens up: 1, 2 and 300 are 303, and the input stays as `message_start` guessed it. The
#          others take the last. Of OpenAI's form Strands reads usage only from a chunk without choices: where it comes with the last
#          piece of the answer, as several vendors send it, a call costs 0 tokens. LangChain takes the last there.
# Version: @langchain/anthropic 1.5.11 and @langchain/openai 1.6.0 with @langchain/core 1.4.0, @strands-agents/sdk 1.19.0,
#          openai 7.59.0, @anthropic-ai/sdk 1.14.0, ai 7.0.173 with @ai-sdk/openai 4.0.118 and @ai-sdk/anthropic 4.0.105
# Matters: a program's own count is not the bill: a proxy that bounds tokens reads the stream itself, takes the last, and does not take
#          a difference to the program's figures for an error of its own.
# Seen:    the table at the end of the probe, input / output tokens
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts --legacy-peer-deps @langchain/anthropic@1.5.11 @langchain/openai@1.6.0 \
  @langchain/core@1.4.0 @strands-agents/sdk@1.19.0 @modelcontextprotocol/sdk@1.32.2 @opentelemetry/api@1.10.0 openai@7.59.0 \
  @anthropic-ai/sdk@1.14.0 ai@7.0.173 @ai-sdk/openai@4.0.118 @ai-sdk/anthropic@4.0.105 zod@4.6.7 >/dev/null
cat >probe.mjs <<'PROBE'
import assert from 'node:assert/strict'
import http from 'node:http'
import { createAnthropic } from '@ai-sdk/anthropic'
import { createOpenAI } from '@ai-sdk/openai'
import Anthropic from '@anthropic-ai/sdk'
import { ChatAnthropic } from '@langchain/anthropic'
import { ChatOpenAI } from '@langchain/openai'
import { Agent } from '@strands-agents/sdk'
import { AnthropicModel } from '@strands-agents/sdk/models/anthropic'
import { OpenAIModel } from '@strands-agents/sdk/models/openai'
import { streamText } from 'ai'
import OpenAI from 'openai'

const sse = (events) => events.map((data) => `${data.type ? `event: ${data.type}\n` : ''}data: ${JSON.stringify(data)}\n\n`).join('')
const tokens = (output) => ({ prompt_tokens: 10, completion_tokens: output, total_tokens: 10 + output })
const piece = (choices, usage) => ({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', choices, usage })
const choice = (content, finish_reason) => [{ index: 0, delta: { role: 'assistant', content }, finish_reason }]
const done = 'data: [DONE]\n\n'
const message = { id: 'm', type: 'message', role: 'assistant', model: 'm', content: [], stop_reason: null, stop_sequence: null }
const anthropic = (...usages) => sse([
  { type: 'message_start', message: { ...message, usage: { input_tokens: 10, output_tokens: 1 } } },
  { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
  { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'ok' } },
  { type: 'content_block_stop', index: 0 },
  ...usages.map((usage, index) => {
    const stop_reason = index === usages.length - 1 ? 'end_turn' : null
    return { type: 'message_delta', delta: { stop_reason, stop_sequence: null }, usage }
  }),
  { type: 'message_stop' },
])
const answers = {
  openai: {
    'behind the answer': sse([piece(choice('a', null), null), piece(choice('b', 'stop'), null), piece([], tokens(300))]) + done,
    'with each piece': sse([piece(choice('a', null), tokens(1)), piece(choice('b', 'stop'), tokens(300))]) + done,
  },
  anthropic: {
    'one delta': anthropic({ output_tokens: 300 }),
    'two deltas': anthropic({ output_tokens: 2 }, { input_tokens: 12, output_tokens: 300 }),
  },
}
let answer
const server = http.createServer((req, res) => {
  req.resume()
  res.writeHead(200, { 'content-type': 'text/event-stream' }).end(answer)
})
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
const origin = `http://127.0.0.1:${server.address().port}`
const baseURL = `${origin}/v1`
const own = { apiKey: 'example', maxRetries: 0 }
const ask = { model: 'm', messages: [{ role: 'user', content: 'hi' }] }
const openai = new OpenAI({ ...own, baseURL })
const claude = new Anthropic({ ...own, baseURL: origin })
const ai = async (model) => {
  const result = streamText({ model, prompt: 'hi', maxRetries: 0 })
  await result.consumeStream()
  const { inputTokens, outputTokens } = await result.usage
  return [inputTokens, outputTokens]
}
const chain = async (chat) => {
  let whole
  for await (const part of await chat.stream('hi')) whole = whole ? whole.concat(part) : part
  return [whole.usage_metadata.input_tokens, whole.usage_metadata.output_tokens]
}
const strands = async (model) => {
  const { accumulatedUsage } = (await new Agent({ printer: false, model }).invoke('hi')).metrics
  return [accumulatedUsage.inputTokens, accumulatedUsage.outputTokens]
}
const clients = {
  openai: {
    openai: async () => {
      const { usage } = await openai.chat.completions.stream({ ...ask, stream_options: { include_usage: true } }).finalChatCompletion()
      return [usage.prompt_tokens, usage.completion_tokens]
    },
    ai: () => ai(createOpenAI({ apiKey: 'example', baseURL }).chat('m')),
    langchain: () => chain(new ChatOpenAI({ ...own, model: 'm', configuration: { baseURL } })),
    strands: () => strands(new OpenAIModel({ api: 'chat', apiKey: 'example', modelId: 'm', clientConfig: { baseURL } })),
  },
  anthropic: {
    anthropic: async () => {
      const { usage } = await claude.messages.stream({ ...ask, max_tokens: 999 }).finalMessage()
      return [usage.input_tokens, usage.output_tokens]
    },
    ai: () => ai(createAnthropic({ apiKey: 'example', baseURL: origin })('m')),
    langchain: () => chain(new ChatAnthropic({ ...own, model: 'm', anthropicApiUrl: origin })),
    strands: () => strands(new AnthropicModel({ client: claude, modelId: 'm', maxTokens: 999 })),
  },
}
const seen = {}
for (const [vendor, forms] of Object.entries(answers)) {
  for (const [form, text] of Object.entries(forms)) {
    answer = text
    seen[form] = {}
    for (const [name, call] of Object.entries(clients[vendor])) seen[form][name] = (await call()).join(' / ')
    console.log(vendor, form, seen[form])
  }
}
const last = { ai: '10 / 300', langchain: '10 / 300', strands: '10 / 300' }
assert.deepEqual(seen, {
  'behind the answer': { ...last, openai: '10 / 300' },
  'with each piece': { ...last, openai: '10 / 300', strands: '0 / 0' },
  'one delta': { ...last, anthropic: '10 / 300', langchain: '10 / 301' },
  'two deltas': { anthropic: '12 / 300', ai: '12 / 300', langchain: '10 / 303', strands: '12 / 300' },
})
console.log('ok')
process.exit(0)
PROBE
node probe.mjs
