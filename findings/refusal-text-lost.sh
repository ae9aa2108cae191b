#!/usr/bin/env bash
# Guess:   a 403 whose JSON has a text at `message` and again at `error.message` is shown by every SDK.
# Real:    mailgun.js, firecrawl and workos then say "[object Object]"; they want `error` to be the text itself, which in
#          turn costs stripe its text. @sendgrid/client and @clerk/backend never read such a body and show the reason
#          phrase of the status line; airtable shows a sentence of its own. No JSON reaches all of them.
# Version: stripe 23.1.0, mailgun.js 14.0.1, firecrawl 4.42.0, @workos-inc/node 11.0.0, @sendgrid/client 8.1.6,
#          @clerk/backend 3.25.0, airtable 0.12.2
# Matters: an agent can only ask again by itself when the rule reaches it. Text at `error.message`, and a reason phrase
#          that names the rule, reach more than either alone.
# Seen:    the table at the end of the probe: text = the body's text, phrase = the status line's, lost = neither
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts stripe@23.1.0 mailgun.js@14.0.1 firecrawl@4.42.0 \
  @workos-inc/node@11.0.0 @sendgrid/client@8.1.6 @clerk/backend@3.25.0 airtable@0.12.2 >/dev/null
cat >probe.mjs <<'PROBE'
import assert from 'node:assert/strict'
import http from 'node:http'
import { createClerkClient } from '@clerk/backend'
import sendgrid from '@sendgrid/client'
import { WorkOS } from '@workos-inc/node'
import Airtable from 'airtable'
import Firecrawl from 'firecrawl'
import Mailgun from 'mailgun.js'
import Stripe from 'stripe'

const TEXT = 'ask for POST first'
const PHRASE = 'refused method_not_approved'
let body
const server = http.createServer((req, res) => {
  req.resume()
  res.writeHead(403, PHRASE, { 'content-type': 'application/json' })
  res.end(JSON.stringify(body))
})
await new Promise((done) => server.listen(0, '127.0.0.1', done))
const { port } = server.address()
const base = `http://127.0.0.1:${port}`

sendgrid.setApiKey('SG.example')
sendgrid.setDefaultRequest('baseUrl', `${base}/`)
const calls = {
  stripe: () => new Stripe('sk_test_example', { host: '127.0.0.1', port, protocol: 'http' }).charges.list(),
  mailgun: () => new Mailgun(FormData).client({ username: 'api', key: 'example', url: base }).domains.list(),
  firecrawl: () => new Firecrawl({ apiKey: 'fc-example', apiUrl: base }).scrape('https://example.com'),
  workos: () => new WorkOS('sk_example', { apiHostname: '127.0.0.1', port, https: false }).userManagement.listUsers(),
  sendgrid: () => sendgrid.request({ method: 'GET', url: '/v3/templates' }),
  clerk: () => createClerkClient({ secretKey: 'sk_test_example', apiUrl: base }).users.getUserList(),
  airtable: () => new Airtable({ apiKey: 'example', endpointUrl: base }).base('app1')('T').find('rec1'),
}
const bodies = {
  nested: { message: TEXT, error: { message: TEXT } },
  flat: { message: TEXT, error: TEXT },
}
const seen = {}
for (const [name, call] of Object.entries(calls)) {
  seen[name] = []
  for (const [kind, json] of Object.entries(bodies)) {
    body = json
    const said = await call().then(() => 'no error', (error) => String(error.message))
    const read = said.includes(TEXT) ? 'text' : said.includes(PHRASE) ? 'phrase' : said.includes('[object') ? 'object' : 'lost'
    seen[name].push(`${kind} ${read}`)
  }
  console.log(name, seen[name].join(', '))
}
assert.deepEqual(seen, {
  stripe: ['nested text', 'flat lost'],
  mailgun: ['nested object', 'flat text'],
  firecrawl: ['nested object', 'flat text'],
  workos: ['nested object', 'flat text'],
  sendgrid: ['nested phrase', 'flat phrase'],
  clerk: ['nested phrase', 'flat phrase'],
  airtable: ['nested lost', 'flat lost'],
})
console.log('ok')
process.exit(0)
PROBE
node probe.mjs
