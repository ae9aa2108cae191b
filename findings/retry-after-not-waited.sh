#!/usr/bin/env bash
# Guess:   a client that retries a 429 waits as long as Retry-After says, and does not repeat a creating POST by itself.
# Real:    @gitbeaker/rest sends ten requests and replicate six within a second of `Retry-After: 30`, creating POSTs too.
#          @shopify/admin-api-client takes the number for milliseconds.
# Version: @gitbeaker/rest 43.8.0, replicate 1.4.0, @shopify/admin-api-client 2.0.0
# Matters: one call of the code is up to ten requests at the gateway. A limit answered with 429 is hit harder, and a limit
#          on requests is used up, where a 403 ends it after one.
# Seen:    gitbeaker GET 10, POST 10 · replicate GET 6, POST 6 · shopify POST 3 · each in less than 5 s · 403: 1 each
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts @gitbeaker/rest@43.8.0 replicate@1.4.0 \
  @shopify/admin-api-client@2.0.0 >/dev/null
cat >probe.mjs <<'PROBE'
import assert from 'node:assert/strict'
import http from 'node:http'
import { Gitlab } from '@gitbeaker/rest'
import { createAdminApiClient } from '@shopify/admin-api-client'
import Replicate from 'replicate'

let status, requests
const server = http.createServer((req, res) => {
  requests.push(req.method)
  req.resume()
  res.writeHead(status, { 'content-type': 'application/json', 'retry-after': '30' })
  res.end('{"message":"slow down"}')
})
await new Promise((done) => server.listen(0, '127.0.0.1', done))
const base = `http://127.0.0.1:${server.address().port}`

const gitlab = new Gitlab({ host: base, token: 'example' })
const replicate = new Replicate({ auth: 'example', baseUrl: base })
const shop = createAdminApiClient({
  storeDomain: 'example.myshopify.com',
  apiVersion: '2026-07',
  accessToken: 'example',
  retries: 2,
  // The client speaks https to the shop only: the same request goes to the local server.
  customFetchApi: (url, init) => fetch(String(url).replace(/^https:\/\/[^/]+/, base), init),
})
const calls = {
  'gitbeaker read': () => gitlab.Projects.show('1'),
  'gitbeaker create': () => gitlab.Issues.create('1', 'title'),
  'replicate read': () => replicate.models.get('a', 'b'),
  'replicate create': () => replicate.predictions.create({ model: 'a/b', input: {} }),
  'shopify query': () => shop.request('{ shop { name } }'),
}
const seen = {}
for (const [name, call] of Object.entries(calls)) {
  seen[name] = []
  for (const answer of [429, 403]) {
    ;[status, requests] = [answer, []]
    const start = performance.now()
    await call().catch(() => {})
    const waited = performance.now() - start >= 5000 ? 'waited' : 'at once'
    seen[name].push(`${answer}: ${requests.length} × ${requests[0]} ${waited}`)
  }
  console.log(name, seen[name].join(', '))
}
assert.deepEqual(seen, {
  'gitbeaker read': ['429: 10 × GET at once', '403: 1 × GET at once'],
  'gitbeaker create': ['429: 10 × POST at once', '403: 1 × POST at once'],
  'replicate read': ['429: 6 × GET at once', '403: 1 × GET at once'],
  'replicate create': ['429: 6 × POST at once', '403: 1 × POST at once'],
  'shopify query': ['429: 3 × POST at once', '403: 1 × POST at once'],
})
console.log('ok')
process.exit(0)
PROBE
node probe.mjs
