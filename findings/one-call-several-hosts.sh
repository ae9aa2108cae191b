#!/usr/bin/env bash
# Guess:   one call of a vendor's SDK asks one host, and when that cannot be reached the call fails.
# Real:    algoliasearch asks three more hosts, in random order and under another domain; ably asks three of five more. Google's
#          storage client without credentials asks the cloud's metadata address first, by number and by a name with a dot at its
#          end. LaunchDarkly's client reads from one host and reports to another.
# Version: algoliasearch 5.65.0, ably 2.28.0, @google-cloud/storage 8.4.0, @launchdarkly/node-server-sdk 9.13.7
# Matters: an approval of the one host in the documentation is reported as a run that wanted up to four, some of them under
#          domains nobody has heard of; and an honest program asks for the metadata address, as an attack does.
# Seen:    algolia ID-dsn.algolia.net, then ID-{1,2,3}.algolianet.com · ably main.realtime.ably.net, then three of
#          main.{a-e}.fallback.ably-realtime.com · google 169.254.169.254, metadata.google.internal., storage.googleapis.com ·
#          launchdarkly stream.launchdarkly.com, events.launchdarkly.com
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts algoliasearch@5.65.0 ably@2.28.0 @google-cloud/storage@8.4.0 \
  @launchdarkly/node-server-sdk@9.13.7 >/dev/null
cat >probe.mjs <<'PROBE'
import assert from 'node:assert/strict'
import dns from 'node:dns'
import http from 'node:http'

// Nothing gets out: who uses the proxy is refused there, and who does not finds no name.
const hosts = new Set()
const proxy = http.createServer((_, res) => res.writeHead(403).end())
proxy.on('connect', (req, socket) => {
  hosts.add(req.url.slice(0, req.url.lastIndexOf(':')))
  socket.on('error', () => {})
  socket.end('HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n')
})
await new Promise((done) => proxy.listen(0, '127.0.0.1', done))
const address = `http://127.0.0.1:${proxy.address().port}`
http.setGlobalProxyFromEnv({ http_proxy: address, https_proxy: address })
for (const name of ['http_proxy', 'https_proxy', 'HTTP_PROXY', 'HTTPS_PROXY']) process.env[name] = address
const { lookup } = dns
dns.lookup = (name, options, callback) => {
  if (name === '127.0.0.1') return lookup(name, options, callback)
  hosts.add(name)
  const error = Object.assign(new Error(`getaddrinfo ENOTFOUND ${name}`), { code: 'ENOTFOUND' })
  process.nextTick(callback ?? options, error)
}

const { algoliasearch } = await import('algoliasearch')
const { default: Ably } = await import('ably')
const { Storage } = await import('@google-cloud/storage')
const { init } = await import('@launchdarkly/node-server-sdk')
process.on('warning', () => {})
const quiet = { error() {}, warn() {}, info() {}, debug() {} }
const calls = {
  algolia: () =>
    algoliasearch('DEMOAPPID', 'demo-key').searchSingleIndex({ indexName: 'demo', searchParams: { query: 'x' } }),
  ably: () => new Ably.Rest({ key: 'demo.app:demo', logLevel: 0 }).channels.get('demo').publish('name', 'data'),
  google: () =>
    new Storage({ projectId: 'demo', retryOptions: { autoRetry: false } }).bucket('demo').getFiles(),
  async launchdarkly() {
    const client = init('sdk-00000000-0000-0000-0000-000000000000', { logger: quiet })
    client.track('demo', { kind: 'user', key: 'demo' })
    await client.waitForInitialization({ timeout: 3 }).catch(() => {})
    await client.flush().catch(() => {})
    client.close()
  },
}
const seen = {}
for (const [name, call] of Object.entries(calls)) {
  hosts.clear()
  await Promise.resolve().then(call).catch(() => {})
  seen[name] = [...hosts]
  console.log(name, seen[name].join(' '))
}
const [first, ...rest] = seen.algolia
assert.equal(first, 'demoappid-dsn.algolia.net')
assert.deepEqual(rest.sort(), [1, 2, 3].map((n) => `demoappid-${n}.algolianet.com`))
assert.equal(seen.ably[0], 'main.realtime.ably.net')
assert.equal(seen.ably.length, 4)
for (const host of seen.ably.slice(1)) assert.match(host, /^main\.[a-e]\.fallback\.ably-realtime\.com$/)
assert.deepEqual(seen.google.sort(), ['169.254.169.254', 'metadata.google.internal.', 'storage.googleapis.com'])
assert.deepEqual(seen.launchdarkly.sort(), ['events.launchdarkly.com', 'stream.launchdarkly.com'])
console.log('ok')
process.exit(0)
PROBE
node --no-warnings probe.mjs
