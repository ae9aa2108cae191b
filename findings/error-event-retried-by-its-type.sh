#!/usr/bin/env bash
# Guess:   an error event in a stream (`data: {"error":{…}}`) is what its SDK throws, once: the answer had begun with 200.
# Real:    the AI SDK asks three times when nothing but the error came, and decides by words in its `type` and `code`: any that it
#          does not know are a 500. With `permission_error` it asks once. @mistralai/mistralai and cohere-ai fail on the form
#          of the event, and never show its message. Comments before it (`: …` and a blank line) are read over by all.
# Version: ai 7.0.173 with @ai-sdk/openai 4.0.118, openai 7.59.0, @mistralai/mistralai 2.7.0, cohere-ai 8.1.0
# Matters: a stream that waited for a person and was denied would ask the person again, twice.
# Seen:    requests with type oauth3_error: ai 3, openai 1, mistral 1, cohere 1; with permission_error: ai 1
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts ai@7.0.173 @ai-sdk/openai@4.0.118 openai@7.59.0 \
  @mistralai/mistralai@2.7.0 cohere-ai@8.1.0 zod@4 >/dev/null
cat >probe.mjs <<'PROBE'
import assert from 'node:assert/strict'
import http from 'node:http'
import { createOpenAI } from '@ai-sdk/openai'
import { Mistral } from '@mistralai/mistralai'
import { streamText } from 'ai'
import { CohereClientV2 } from 'cohere-ai'
import OpenAI from 'openai'

// Pauses between attempts are cut short.
const original = globalThis.setTimeout
globalThis.setTimeout = (work, ms = 0, ...rest) => original(work, ms >= 500 ? 20 : ms, ...rest)

let type, requests
const server = http.createServer((req, res) => {
  requests += 1
  req.resume()
  res.writeHead(200, { 'content-type': 'text/event-stream' })
  res.write(': waiting\n\n: waiting\n\n')
  res.end(`data: ${JSON.stringify({ error: { message: 'a person said no', type, param: null, code: 'denied' } })}\n\n`)
})
await new Promise((done) => server.listen(0, '127.0.0.1', done))
const base = `http://127.0.0.1:${server.address().port}`
const messages = [{ role: 'user', content: 'hi' }]
const apiKey = 'example'
const drain = async (stream) => {
  for await (const _ of stream);
}
const calls = {
  ai: async () => {
    const { fullStream } = streamText({ model: createOpenAI({ apiKey, baseURL: `${base}/v1` }).chat('m'), messages, onError() {} })
    for await (const part of fullStream) if (part.type === 'error') throw part.error
  },
  openai: async () =>
    drain(await new OpenAI({ apiKey, baseURL: `${base}/v1` }).chat.completions.create({ model: 'm', messages, stream: true })),
  mistral: async () => drain(await new Mistral({ apiKey, serverURL: base }).chat.stream({ model: 'm', messages })),
  cohere: async () => drain(await new CohereClientV2({ token: apiKey, environment: base }).chatStream({ model: 'm', messages })),
}
const seen = {}
for (type of ['oauth3_error', 'permission_error']) {
  for (const [name, call] of Object.entries(calls)) {
    requests = 0
    const error = await call().then(
      () => null,
      (thrown) => thrown,
    )
    seen[`${name}, ${type}`] = [requests, error !== null, String(error?.message).includes('a person said no')]
  }
}
console.log(seen)
assert.deepEqual(seen, {
  'ai, oauth3_error': [3, true, true],
  'openai, oauth3_error': [1, true, true],
  'mistral, oauth3_error': [1, true, false],
  'cohere, oauth3_error': [1, true, false],
  'ai, permission_error': [1, true, true],
  'openai, permission_error': [1, true, true],
  'mistral, permission_error': [1, true, false],
  'cohere, permission_error': [1, true, false],
})
server.close()
console.log('ok')
process.exit(0)
PROBE
node probe.mjs
