#!/usr/bin/env bash
# Guess:   LangChain leaves retries to the SDK under it: `x-should-retry: false` ends it after one request, 423 is not repeated,
#          and a 429 goes by Retry-After.
# Real:    it switches that SDK's retries off and has its own. 410, 422, 423, 425 and 503 are asked seven times in about a
#          minute and a half, whatever `x-should-retry` says; 400 to 407, 409 and 413 once. A 429 goes by words of the
#          message: "try again in 20 s" in it makes seven requests without any header, "billing" in it one in spite of
#          `Retry-After: 5`, and a message without either, and without the header, one.
# Version: @langchain/openai 1.6.0 and @langchain/anthropic 1.5.11 with @langchain/core 1.4.0, openai 7.59.0, @anthropic-ai/sdk 1.14.0
# Matters: the sentence in which a proxy explains a limit decides how often it is hit again, and no header takes that back:
#          it says when a limit is free again in other words, and refuses for good with 403, never with 423 or 503.
# Seen:    requests: 403 1 · 423 7 · 503 with x-should-retry: false 7 · 429 plain 1, "try again in 20 s" 7,
#          "free again in 20 s" 1, Retry-After: 5 7, the same with "billing" 1, Retry-After: 61 1 · openai alone: 423 1, 503 as above 1
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts @langchain/core@1.4.0 @langchain/openai@1.6.0 \
  @langchain/anthropic@1.5.11 openai@7.59.0 @anthropic-ai/sdk@1.14.0 zod@4.6.7 >/dev/null
cat >probe.mjs <<'PROBE'
import assert from 'node:assert/strict'
import http from 'node:http'
import { ChatAnthropic } from '@langchain/anthropic'
import { ChatOpenAI } from '@langchain/openai'
import OpenAI from 'openai'

// Pauses between attempts are cut short; time limits of requests (600 s) and the clock of fetch (499 ms) are left alone.
const original = globalThis.setTimeout
globalThis.setTimeout = (work, ms = 0, ...rest) => original(work, ms >= 500 && ms <= 120_000 ? 20 : ms, ...rest)

let answer, requests
const server = http.createServer((req, res) => {
  requests += 1
  req.resume()
  const [status, message, headers] = answer
  res.writeHead(status, { 'content-type': 'application/json', ...headers })
  res.end(JSON.stringify({ error: { type: 'limit', code: 'limit', message } }))
})
await new Promise((done) => server.listen(0, '127.0.0.1', done))
const base = `http://127.0.0.1:${server.address().port}`
const apiKey = 'example'
const configuration = { baseURL: `${base}/v1` }
const calls = {
  'langchain openai': () => new ChatOpenAI({ apiKey, model: 'm', configuration }).invoke('hi'),
  'langchain anthropic': () => new ChatAnthropic({ apiKey, model: 'm', anthropicApiUrl: base }).invoke('hi'),
  openai: () => new OpenAI({ apiKey, ...configuration }).chat.completions.create({ model: 'm', messages: [{ role: 'user', content: 'hi' }] }),
}
const plain = 'the limit is used up'
const answers = [
  [403, plain, {}],
  [410, plain, {}],
  [422, plain, {}],
  [423, plain, {}],
  [425, plain, {}],
  [503, plain, { 'x-should-retry': 'false' }],
  [429, plain, {}],
  [429, `${plain}, try again in 20 s`, {}],
  [429, `${plain}, it is free again in 20 s`, {}],
  [429, plain, { 'retry-after': '5' }],
  [429, plain, { 'retry-after': '5', 'x-should-retry': 'false' }],
  [429, `${plain}, see billing`, { 'retry-after': '5' }],
  [429, plain, { 'retry-after': '61' }],
]
const seen = {}
for (const [name, call] of Object.entries(calls)) {
  seen[name] = []
  for (answer of answers) {
    requests = 0
    await call().then(
      () => assert.fail('a refusal was taken as an answer'),
      () => {},
    )
    seen[name].push(requests)
    console.log(name, ...answer, requests)
  }
}
const own = [1, 7, 7, 7, 7, 7, 1, 7, 1, 7, 7, 1, 1]
assert.deepEqual(seen, {
  'langchain openai': own,
  'langchain anthropic': own,
  openai: [1, 1, 1, 1, 1, 1, 3, 3, 3, 3, 1, 3, 3],
})
console.log('ok')
process.exit(0)
PROBE
node probe.mjs
