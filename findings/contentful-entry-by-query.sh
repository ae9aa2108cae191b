#!/usr/bin/env bash
# Guess:   `client.getEntry(id)` of contentful is `GET …/entries/{id}`, as `getAsset(id)` is `GET …/assets/{id}`.
# Real:    it asks the list with a filter, `GET …/entries?sys.id={id}`; only the asset has a path of its own.
# Version: contentful 11.12.10
# Matters: a path pattern guessed from the name of the call (`/entries/*`) refuses it, and the pattern that lets it pass
#          (`/entries`) lets every entry pass: the one that was approved is named in the query only.
# Seen:    GET /spaces/s/environments/master/entries?sys.id=e1 · GET /spaces/s/environments/master/assets/a1
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts contentful@11.12.10 >/dev/null
cat >probe.mjs <<'PROBE'
import assert from 'node:assert/strict'
import http from 'node:http'
import { createClient } from 'contentful'

const seen = []
const server = http.createServer((req, res) => {
  seen.push(`${req.method} ${req.url}`)
  res.writeHead(200, { 'content-type': 'application/json' })
  res.end('{"sys":{"type":"Array"},"items":[{"sys":{"id":"e1","type":"Entry"},"fields":{}}],"fields":{}}')
})
await new Promise((done) => server.listen(0, '127.0.0.1', done))
const host = `127.0.0.1:${server.address().port}`
const client = createClient({ space: 's', accessToken: 'example', host, insecure: true })
await client.getEntry('e1')
await client.getAsset('a1')
console.log(seen.join(', '))
assert.deepEqual(seen, [
  'GET /spaces/s/environments/master/entries?sys.id=e1',
  'GET /spaces/s/environments/master/assets/a1',
])
console.log('ok')
process.exit(0)
PROBE
node probe.mjs
