#!/usr/bin/env bash
# Guess:   `break` out of `for await (… of stream)` closes the connection in every SDK for models, so the vendor stops writing.
# Real:    openai, @anthropic-ai/sdk, @mistralai/mistralai and cohere-ai do so; @google/genai, ollama, the AI SDK and
#          @langchain/google-genai leave it open and let the answer come to its end, with nobody to read it.
# Version: openai 7.59.0, @anthropic-ai/sdk 1.14.0, @mistralai/mistralai 2.7.0, cohere-ai 8.1.0, @google/genai 3.3.0, ollama 0.6.4,
#          ai 7.0.173 with @ai-sdk/openai 4.0.118, @langchain/google-genai 2.3.2
# Matters: a client's disconnect cannot be the only thing that ends a stream: what a program stopped reading is still
#          written, paid for and counted as a request under way, until its end or a limit of the proxy's own.
# Seen:    closed: openai, anthropic, mistral, cohere · whole answer taken after the break: genai, ollama, ai, langchain google
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts openai@7.59.0 @anthropic-ai/sdk@1.14.0 @mistralai/mistralai@2.7.0 \
  cohere-ai@8.1.0 @google/genai@3.3.0 ollama@0.6.4 ai@7.0.173 @ai-sdk/openai@4.0.118 \
  @langchain/core@1.4.0 @langchain/google-genai@2.3.2 zod@4.6.7 >/dev/null
cat >probe.mjs <<'PROBE'
import assert from 'node:assert/strict'
import http from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { createOpenAI } from '@ai-sdk/openai'
import Anthropic from '@anthropic-ai/sdk'
import { GoogleGenAI } from '@google/genai'
import { ChatGoogleGenerativeAI } from '@langchain/google-genai'
import { Mistral } from '@mistralai/mistralai'
import { streamText } from 'ai'
import { CohereClientV2 } from 'cohere-ai'
import { Ollama } from 'ollama'
import OpenAI from 'openai'

const event = (data) => `data: ${JSON.stringify(data)}\n\n`
const named = (data) => `event: ${data.type}\n${event(data)}`
const chunk = (content, finish_reason = null) =>
  event({ id: 'c1', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [{ index: 0, delta: { role: 'assistant', content }, finish_reason }] })
const candidate = (more) => event({ candidates: [{ index: 0, content: { role: 'model', parts: [{ text: 'a ' }] }, ...more }] })
const line = (more) => `${JSON.stringify({ model: 'm', created_at: '2026-01-01T00:00:00Z', message: { role: 'assistant', content: 'a ' }, done: false, ...more })}\n`
// A beginning, a piece that comes forty times, an end: as each vendor writes them.
const forms = {
  openai: ['', chunk('a '), `${chunk('', 'stop')}data: [DONE]\n\n`],
  google: ['', candidate(), candidate({ finishReason: 'STOP' })],
  ollama: ['', line(), line({ done: true, done_reason: 'stop' })],
  anthropic: [
    named({ type: 'message_start', message: { id: 'm1', type: 'message', role: 'assistant', model: 'm', content: [], stop_reason: null, usage: { input_tokens: 1, output_tokens: 1 } } }) +
      named({ type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } }),
    named({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'a ' } }),
    named({ type: 'content_block_stop', index: 0 }) +
      named({ type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 40 } }) +
      named({ type: 'message_stop' }),
  ],
  cohere: [
    named({ type: 'message-start', id: '1', delta: { message: { role: 'assistant', content: [] } } }) +
      named({ type: 'content-start', index: 0, delta: { message: { content: { type: 'text', text: '' } } } }),
    named({ type: 'content-delta', index: 0, delta: { message: { content: { text: 'a ' } } } }),
    named({ type: 'message-end', delta: { finish_reason: 'COMPLETE' } }),
  ],
}
let form, ended
const server = http.createServer(async (req, res) => {
  req.resume()
  let closed = false
  res.on('close', () => (closed = true))
  res.writeHead(200, { 'content-type': form === 'ollama' ? 'application/x-ndjson' : 'text/event-stream' })
  const [start, piece, end] = forms[form]
  res.write(start || piece)
  for (let i = 0; i < 40 && !closed; i += 1) {
    res.write(piece)
    await sleep(50)
  }
  ended(closed ? 'closed' : 'whole')
  if (!closed) res.end(end)
})
await new Promise((done) => server.listen(0, '127.0.0.1', done))
const base = `http://127.0.0.1:${server.address().port}`
const apiKey = 'example'
const messages = [{ role: 'user', content: 'hi' }]
const calls = {
  openai: ['openai', () => new OpenAI({ apiKey, baseURL: `${base}/v1` }).chat.completions.create({ model: 'm', messages, stream: true })],
  anthropic: ['anthropic', () => new Anthropic({ apiKey, baseURL: base }).messages.create({ model: 'm', max_tokens: 99, messages, stream: true })],
  mistral: ['openai', () => new Mistral({ apiKey, serverURL: base }).chat.stream({ model: 'm', messages })],
  cohere: ['cohere', () => new CohereClientV2({ token: apiKey, environment: base }).chatStream({ model: 'm', messages })],
  genai: ['google', () => new GoogleGenAI({ apiKey, httpOptions: { baseUrl: base } }).models.generateContentStream({ model: 'm', contents: 'hi' })],
  ollama: ['ollama', () => new Ollama({ host: base }).chat({ model: 'm', messages, stream: true })],
  ai: ['openai', () => streamText({ model: createOpenAI({ apiKey, baseURL: `${base}/v1` }).chat('m'), messages }).textStream],
  'langchain google': ['google', () => new ChatGoogleGenerativeAI({ apiKey, model: 'm', baseUrl: base }).stream('hi')],
}
const seen = {}
for (const [name, [vendor, call]] of Object.entries(calls)) {
  form = vendor
  const outcome = new Promise((done) => (ended = done))
  let read = 0
  for await (const _ of await call()) {
    read += 1
    if (read === 2) break
  }
  seen[name] = await outcome
  console.log(name, seen[name])
}
assert.deepEqual(seen, {
  openai: 'closed',
  anthropic: 'closed',
  mistral: 'closed',
  cohere: 'closed',
  genai: 'whole',
  ollama: 'whole',
  ai: 'whole',
  'langchain google': 'whole',
})
console.log('ok')
process.exit(0)
PROBE
node probe.mjs
