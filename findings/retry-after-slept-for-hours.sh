#!/usr/bin/env bash
# Guess:   SDKs made by one generator treat a long Retry-After alike: beyond a minute they fall back to their own short
#          delays, as openai documents it.
# Real:    openai does; groq-sdk, together-ai and @anthropic-ai/sdk of the same family sleep all of it, twice, and the
#          call stays open for 22 hours without a word. cohere-ai cuts it to 60 s. `x-should-retry: false`
#          ends the first four at once, and means nothing to cohere-ai and the AI SDK.
# Version: openai 7.59.0, groq-sdk 1.6.0, together-ai 0.52.0, @anthropic-ai/sdk 1.14.0, cohere-ai 8.1.0,
#          ai 7.0.173 with @ai-sdk/openai 4.0.118
# Matters: a proxy that says honestly when a daily limit ends puts its clients to sleep; it must not say so in that header.
# Seen:    429, Retry-After 40000: longest pause openai < 5 s · groq, together, anthropic 40000 s · cohere 60 s
#          · ai 4 s; with x-should-retry: false 1 request of openai, groq, together, anthropic, 3 of the others
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts openai@7.59.0 groq-sdk@1.6.0 together-ai@0.52.0 \
  @anthropic-ai/sdk@1.14.0 cohere-ai@8.1.0 ai@7.0.173 @ai-sdk/openai@4.0.118 zod@4 >/dev/null
cat >probe.mjs <<'PROBE'
import assert from 'node:assert/strict'
import http from 'node:http'
import { createOpenAI } from '@ai-sdk/openai'
import Anthropic from '@anthropic-ai/sdk'
import { generateText } from 'ai'
import { CohereClientV2 } from 'cohere-ai'
import Groq from 'groq-sdk'
import OpenAI from 'openai'
import Together from 'together-ai'

// Every timer is noted and cut short: pauses, and the time limits of requests, whose lengths are known.
const timers = []
const original = globalThis.setTimeout
globalThis.setTimeout = (work, ms = 0, ...rest) => {
  timers.push(Math.round(ms / 1000))
  return original(work, ms >= 100 ? 40 : ms, ...rest)
}
const REQUEST_LIMITS = [300, 600]

let headers, requests
const server = http.createServer((req, res) => {
  requests += 1
  req.resume()
  res.writeHead(429, { 'content-type': 'application/json', connection: 'close', ...headers })
  res.end('{"error":{"message":"the limit of this day is used up"}}')
})
await new Promise((done) => server.listen(0, '127.0.0.1', done))
const base = `http://127.0.0.1:${server.address().port}`
const chat = { model: 'm', max_tokens: 5, messages: [{ role: 'user', content: 'hi' }] }
const key = 'example'
const calls = {
  openai: () => new OpenAI({ apiKey: key, baseURL: `${base}/v1` }).chat.completions.create(chat),
  groq: () => new Groq({ apiKey: key, baseURL: base }).chat.completions.create(chat),
  together: () => new Together({ apiKey: key, baseURL: base }).chat.completions.create(chat),
  anthropic: () => new Anthropic({ apiKey: key, baseURL: base }).messages.create(chat),
  cohere: () => new CohereClientV2({ token: key, environment: base }).chat({ model: 'm', messages: chat.messages }),
  ai: () => generateText({ model: createOpenAI({ apiKey: key, baseURL: `${base}/v1` })('m'), prompt: 'hi' }),
}
const seen = {}
for (const [name, call] of Object.entries(calls)) {
  const counts = []
  for (const more of [{}, { 'x-should-retry': 'false' }]) {
    headers = { 'retry-after': '40000', ...more }
    requests = timers.length = 0
    await call().catch(() => {})
    counts.push(requests)
    if (Object.keys(more).length === 0) seen[name] = Math.max(0, ...timers.filter((s) => !REQUEST_LIMITS.includes(s)))
  }
  seen[name] = `${seen[name] > 5 ? seen[name] : 'short'}, ${counts.join(' then ')}`
  console.log(name, seen[name])
}
assert.deepEqual(seen, {
  openai: 'short, 3 then 1',
  groq: '40000, 3 then 1',
  together: '40000, 3 then 1',
  anthropic: '40000, 3 then 1',
  cohere: '60, 3 then 3',
  ai: 'short, 3 then 3',
})
console.log('ok')
process.exit(0)
PROBE
node probe.mjs
