#!/usr/bin/env bash
# Guess:   @discordjs/rest with `retries: 3` gives up on 429 after four requests, as it does on 500.
# Real:    429 does not count as a retry: it goes on for as long as the server says so.
# Version: @discordjs/rest 2.6.3
# Matters: a limit told as 429 makes such a call endless; told as 403 it ends after one request.
# Seen:    500: 4 requests · twenty 429, then 200: 21 requests, resolved · 403: 1 request
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts @discordjs/rest@2.6.3 >/dev/null
cat >probe.mjs <<'PROBE'
import assert from 'node:assert/strict'
import http from 'node:http'
import { REST } from '@discordjs/rest'

let status, requests
const server = http.createServer((req, res) => {
  requests += 1
  req.resume()
  const answer = status === 429 && requests > 20 ? 200 : status
  res.writeHead(answer, { 'content-type': 'application/json', 'retry-after': '0.01' })
  res.end('{"message":"slow down","retry_after":0.01}')
})
await new Promise((done) => server.listen(0, '127.0.0.1', done))
const rest = new REST({ api: `http://127.0.0.1:${server.address().port}`, retries: 3 }).setToken('example')
const seen = []
for (const answer of [500, 403, 429]) {
  ;[status, requests] = [answer, 0]
  const outcome = await rest.get('/users/@me').then(() => 'resolved', () => 'raised')
  seen.push(`${answer}: ${requests} ${outcome}`)
}
console.log(seen.join(', '))
assert.deepEqual(seen, ['500: 4 raised', '403: 1 raised', '429: 21 resolved'])
console.log('ok')
process.exit(0)
PROBE
node probe.mjs
