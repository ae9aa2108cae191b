#!/usr/bin/env bash
# Guess:   clients read redirects alike: 301, 302 and 303 turn a POST into a GET without body, 307 and 308 keep it, HEAD
#          stays HEAD.
# Real:    got keeps POST and body on 301 and 302 and urllib on 303 too; superagent turns a PUT into GET on 302 and raises on
#          any redirected HEAD; needle turns all of them into GET, 307, 308 and HEAD too; request does on 308; node-fetch
#          makes a GET of a HEAD on 303.
# Version: got 16.1.0, urllib 4.9.2, superagent 10.4.2, needle 3.5.0, request 2.88.2, node-fetch 3.3.2, axios 1.21.1
# Matters: the method of the second request cannot be told from the status and the first: a redirect is judged when it
#          arrives at the gateway, as a request of its own, never by what the first one was approved for.
# Seen:    the table at the end of the probe
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts axios@1.21.1 got@16.1.0 needle@3.5.0 node-fetch@3.3.2 request@2.88.2 superagent@10.4.2 urllib@4.9.2 >/dev/null
cat >probe.mjs <<'PROBE'
import assert from 'node:assert/strict'
import http from 'node:http'
import axios from 'axios'
import got from 'got'
import needle from 'needle'
import fetch from 'node-fetch'
import legacy from 'request'
import superagent from 'superagent'
import * as urllib from 'urllib'

let landed
const server = http.createServer((req, res) => {
  let body = ''
  req.on('data', (chunk) => (body += chunk))
  req.on('end', () => {
    const status = /^\/redirect\/(\d+)/.exec(req.url)?.[1]
    if (status) return res.writeHead(Number(status), { location: '/landed' }).end()
    landed = body ? `${req.method}+body` : req.method
    res.writeHead(200).end()
  })
})
await new Promise((done) => server.listen(0, '127.0.0.1', done))
const base = `http://127.0.0.1:${server.address().port}`

const clients = {
  axios: (url, method, data) => axios({ url, method, data }),
  got: (url, method, body) => got(url, { method, body, retry: { limit: 0 } }),
  urllib: (url, method, content) => urllib.request(url, { method, content, followRedirect: true }),
  superagent: (url, method, body) => superagent(method, url).send(body),
  needle: (url, method, body) => needle(method.toLowerCase(), url, body ?? null, { follow_max: 5 }),
  request: (url, method, body) =>
    new Promise((done) => legacy({ url, method, body, followAllRedirects: true }, done)),
  'node-fetch': (url, method, body) => fetch(url, { method, body }),
}
const cases = [
  [302, 'POST', 'x'],
  [302, 'PUT', 'x'],
  [303, 'POST', 'x'],
  [308, 'POST', 'x'],
  [303, 'HEAD'],
]
const seen = {}
for (const [name, call] of Object.entries(clients)) {
  seen[name] = []
  for (const [status, method, body] of cases) {
    landed = 'none'
    await call(`${base}/redirect/${status}`, method, body).catch(() => {})
    seen[name].push(landed)
  }
  console.log(name, cases.map(([status, method], i) => `${status} ${method}: ${seen[name][i]}`).join(', '))
}
assert.deepEqual(seen, {
  axios: ['GET', 'PUT+body', 'GET', 'POST+body', 'HEAD'],
  got: ['POST+body', 'PUT+body', 'GET', 'POST+body', 'HEAD'],
  urllib: ['POST+body', 'PUT+body', 'POST+body', 'POST+body', 'HEAD'],
  superagent: ['GET', 'GET', 'GET', 'POST+body', 'none'],
  needle: ['GET', 'GET', 'GET', 'GET', 'GET'],
  request: ['GET', 'GET', 'GET', 'GET', 'HEAD'],
  'node-fetch': ['GET', 'PUT+body', 'GET', 'POST+body', 'GET'],
})
console.log('ok')
process.exit(0)
PROBE
node probe.mjs
