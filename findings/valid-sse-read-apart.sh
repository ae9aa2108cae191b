#!/usr/bin/env bash
# Guess:   clients of models read server-sent events by the WHATWG rules: `id:`, `retry:` and a name that nobody listens to change
#          nothing, an event without data is passed over, lines end in CR as well, data may take several lines.
# Real:    @google/genai gives an empty answer without an error when its events carry `id:` or `event: message`; openai and groq-sdk
#          raise on an event that has a name only; @mistralai/mistralai and the AI SDK for OpenAI's chat raise on an event of
#          another name, which openai hands to the caller as a piece of the answer; cohere-ai and @google/genai raise on data in two
#          lines, and cohere-ai gives an empty answer for lines that end in CR. Of these only a `retry:` that stands alone passes everywhere.
# Version: openai 7.59.0, groq-sdk 1.6.0, @anthropic-ai/sdk 1.14.0, @mistralai/mistralai 2.7.0, cohere-ai 8.1.0, @google/genai 3.3.0,
#          ai 7.0.173 with @ai-sdk/openai 4.0.118
# Matters: a proxy that parses a stream and writes it anew loses answers though both are valid: a vendor's bytes pass as they
#          are, and a sign of life is a comment on its own, never a named event.
# Seen:    the table at the end of the probe
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts openai@7.59.0 groq-sdk@1.6.0 @anthropic-ai/sdk@1.14.0 \
  @mistralai/mistralai@2.7.0 cohere-ai@8.1.0 @google/genai@3.3.0 ai@7.0.173 @ai-sdk/openai@4.0.118 zod@4.6.7 >/dev/null
cat >probe.mjs <<'PROBE'
import assert from 'node:assert/strict'
import http from 'node:http'
import { createOpenAI } from '@ai-sdk/openai'
import Anthropic from '@anthropic-ai/sdk'
import { GoogleGenAI } from '@google/genai'
import { Mistral } from '@mistralai/mistralai'
import { streamText } from 'ai'
import { CohereClientV2 } from 'cohere-ai'
import Groq from 'groq-sdk'
import OpenAI from 'openai'

// openai and groq write the event they cannot read to the console.
console.error = () => {}
const event = (data) => `data: ${JSON.stringify(data)}\n\n`
const named = (data) => `event: ${data.type}\n${event(data)}`
const chunk = (content, finish_reason = null) =>
  event({ id: 'c1', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [{ index: 0, delta: { role: 'assistant', content }, finish_reason }] })
const candidate = (text, more) => event({ candidates: [{ index: 0, content: { role: 'model', parts: [{ text }] }, ...more }] })
const forms = {
  openai: [chunk('one '), chunk('two'), chunk('', 'stop'), 'data: [DONE]\n\n'],
  google: [candidate('one '), candidate('two', { finishReason: 'STOP' })],
  anthropic: [
    named({ type: 'message_start', message: { id: 'm1', type: 'message', role: 'assistant', model: 'm', content: [], stop_reason: null, usage: { input_tokens: 1, output_tokens: 1 } } }),
    named({ type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } }),
    named({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'one ' } }),
    named({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'two' } }),
    named({ type: 'content_block_stop', index: 0 }),
    named({ type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 2 } }),
    named({ type: 'message_stop' }),
  ],
  cohere: [
    named({ type: 'message-start', id: '1', delta: { message: { role: 'assistant', content: [] } } }),
    named({ type: 'content-start', index: 0, delta: { message: { content: { type: 'text', text: '' } } } }),
    named({ type: 'content-delta', index: 0, delta: { message: { content: { text: 'one ' } } } }),
    named({ type: 'content-delta', index: 0, delta: { message: { content: { text: 'two' } } } }),
    named({ type: 'content-end', index: 0 }),
    named({ type: 'message-end', delta: { finish_reason: 'COMPLETE' } }),
  ],
}
// The same events, written in other ways that the rules for event streams allow.
const ways = {
  retry: (events) => ['retry: 3000\n\n', ...events],
  id: (events) => events.map((text, i) => `id: ${i}\n${text}`),
  message: (events) => events.map((text) => (text.startsWith('event:') ? text : `event: message\n${text}`)),
  'name only': (events) => ['event: keepalive\n\n', ...events],
  ping: (events) => ['event: ping\ndata: {"type":"ping"}\n\n', ...events],
  'two lines': (events) => events.map((text) => text.replace(',"', ',\ndata: "')),
  CR: (events) => events.map((text) => text.replaceAll('\n', '\r')),
}
let pieces
const server = http.createServer((req, res) => {
  req.resume()
  res.writeHead(200, { 'content-type': 'text/event-stream' })
  res.end(pieces.join(''))
})
await new Promise((done) => server.listen(0, '127.0.0.1', done))
const base = `http://127.0.0.1:${server.address().port}`
const apiKey = 'example'
const ask = { model: 'm', messages: [{ role: 'user', content: 'hi' }] }
const stream = { ...ask, stream: true }
const ofChoice = (part) => part.choices?.[0]?.delta.content
const calls = {
  openai: ['openai', ofChoice, () => new OpenAI({ apiKey, baseURL: `${base}/v1` }).chat.completions.create(stream)],
  groq: ['openai', ofChoice, () => new Groq({ apiKey, baseURL: base }).chat.completions.create(stream)],
  anthropic: ['anthropic', (part) => part.delta?.text, () => new Anthropic({ apiKey, baseURL: base }).messages.create({ ...stream, max_tokens: 9 })],
  mistral: ['openai', (part) => ofChoice(part.data), () => new Mistral({ apiKey, serverURL: base }).chat.stream(ask)],
  cohere: ['cohere', (part) => part.delta?.message?.content?.text, () => new CohereClientV2({ token: apiKey, environment: base }).chatStream(ask)],
  genai: ['google', (part) => part.text, () => new GoogleGenAI({ apiKey, httpOptions: { baseUrl: base } }).models.generateContentStream({ model: 'm', contents: 'hi' })],
  ai: [
    'openai',
    (part) => {
      if (part.type === 'error') throw part.error
      return part.text
    },
    () => streamText({ model: createOpenAI({ apiKey, baseURL: `${base}/v1` }).chat('m'), messages: ask.messages, maxRetries: 0, onError() {} }).fullStream,
  ],
}
const seen = {}
for (const [name, [form, textOf, call]] of Object.entries(calls)) {
  const odd = []
  for (const [way, write] of Object.entries(ways)) {
    pieces = write(forms[form])
    let text = ''
    try {
      for await (const part of await call()) text += textOf(part) ?? ''
      if (text !== 'one two') odd.push(`${way}: ${text === '' ? 'empty' : text}`)
    } catch {
      odd.push(`${way}: raised`)
    }
  }
  seen[name] = odd.join(', ')
  console.log(name, '|', seen[name])
}
assert.deepEqual(seen, {
  openai: 'name only: raised',
  groq: 'name only: raised',
  anthropic: '',
  mistral: 'ping: raised',
  cohere: 'two lines: raised, CR: empty',
  genai: 'id: empty, message: empty, two lines: raised',
  ai: 'ping: raised',
})
console.log('ok')
process.exit(0)
PROBE
node probe.mjs
