#!/usr/bin/env bash
# Guess:   an error reporter that was given its key (a DSN, a token) writes it into its own reports; the program's other requests are as they
#          were, at least as long as tracing is off.
# Real:    from `Sentry.init` on each request of the process carries the DSN's key to whatever host it goes, in a header
#          `baggage: …,sentry-public_key=KEY,…`, with tracing off and nothing reported yet: by `fetch`, by node:http, and so by axios and by other
#          vendors' SDKs. `tracePropagationTargets: []` ends it. Its own report has the key in the query and in the body, which is gzipped from
#          32 KiB on. Rollbar, Bugsnag, Honeybadger and PostHog add nothing to requests of others.
# Version: @sentry/node 11.12.0, rollbar 3.1.0, @bugsnag/js 9.0.0, @honeybadger-io/js 6.16.5, posthog-node 5.70.0, axios 1.21.1, stripe 23.1.0
# Matters: where a stand-in is in the DSN, each request to another host holds a stand-in that is not meant for that host: a gateway that
#          refuses such requests refuses the whole program, though no line of it sends the key anywhere. The code sets
#          `tracePropagationTargets: []`, or takes the DSN as plain configuration, which Sentry says it is.
# Seen:    the table at the end of the probe: where the key stood in four requests to others, then in its own short and long report
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts @sentry/node@11.12.0 rollbar@3.1.0 @bugsnag/js@9.0.0 @honeybadger-io/js@6.16.5 posthog-node@5.70.0 \
  axios@1.21.1 stripe@23.1.0 >/dev/null
cat >probe.mjs <<'PROBE'
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import http from 'node:http'
import { promisify } from 'node:util'
import zlib from 'node:zlib'

// Each reporter has a process of its own: once begun, it cannot be taken out again.
const KEY = '0123456789abcdef0123456789abcdef'
const found = []
async function places(req) {
  const parts = []
  for await (const part of req) parts.push(part)
  const body = Buffer.concat(parts)
  const packed = req.headers['content-encoding'] === 'gzip'
  const text = `${packed ? zlib.gunzipSync(body) : body}`
  return [
    ...(req.url.includes(KEY) ? ['query'] : []),
    ...Object.keys(req.headers).filter((name) => String(req.headers[name]).includes(KEY)),
    ...(text.includes(KEY) ? [packed ? 'gzipped body' : 'body'] : []),
  ]
}
const server = http.createServer(async (req, res) => {
  const where = await places(req)
  // The program's own requests go to a path of their own; all others are reports.
  if (req.url.startsWith('/v1/')) found.push([req.url.slice(4), where])
  else found.push(['report', where])
  res.writeHead(200, { 'content-type': 'application/json' }).end('{"data":[]}')
})
await new Promise((done) => server.listen(0, '127.0.0.1', done))
const { port } = server.address()
const at = `http://127.0.0.1:${port}`

const begin = {
  sentry: `const S = await import('@sentry/node'); S.init({ dsn: '${`http://${KEY}@127.0.0.1:${port}/1`}' })`,
  'sentry, no targets': `const S = await import('@sentry/node'); S.init({ dsn: '${`http://${KEY}@127.0.0.1:${port}/1`}', tracePropagationTargets: [] })`,
  rollbar: `const { default: R } = await import('rollbar'); new R({ accessToken: '${KEY}', endpoint: '${at}/api/1/item/' })`,
  bugsnag: `const { default: B } = await import('@bugsnag/js'); B.start({ apiKey: '${KEY}', endpoints: { notify: '${at}', sessions: '${at}' }, autoTrackSessions: false, logger: null })`,
  honeybadger: `const { default: H } = await import('@honeybadger-io/js'); H.configure({ apiKey: '${KEY}', endpoint: '${at}' })`,
  posthog: `const { PostHog } = await import('posthog-node'); new PostHog('${KEY}', { host: '${at}' })`,
}
const program = `
await fetch('${at}/v1/fetch')
const { default: http } = await import('node:http')
await new Promise((done) => http.get('${at}/v1/http', (res) => res.resume().on('end', done)))
const { default: axios } = await import('axios')
await axios.get('${at}/v1/axios')
const { default: Stripe } = await import('stripe')
await new Stripe('sk_test_example', { host: '127.0.0.1', port: ${port}, protocol: 'http' }).charges.list()
`
const report = `
S.captureMessage('short'); await S.flush(5_000)
S.captureMessage('long'.repeat(10_000), { extra: { more: Array.from({ length: 400 }, (_, at) => 'x'.repeat(200) + at) } }); await S.flush(5_000)
`
const run = async (code) => {
  found.length = 0
  await promisify(execFile)(process.execPath, ['--no-warnings', '--input-type=module', '-e', `${code}\nprocess.exit(0)`], { timeout: 30_000 })
  return found.map(([name, where]) => `${name.split('?')[0]}: ${where.join(' + ') || '-'}`)
}
const seen = {}
for (const [name, code] of Object.entries(begin)) {
  seen[name] = (await run(`${code}\n${program}`)).join(' | ')
  console.log(name.padEnd(20), seen[name])
}
seen.reports = (await run(`${begin.sentry}\n${report}`)).join(' | ')
console.log(seen.reports)
const untouched = 'fetch: - | http: - | axios: - | charges: -'
assert.deepEqual(seen, {
  sentry: 'fetch: baggage | http: baggage | axios: baggage | charges: baggage',
  'sentry, no targets': untouched,
  rollbar: untouched,
  bugsnag: untouched,
  honeybadger: untouched,
  posthog: untouched,
  reports: 'report: query + body | report: query + gzipped body',
})
console.log('ok')
process.exit(0)
PROBE
node --no-warnings probe.mjs
