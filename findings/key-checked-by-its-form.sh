#!/usr/bin/env bash
# Guess:   to an SDK a key is any text: whether it is a good one, and what it is good for, the vendor says.
# Real:    liveblocks, twilio, ably, braintree and uploadthing raise before they send anything where a key does not have the form of theirs:
#          how it begins (`sk_`, `AC`), how many parts it has, that it is JSON in base64. @vercel/blob reads the host from the middle
#          of its token. supabase calls a function with a key that begins with `sb_secret_` in `apikey` alone, and with any other as a
#          bearer token too.
# Version: @liveblocks/node 3.24.2, twilio 6.3.1, ably 2.28.0, braintree 3.40.0, uploadthing 7.7.4, @vercel/blob 2.8.0, @supabase/supabase-js 2.119.1
# Matters: code that holds a stand-in for a key ends with "not a valid access token" and no request, which looks like a wrong secret. A
#          stand-in begins as its key does, and has its parts; where parts are read (Vercel, Braintree, UploadThing) no other text will do.
# Seen:    the table at the end of the probe: with a key, then with a stand-in of letters and digits
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts @liveblocks/node@3.24.2 twilio@6.3.1 ably@2.28.0 braintree@3.40.0 uploadthing@7.7.4 \
  @vercel/blob@2.8.0 @supabase/supabase-js@2.119.1 >/dev/null 2>&1
cat >probe.mjs <<'PROBE'
import assert from 'node:assert/strict'
import dns from 'node:dns'

// Nothing gets out: who calls fetch is refused there, and who does not finds no name.
let asked
globalThis.fetch = async (input, init) => {
  const { url, headers } = new Request(input, init)
  const where = ['apikey', 'authorization'].filter((name) => headers.has(name)).join('+')
  asked.push(`${new URL(url).host}${headers.has('apikey') ? ` in ${where}` : ''}`)
  return Response.json({}, { status: 401 })
}
dns.lookup = (name, options, callback) => {
  asked.push(name)
  process.nextTick(callback ?? options, Object.assign(new Error('no such name'), { code: 'ENOTFOUND' }))
}

const { default: Ably } = await import('ably')
const { default: braintree } = await import('braintree')
const { Liveblocks } = await import('@liveblocks/node')
const { createClient } = await import('@supabase/supabase-js')
const { default: twilio } = await import('twilio')
const { UTApi } = await import('uploadthing/server')
const { get } = await import('@vercel/blob')
const some = (length) => 'a1b2c3d4e5f6'.repeat(6).slice(0, length)
const calls = {
  liveblocks: [`sk_dev_${some(40)}`, (secret) => new Liveblocks({ secret }).getRooms()],
  twilio: [`AC${some(32)}`, (sid) => twilio(sid, 'example').messages.list({ limit: 1 })],
  ably: [`${some(6)}.${some(6)}:${some(32)}`, (key) => new Ably.Rest({ key, logLevel: 0 }).time()],
  braintree: [
    `access_token$sandbox$${some(16)}$${some(32)}`,
    (accessToken) => new braintree.BraintreeGateway({ accessToken }).transaction.find('x'),
  ],
  uploadthing: [
    Buffer.from(JSON.stringify({ apiKey: `sk_live_${some(32)}`, appId: 'app', regions: ['sea1'] })).toString('base64'),
    (token) => new UTApi({ token, logLevel: 'None' }).listFiles(),
  ],
  vercel: [`vercel_blob_rw_${some(16)}_${some(30)}`, (token) => get('a.txt', { access: 'private', token })],
  'supabase, function': [`sb_secret_${some(31)}`, (key) => createClient('https://project.supabase.co', key).functions.invoke('f')],
  'supabase, table': [`sb_secret_${some(31)}`, (key) => createClient('https://project.supabase.co', key).from('t').select()],
}
const standIn = `standin${some(40)}`
const seen = {}
for (const [name, [key, call]] of Object.entries(calls)) {
  const outcomes = []
  for (const given of [key, standIn]) {
    asked = []
    // Every call ends with an error, since nothing is let out.
    await Promise.resolve().then(() => call(given)).catch(() => {})
    outcomes.push(asked[0] ?? 'no request')
  }
  seen[name] = outcomes.join(' | ')
  console.log(name, '·', seen[name])
}
assert.deepEqual(seen, {
  liveblocks: 'api.liveblocks.io | no request',
  twilio: 'api.twilio.com | no request',
  ably: 'main.realtime.ably.net | no request',
  braintree: 'api.sandbox.braintreegateway.com | no request',
  uploadthing: 'api.uploadthing.com | no request',
  vercel: 'a1b2c3d4e5f6a1b2.private.blob.vercel-storage.com | no request',
  'supabase, function': 'project.supabase.co in apikey | project.supabase.co in apikey+authorization',
  'supabase, table': 'project.supabase.co in apikey+authorization | project.supabase.co in apikey+authorization',
})
console.log('ok')
process.exit(0)
PROBE
node --no-warnings probe.mjs
