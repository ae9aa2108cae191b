#!/usr/bin/env bash
# Guess:   where HTTPS_PROXY and its kin are set and Node is told to honour them, an SDK's requests go through the proxy.
# Real:    algoliasearch, ably and contentful bring agents of their own and dial the vendor past it, without a word. mixpanel
#          reads the variable, and throws a TypeError as soon as it is set: no client can be made.
# Version: Node 24, algoliasearch 5.65.0, ably 2.28.0, contentful 11.12.10, mixpanel 0.24.0, posthog-node 5.70.0 (goes through it)
# Matters: a wall whose only way out is named by these variables looks to half of the libraries like a network that is down.
#          A way that catches direct connections too is needed; for mixpanel the variables have to be taken out of the environment.
# Seen:    posthog: proxy · algoliasearch, ably, contentful: direct · mixpanel: TypeError, and made without the variables
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts algoliasearch@5.65.0 ably@2.28.0 contentful@11.12.10 mixpanel@0.24.0 \
  posthog-node@5.70.0 >/dev/null
cat >probe.mjs <<'PROBE'
import assert from 'node:assert/strict'
import dns from 'node:dns'
import http from 'node:http'

const ways = new Set()
const proxy = http.createServer((_, res) => res.writeHead(403).end())
proxy.on('connect', (_, socket) => {
  ways.add('proxy')
  socket.on('error', () => {})
  socket.end('HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n')
})
await new Promise((done) => proxy.listen(0, '127.0.0.1', done))
const address = `http://127.0.0.1:${proxy.address().port}`
const names = ['http_proxy', 'https_proxy', 'HTTP_PROXY', 'HTTPS_PROXY']
for (const name of names) process.env[name] = address
// As NODE_USE_ENV_PROXY=1 at the start of the process does.
http.setGlobalProxyFromEnv()
// Nothing gets out past the proxy either: no name is found.
const { lookup } = dns
dns.lookup = (name, options, callback) => {
  if (name === '127.0.0.1') return lookup(name, options, callback)
  ways.add('direct')
  process.nextTick(callback ?? options, Object.assign(new Error('no such name'), { code: 'ENOTFOUND' }))
}

const { algoliasearch } = await import('algoliasearch')
const { default: Ably } = await import('ably')
const { createClient } = await import('contentful')
const { default: Mixpanel } = await import('mixpanel')
const { PostHog } = await import('posthog-node')
const calls = {
  async posthog() {
    const client = new PostHog('phc_demo', { fetchRetryCount: 0, flushAt: 1 })
    client.on('error', () => {})
    client.capture({ distinctId: 'demo', event: 'demo' })
    await client.shutdown(3_000)
  },
  algolia: () =>
    algoliasearch('DEMOAPPID', 'demo-key').searchSingleIndex({ indexName: 'demo', searchParams: { query: 'x' } }),
  ably: () => new Ably.Rest({ key: 'demo.app:demo', logLevel: 0 }).time(),
  contentful: () =>
    createClient({ space: 'demo', accessToken: 'demo', retryOnError: false, logHandler() {} }).getEntries(),
  async mixpanel() {
    try {
      Mixpanel.init('demo')
    } catch (error) {
      ways.add(error.constructor.name)
    }
    for (const name of names) delete process.env[name]
    Mixpanel.init('demo')
    ways.add('made without the variables')
  },
}
const { error } = console
console.error = () => {}
const seen = {}
for (const [name, call] of Object.entries(calls)) {
  ways.clear()
  // Every call fails, since nothing is let out.
  await Promise.resolve().then(call).catch(() => {})
  seen[name] = [...ways].join(', ')
  console.log(name, seen[name])
}
console.error = error
assert.deepEqual(seen, {
  posthog: 'proxy',
  algolia: 'direct',
  ably: 'direct',
  contentful: 'direct',
  mixpanel: 'TypeError, made without the variables',
})
console.log('ok')
process.exit(0)
PROBE
node --no-warnings probe.mjs
