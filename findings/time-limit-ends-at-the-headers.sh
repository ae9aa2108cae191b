#!/usr/bin/env bash
# Guess:   `timeout` of an SDK bounds the whole call: an answer that takes longer raises, and SDKs made by one generator agree.
# Real:    for @anthropic-ai/sdk, groq-sdk and cohere-ai it ends when the headers have come: a body may take any time. openai
#          of the same family holds a plain answer to it and a stream not. @mistralai/mistralai (plain), @google/genai and the
#          AI SDK count to the last byte, and comments in a stream change nothing; `textStream` of the AI SDK then ends in
#          the middle of the answer like a whole one, without an error.
# Version: openai 7.59.0, @anthropic-ai/sdk 1.14.0, groq-sdk 1.6.0, cohere-ai 8.1.0, @mistralai/mistralai 2.7.0, @google/genai 3.3.0,
#          ai 7.0.173 with @ai-sdk/openai 4.0.118
# Matters: a vendor that falls silent after its headers holds calls of half of the clients far beyond their limit: the idle
#          time-out has to be the proxy's. And comments that keep a waiting stream open do so for the other half only until then.
# Seen:    limit 0.7 s, headers at once, the rest after 1.75 s: the table at the end of the probe
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts openai@7.59.0 @anthropic-ai/sdk@1.14.0 groq-sdk@1.6.0 cohere-ai@8.1.0 \
  @mistralai/mistralai@2.7.0 @google/genai@3.3.0 ai@7.0.173 @ai-sdk/openai@4.0.118 zod@4.6.7 >/dev/null
cat >probe.mjs <<'PROBE'
import assert from 'node:assert/strict'
import http from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { createOpenAI } from '@ai-sdk/openai'
import Anthropic from '@anthropic-ai/sdk'
import { GoogleGenAI } from '@google/genai'
import { Mistral } from '@mistralai/mistralai'
import { generateText, streamText } from 'ai'
import { CohereClientV2 } from 'cohere-ai'
import Groq from 'groq-sdk'
import OpenAI from 'openai'

const usage = { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 }
const chat = (choice) => ({ id: 'c1', created: 1, model: 'm', choices: [{ index: 0, ...choice }] })
const event = (data) => `data: ${JSON.stringify(data)}\n\n`
const named = (data) => `event: ${data.type}\n${event(data)}`
const chunk = (content, finish_reason = null) =>
  event({ ...chat({ delta: { role: 'assistant', content }, finish_reason }), object: 'chat.completion.chunk' })
const candidates = (text, more) => ({ candidates: [{ index: 0, content: { role: 'model', parts: [{ text }] }, ...more }] })
const stop = { finishReason: 'STOP' }
// A plain answer, and the two halves of a streamed one, as each vendor writes them.
const forms = {
  openai: [
    { ...chat({ message: { role: 'assistant', content: 'one two' }, finish_reason: 'stop' }), object: 'chat.completion', usage },
    chunk('one '),
    `${chunk('two', 'stop')}data: [DONE]\n\n`,
  ],
  google: [candidates('one two', stop), event(candidates('one ')), event(candidates('two', stop))],
  anthropic: [
    { id: 'm1', type: 'message', role: 'assistant', model: 'm', content: [{ type: 'text', text: 'one two' }], stop_reason: 'end_turn', usage: { input_tokens: 1, output_tokens: 2 } },
    named({ type: 'message_start', message: { id: 'm1', type: 'message', role: 'assistant', model: 'm', content: [], stop_reason: null, usage: { input_tokens: 1, output_tokens: 1 } } }),
    named({ type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 2 } }) + named({ type: 'message_stop' }),
  ],
  cohere: [
    { id: '1', finish_reason: 'COMPLETE', message: { role: 'assistant', content: [{ type: 'text', text: 'one two' }] } },
    named({ type: 'message-start', id: '1', delta: { message: { role: 'assistant', content: [] } } }),
    named({ type: 'message-end', delta: { finish_reason: 'COMPLETE' } }),
  ],
}
let form, mode
const server = http.createServer(async (req, res) => {
  req.resume()
  const [whole, first, last] = forms[form]
  res.writeHead(200, { 'content-type': mode === 'plain' ? 'application/json' : 'text/event-stream' })
  res.flushHeaders()
  if (mode === 'silence') res.write(first)
  for (let i = 0; i < 7; i += 1) {
    await sleep(250)
    if (mode === 'comments') res.write(': waiting\n\n')
  }
  res.end(mode === 'plain' ? JSON.stringify(whole) : mode === 'silence' ? last : first + last)
})
await new Promise((done) => server.listen(0, '127.0.0.1', done))
const base = `http://127.0.0.1:${server.address().port}`
const limit = { timeout: 700, maxRetries: 0 }
const apiKey = 'example'
const ask = { model: 'm', messages: [{ role: 'user', content: 'hi' }] }
const openai = new OpenAI({ apiKey, baseURL: `${base}/v1`, ...limit }).chat.completions
const anthropic = new Anthropic({ apiKey, baseURL: base, ...limit }).messages
const groq = new Groq({ apiKey, baseURL: base, ...limit }).chat.completions
const cohere = new CohereClientV2({ token: apiKey, environment: base, timeoutInSeconds: 0.7 })
const mistral = new Mistral({ apiKey, serverURL: base, timeoutMs: 700 }).chat
const genai = new GoogleGenAI({ apiKey, httpOptions: { baseUrl: base, timeout: 700 } }).models
const model = createOpenAI({ apiKey, baseURL: `${base}/v1` }).chat('m')
const calls = {
  openai: ['openai', () => openai.create(ask), () => openai.create({ ...ask, stream: true })],
  anthropic: ['anthropic', () => anthropic.create({ ...ask, max_tokens: 9 }), () => anthropic.create({ ...ask, max_tokens: 9, stream: true })],
  groq: ['openai', () => groq.create(ask), () => groq.create({ ...ask, stream: true })],
  cohere: ['cohere', () => cohere.chat(ask, { maxRetries: 0 }), () => cohere.chatStream(ask, { maxRetries: 0 })],
  mistral: ['openai', () => mistral.complete(ask)],
  genai: ['google', () => genai.generateContent({ model: 'm', contents: 'hi' }), () => genai.generateContentStream({ model: 'm', contents: 'hi' })],
  ai: ['openai', () => generateText({ model, prompt: 'hi', ...limit }), () => streamText({ model, prompt: 'hi', ...limit, onError() {} }).textStream],
}
const seen = {}
for (const [name, [vendor, plain, stream]] of Object.entries(calls)) {
  seen[name] = {}
  for (mode of stream ? ['plain', 'silence', 'comments'] : ['plain']) {
    form = vendor
    const start = performance.now()
    try {
      const answer = await (mode === 'plain' ? plain() : stream())
      if (mode !== 'plain') for await (const _ of answer);
      seen[name][mode] = performance.now() - start > 1700 ? 'whole' : 'ends early, no error'
    } catch {
      seen[name][mode] = 'raised'
    }
  }
  console.log(name, seen[name])
}
const whole = { plain: 'whole', silence: 'whole', comments: 'whole' }
const raised = { plain: 'raised', silence: 'raised', comments: 'raised' }
assert.deepEqual(seen, {
  openai: { ...whole, plain: 'raised' },
  anthropic: whole,
  groq: whole,
  cohere: whole,
  mistral: { plain: 'raised' },
  genai: raised,
  ai: { plain: 'raised', silence: 'ends early, no error', comments: 'ends early, no error' },
})
console.log('ok')
process.exit(0)
PROBE
node probe.mjs
