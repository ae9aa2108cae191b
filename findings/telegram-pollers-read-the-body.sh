#!/usr/bin/env bash
# Guess:   a Telegram bot that polls ends on 403 as it does on 401, waits on 429, and shows the reason it was given.
# Real:    all three libraries go by `error_code` and `description` in the body; without them the error reads "undefined: undefined".
#          grammy then goes on every 3 s for good, on a 403 in Telegram's own form too; 401 and 409 of that form
#          end it. telegraf and node-telegram-bot-api end on a 403, and on a 429 that is not in Telegram's form.
# Version: grammy 1.46.0, telegraf 4.16.3, node-telegram-bot-api 2.1.0
# Matters: a bot that was refused for good asks a gateway 28,800 times a day, and no status but 401 and 409 in the vendor's
#          own form ends it: refusals that repeat are counted together, and cost a person nothing.
# Seen:    the table at the end of the probe; "goes on" = 20 requests for updates, pauses cut short
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts grammy@1.46.0 telegraf@4.16.3 node-telegram-bot-api@2.1.0 >/dev/null
cat >probe.mjs <<'PROBE'
import assert from 'node:assert/strict'
import http from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'

// Pauses between attempts are cut short, before the libraries take hold of the timer.
const short = (ms) => (ms >= 1000 && ms <= 20_000 ? 5 : ms)
const pauses = new Set()
const original = globalThis.setTimeout
globalThis.setTimeout = Object.assign(
  (work, ms = 0, ...rest) => {
    if (short(ms) !== ms) pauses.add(ms / 1000)
    return original(work, short(ms), ...rest)
  },
  {
    [promisify.custom]: (ms, ...rest) => {
      if (short(ms) !== ms) pauses.add(ms / 1000)
      return sleep(short(ms), ...rest)
    },
  },
)
const { Bot } = await import('grammy')
const { Bot: PlainBot } = await import('node-telegram-bot-api')
const { Telegraf } = await import('telegraf')
console.error = () => {}

let refusal, updates, enough
const server = http.createServer((req, res) => {
  req.resume()
  const method = req.url.split('?')[0].split('/').at(-1)
  let [status, body] = [200, { ok: true, result: true }]
  if (method === 'getMe') body.result = { id: 1, is_bot: true, first_name: 'b', username: 'b_bot' }
  if (method === 'getUpdates') {
    updates += 1
    ;[status, body] = updates > 20 ? [409, telegram(409, 'the probe is over')] : refusal
    if (updates === 20) enough('goes on')
  }
  res.writeHead(status, { 'content-type': 'application/json' })
  res.end(JSON.stringify(body))
})
await new Promise((done) => server.listen(0, '127.0.0.1', done))
const base = `http://127.0.0.1:${server.address().port}`

const TEXT = 'not approved'
const telegram = (error_code, description, parameters) => ({ ok: false, error_code, description, parameters })
const own = { error: { code: 'refused', message: TEXT } }
const refusals = {
  '403 own': [403, own],
  '403 telegram': [403, telegram(403, TEXT)],
  '429 own': [429, own],
  '429 telegram': [429, telegram(429, TEXT, { retry_after: 7 })],
  '401 own': [401, own],
  '401 telegram': [401, telegram(401, TEXT)],
}
const bots = {
  grammy: () => new Bot('1:example', { client: { apiRoot: base } }).start(),
  telegraf: () => new Telegraf('1:example', { telegram: { apiRoot: base } }).launch(),
  plain: () => new PlainBot('1:example', { apiRoot: base }).startPolling(),
}
const seen = {}
for (const [name, start] of Object.entries(bots)) {
  seen[name] = {}
  for (const [kind, answer] of Object.entries(refusals)) {
    ;[refusal, updates] = [answer, 0]
    pauses.clear()
    const twenty = new Promise((done) => (enough = done))
    const run = start().then(
      () => 'ends',
      (error) => `ends, ${String(error.message).includes(TEXT) ? 'text' : 'no text'}`,
    )
    const outcome = await Promise.race([twenty, run])
    seen[name][kind] = outcome === 'goes on' ? `goes on after ${Math.max(...pauses)} s` : outcome
    await run
  }
  console.log(name, seen[name])
}
const ended = {
  '403 own': 'ends, no text',
  '403 telegram': 'ends, text',
  '429 own': 'ends, no text',
  '401 own': 'ends, no text',
  '401 telegram': 'ends, text',
}
assert.deepEqual(seen, {
  grammy: {
    '403 own': 'goes on after 3 s',
    '403 telegram': 'goes on after 3 s',
    '429 own': 'goes on after 3 s',
    '429 telegram': 'goes on after 7 s',
    '401 own': 'goes on after 3 s',
    '401 telegram': 'ends, text',
  },
  telegraf: { ...ended, '429 telegram': 'goes on after 7 s' },
  plain: { ...ended, '429 telegram': 'goes on after 7 s' },
})
console.log('ok')
process.exit(0)
PROBE
node probe.mjs
