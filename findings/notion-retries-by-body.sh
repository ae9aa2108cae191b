#!/usr/bin/env bash
# Guess:   @notionhq/client retries by HTTP status: 429 and 503 with Retry-After, reads only on 500; never a 403.
# Real:    it looks at `code` in the body alone. A 429 with Retry-After and any other JSON is tried once; a body whose `code`
#          is `rate_limited` is tried three times whatever the status is, `POST /v1/pages`, which creates, too.
# Version: @notionhq/client 5.26.0
# Matters: what stands in a gateway's body, not its status, decides how many requests one call costs.
# Seen:    429 plain body: 1 · 429 rate_limited: 3 · 403 rate_limited: 3 (GET and POST)
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts @notionhq/client@5.26.0 >/dev/null
cat >probe.mjs <<'PROBE'
import assert from 'node:assert/strict'
import http from 'node:http'
import { Client } from '@notionhq/client'

let status, body, requests
const server = http.createServer((req, res) => {
  requests += 1
  req.resume()
  res.writeHead(status, { 'content-type': 'application/json', 'retry-after': '0' })
  res.end(JSON.stringify(body))
})
await new Promise((done) => server.listen(0, '127.0.0.1', done))
const notion = new Client({
  auth: 'example',
  baseUrl: `http://127.0.0.1:${server.address().port}`,
  logLevel: 'error',
})
const read = () => notion.users.list({})
const create = () => notion.pages.create({ parent: { page_id: 'x' }, properties: {} })
async function count(answer, json, call) {
  ;[status, body, requests] = [answer, json, 0]
  await call().catch(() => {})
  console.log(answer, JSON.stringify(json), call === read ? 'GET' : 'POST', requests)
  return requests
}
const own = { object: 'error', status: 429, code: 'rate_limited', message: 'slow down' }
assert.deepEqual(
  [
    await count(429, { message: 'slow down' }, read),
    await count(429, own, read),
    await count(403, own, read),
    await count(403, own, create),
  ],
  [1, 3, 3, 3],
)
console.log('ok')
process.exit(0)
PROBE
node probe.mjs
