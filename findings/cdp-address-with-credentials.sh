#!/usr/bin/env bash
# Guess:   who connects to a browser by an HTTP address, `http://user:password@host/cdp`, is signed in alike by Playwright and Puppeteer: for
#          `/cdp/json/version` and for the WebSocket that it names; so is a `?token=` of that address.
# Real:    Playwright sends the password to `/cdp/json/version/`, with a slash at its end, and goes without it to the WebSocket. Puppeteer
#          throws before it sends anything. Neither takes the query over to the WebSocket. Both send the option `headers` to both,
#          and the password where it stands in a ws address, given or named by the answer.
# Version: playwright-core 1.65.1, puppeteer-core 25.16.0
# Matters: a browser behind a sign-in names a WebSocket address that opens by itself (a ticket in its path), routes both
#          spellings of the path, and says `headers` in its documentation.
# Seen:    the table at the end of the probe: what came to the path and to the WebSocket
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts playwright-core@1.65.1 puppeteer-core@25.16.0 ws@8.18.3 >/dev/null
cat >probe.mjs <<'PROBE'
import assert from 'node:assert/strict'
import http from 'node:http'
import { chromium } from 'playwright-core'
import puppeteer from 'puppeteer-core'
import { WebSocketServer } from 'ws'

// The discovery and as much of the protocol as a connection takes.
let seen = []
let named
const signedBy = ({ url, headers }) => `${url} ${headers.authorization?.split(' ')[0] ?? 'nobody'}`
const server = http.createServer((req, res) => {
  seen.push(signedBy(req))
  if (!/^\/cdp\/json\/version\/?(\?|$)/.test(req.url)) return res.writeHead(404).end()
  const version = { Browser: 'Chrome/140.0.0.0', 'Protocol-Version': '1.3', webSocketDebuggerUrl: named }
  res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(version))
})
const answers = {
  'Browser.getVersion': { protocolVersion: '1.3', product: 'Chrome/140.0.0.0', revision: '1', userAgent: 'x', jsVersion: '1' },
  'Target.getBrowserContexts': { browserContextIds: [] },
}
new WebSocketServer({ server }).on('connection', (socket, req) => {
  seen.push(`ws ${signedBy(req)}`)
  socket.on('message', (text) => {
    const { id, method } = JSON.parse(text)
    socket.send(JSON.stringify({ id, result: answers[method] ?? {} }))
  })
})
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
const host = `127.0.0.1:${server.address().port}`
const headers = { authorization: 'Bearer example' }

const playwright = (address, options) => chromium.connectOverCDP(address, { timeout: 10_000, ...options })
const puppet = (address, options) =>
  puppeteer.connect({ [address.startsWith('ws') ? 'browserWSEndpoint' : 'browserURL']: address, ...options })
const cases = {
  headers: (connect) => connect(`http://${host}/cdp`, { headers }),
  password: (connect) => connect(`http://user:word@${host}/cdp`),
  query: (connect) => connect(`http://${host}/cdp?token=1`),
  'password in ws': (connect) => connect(`ws://user:word@${host}/b`),
  'password in the answer': (connect) => {
    named = `ws://user:word@${host}/b`
    return connect(`http://${host}/cdp`)
  },
}
const table = {}
for (const [name, run] of Object.entries(cases))
  for (const [client, connect] of Object.entries({ playwright, puppeteer: puppet })) {
    seen = []
    named = `ws://${host}/b`
    await run(connect).catch(() => seen.push('throws'))
    table[`${name}, ${client}`] = seen.join(' · ')
  }
console.log(table)
assert.deepEqual(table, {
  'headers, playwright': '/cdp/json/version/ Bearer · ws /b Bearer',
  'headers, puppeteer': '/cdp/json/version Bearer · ws /b Bearer',
  'password, playwright': '/cdp/json/version/ Basic · ws /b nobody',
  'password, puppeteer': 'throws',
  'query, playwright': '/cdp/json/version/?token=1 nobody · ws /b nobody',
  'query, puppeteer': '/cdp/json/version?token=1 nobody · ws /b nobody',
  'password in ws, playwright': 'ws /b Basic',
  'password in ws, puppeteer': 'ws /b Basic',
  'password in the answer, playwright': '/cdp/json/version/ nobody · ws /b Basic',
  'password in the answer, puppeteer': '/cdp/json/version nobody · ws /b Basic',
})
console.log('ok')
process.exit(0)
PROBE
node probe.mjs
