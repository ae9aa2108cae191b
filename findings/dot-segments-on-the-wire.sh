#!/usr/bin/env bash
# Guess:   among maintained clients superagent resolves `/a/./b` before it sends it, and undici with an own `path` sends it raw.
# Real:    the other way round: undici resolves `path` too; superagent sends it as written, as needle, request and simple-get do. Three of the four also
#          write `|` as %7C where the URL standard leaves it alone.
# Version: superagent 10.4.2, needle 3.5.0, request 2.88.2, simple-get 4.0.1, undici 8.13.1, got 16.1.0, axios 1.21.1
# Matters: honest code reaches a gateway with dot segments and with two spellings of one path; they are brought to one form
#          before a pattern is compared, and what was derived from the code goes through the same form.
# Seen:    `/v1/./a/b/../c|d` arrives as `/v1/a/c|d`, as written, or as written with %7C
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts axios@1.21.1 got@16.1.0 needle@3.5.0 request@2.88.2 simple-get@4.0.1 superagent@10.4.2 undici@8.13.1 >/dev/null
cat >probe.mjs <<'PROBE'
import assert from 'node:assert/strict'
import http from 'node:http'
import axios from 'axios'
import got from 'got'
import needle from 'needle'
import legacy from 'request'
import simpleGet from 'simple-get'
import superagent from 'superagent'
import * as undici from 'undici'

let arrived
const server = http.createServer((req, res) => {
  arrived = req.url
  res.end()
})
await new Promise((done) => server.listen(0, '127.0.0.1', done))
const base = `http://127.0.0.1:${server.address().port}`
const path = '/v1/./a/b/../c|d'
const clients = {
  axios: () => axios(base + path),
  got: () => got(base + path),
  undici: () => undici.request(base, { path }),
  superagent: () => superagent.get(base + path),
  needle: () => needle('get', base + path),
  request: () => new Promise((done) => legacy(base + path, done)),
  'simple-get': () => new Promise((done) => simpleGet(base + path, done)),
}
const seen = {}
for (const [name, call] of Object.entries(clients)) {
  await call()
  seen[name] = arrived
  console.log(name, arrived)
}
assert.deepEqual(seen, {
  axios: '/v1/a/c|d',
  got: '/v1/a/c|d',
  undici: '/v1/a/c|d',
  superagent: '/v1/./a/b/../c|d',
  needle: '/v1/./a/b/../c%7Cd',
  request: '/v1/./a/b/../c%7Cd',
  'simple-get': '/v1/./a/b/../c%7Cd',
})
console.log('ok')
process.exit(0)
PROBE
node probe.mjs
