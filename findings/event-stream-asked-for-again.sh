#!/usr/bin/env bash
# Guess:   a client of server-sent events does as the standard says: when its stream ends it comes back with `Last-Event-ID`; a 204, and each
#          other status that is not 200, ends it for good. A block without data (`retry: 20` or a comment, and a blank line) is no message.
# Real:    eventsource and undici do, so a single 503 (a restart behind a proxy) ends them too. eventsource-client stops at 204 alone, and asks
#          on after 401, 403 and 503, without a longer pause. launchdarkly-eventsource stops at 204, 401 and 403 and goes on after 503.
#          @microsoft/fetch-event-source takes the end of a stream for the end of all, comes back only when it broke off, then asks on
#          after every answer without an event stream, a 204 too, and hands out an empty message for a block without data, so for each comment
#          that a blank line ends. undici sends a request that was answered 401 once more before it gives up.
# Version: eventsource 5.1.5, eventsource-client 1.2.0, launchdarkly-eventsource 2.2.0, @microsoft/fetch-event-source 2.0.1, undici 8.13.1
# Matters: what tells one client to stop is what another repeats for ever, each time by way of the gateway: refusals use up a run's
#          requests, and a token that was taken back is asked about once in each `retry:`. None of these answers ends all five; an
#          event that says "this was the last one" does, where the code that reads it closes the client. A sign of life is a comment with one line feed.
# Seen:    the table at the end of the probe: requests in all (`on` is twenty or more within the time), and what was handed to the code
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts eventsource@5.1.5 eventsource-client@1.2.0 launchdarkly-eventsource@2.2.0 \
  @microsoft/fetch-event-source@2.0.1 undici@8.13.1 >/dev/null
cat >probe.mjs <<'PROBE'
import assert from 'node:assert/strict'
import http from 'node:http'
import { createRequire } from 'node:module'
import { setTimeout as sleep } from 'node:timers/promises'
import { fetchEventSource } from '@microsoft/fetch-event-source'
import { EventSource } from 'eventsource'
import { createEventSource } from 'eventsource-client'
import { EventSource as Undici } from 'undici'

const { EventSource: LaunchDarkly } = createRequire(import.meta.url)('launchdarkly-eventsource')
// This one is made for browsers; that much of one it wants.
globalThis.window = globalThis
globalThis.document = { hidden: false, addEventListener() {}, removeEventListener() {} }

// One stream with one event first, then what the case says.
const refused = (status) => (res) => res.writeHead(status, { 'content-type': 'application/json' }).end(status === 204 ? undefined : '{}')
const cases = {
  'ends, then 204': refused(204),
  'breaks off, then 204': refused(204),
  'ends, then 401': refused(401),
  'ends, then 403': refused(403),
  'breaks off, then 403': refused(403),
  'ends, then 503': refused(503),
}
const requests = {}
const server = http.createServer((req, res) => {
  req.resume()
  const name = decodeURIComponent(req.url.slice(1))
  const before = (requests[name] ??= []).push(req.headers['last-event-id']) - 1
  if (before > 0) return cases[name.split(' by ')[0]](res)
  res.writeHead(200, { 'content-type': 'text/event-stream' })
  // A block without data, a comment that a blank line ends, and one that a line feed ends.
  res.write('retry: 20\n\n: alive\n\n: alive\nid: 7\ndata: first\n\n')
  setTimeout(() => (name.startsWith('breaks') ? res.destroy() : res.end()), 100)
})
await new Promise((done) => server.listen(0, '127.0.0.1', done))

const clients = {
  eventsource: (url, hear) => (new EventSource(url).onmessage = hear),
  undici: (url, hear) => (new Undici(url).onmessage = hear),
  'eventsource-client': (url, hear) => createEventSource({ url, onMessage: hear }),
  launchdarkly: (url, hear) => Object.assign(new LaunchDarkly(url, { initialRetryDelayMillis: 20 }), { onmessage: hear, onerror() {} }),
  // Without `onerror` it goes on in its own way.
  'fetch-event-source': (url, hear) => void fetchEventSource(url, { onmessage: hear }),
}
const heard = {}
for (const name of Object.keys(cases))
  for (const [client, open] of Object.entries(clients)) {
    const key = `${name} by ${client}`
    heard[key] = []
    open(`http://127.0.0.1:${server.address().port}/${encodeURIComponent(key)}`, ({ data }) => heard[key].push(data))
  }
await sleep(8_000)
const seen = {}
for (const name of Object.keys(cases)) {
  seen[name] = Object.keys(clients).map((client) => requests[`${name} by ${client}`].length).map((count) => (count >= 20 ? 'on' : count)).join(' ')
  console.log(name.padEnd(22), seen[name])
}
// Who comes back says what it saw last.
for (const ids of Object.values(requests)) assert.ok(ids.slice(1).every((id) => id === '7'))
seen.heard = Object.keys(clients).map((client) => JSON.stringify(heard[`ends, then 204 by ${client}`])).join(' ')
console.log(seen.heard)
// In the order of `clients`.
assert.deepEqual(seen, {
  'ends, then 204': '2 2 2 2 1',
  'breaks off, then 204': '2 2 2 2 on',
  'ends, then 401': '2 3 on 2 1',
  'ends, then 403': '2 2 on 2 1',
  'breaks off, then 403': '2 2 on 2 on',
  'ends, then 503': '2 2 on on 1',
  heard: '["first"] ["first"] ["first"] ["first"] ["","","first"]',
})
console.log('ok')
process.exit(0)
PROBE
node --no-warnings probe.mjs
