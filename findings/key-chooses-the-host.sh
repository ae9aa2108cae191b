#!/usr/bin/env bash
# Guess:   an SDK speaks to the host of its options; the key it is given goes into a header and decides nothing.
# Real:    deepl-node, svix and mailchimp-api-v3 read the host off the key's last characters. Whatever stands in for the key
#          and does not end as the key does is sent to another host, where the account is not, or (Mailchimp) nowhere.
# Version: deepl-node 1.28.0, svix 2.5.0, mailchimp-api-v3 1.15.0
# Matters: code that holds a stand-in for a key asks for a host that nobody approved, and the refusal names a host that its
#          author never wrote. A stand-in has to end as its key ends.
# Seen:    the same call, by the ending of the key · deepl `:fx` api-free.deepl.com, none api.deepl.com · svix `.eu`
#          api.eu.svix.com, none api.svix.com · mailchimp `-us6` us6.api.mailchimp.com, none: an error without a request
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts deepl-node@1.28.0 svix@2.5.0 mailchimp-api-v3@1.15.0 >/dev/null
cat >probe.mjs <<'PROBE'
import assert from 'node:assert/strict'
import http from 'node:http'

// Names the hosts that are asked for, and lets nothing out.
const hosts = []
const proxy = http.createServer((req, res) => res.writeHead(400).end())
proxy.on('connect', (req, socket) => {
  hosts.push(req.url)
  socket.on('error', () => {})
  socket.end('HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n')
})
await new Promise((done) => proxy.listen(0, '127.0.0.1', done))
const address = `http://127.0.0.1:${proxy.address().port}`
http.setGlobalProxyFromEnv({ https_proxy: address })
Object.assign(process.env, { https_proxy: address, HTTPS_PROXY: address })

const { Translator } = await import('deepl-node')
const { Svix } = await import('svix')
const { default: Mailchimp } = await import('mailchimp-api-v3')
const calls = {
  deepl: (key) => new Translator(key, { maxRetries: 0 }).getUsage(),
  svix: (key) => new Svix(key, { numRetries: 0 }).application.list(),
  mailchimp: (key) => new Mailchimp(key).get('/lists'),
}
const keys = {
  deepl: ['00000000-demo-demo-demo-000000000000:fx', '00000000-demo-demo-demo-000000000000'],
  svix: ['testsk_demo.eu', 'testsk_demo'],
  mailchimp: ['demodemodemodemodemodemodemodemo-us6', 'demodemodemodemodemodemodemodemo'],
}
const seen = {}
for (const [name, call] of Object.entries(calls)) {
  seen[name] = []
  for (const key of keys[name]) {
    hosts.length = 0
    // Every call ends with an error, since nothing is let out.
    await Promise.resolve()
      .then(() => call(key))
      .catch(() => {})
    seen[name].push(hosts[0] ?? 'no request')
  }
  console.log(name, seen[name].join(' | '))
}
assert.deepEqual(seen, {
  deepl: ['api-free.deepl.com:443', 'api.deepl.com:443'],
  svix: ['api.eu.svix.com:443', 'api.svix.com:443'],
  mailchimp: ['us6.api.mailchimp.com:443', 'no request'],
})
console.log('ok')
process.exit(0)
PROBE
node probe.mjs
