#!/usr/bin/env bash
# Guess:   of several credentials in its environment the CLI of Claude Code sends one; with `--bare`, which reads no settings, it works
#          as well with a subscription's token as with a key.
# Real:    a key and ANTHROPIC_AUTH_TOKEN are both sent in one request. Beside a subscription's token a key wins without a word, and so
#          does ANTHROPIC_AUTH_TOKEN. With `--bare` a subscription's token alone ends with exit 1 before any request. A 401 is asked again
#          with the same credential.
# Version: @anthropic-ai/claude-code 2.1.332
# Matters: a proxy that refuses two credentials, or a wrapper that leaves one of the shell's variables set: a run that was to use a
#          subscription is paid by the key.
# Seen:    the table at the end of the probe
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
cp "$here/lib/claude-cli.mjs" .
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts --force "@anthropic-ai/claude-code-linux-$(node -p process.arch)@2.1.332" >/dev/null
cat >probe.mjs <<'PROBE'
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { api, calls, claude, origin } from './claude-cli.mjs'

const told = ({ headers: { authorization, 'x-api-key': key, 'anthropic-beta': beta = '' } }) =>
  [key && `key ${key}`, authorization, beta.includes('oauth-') && 'oauth beta'].filter(Boolean).join(' + ')
const key = { ANTHROPIC_API_KEY: 'KEY' }
const bearer = { ANTHROPIC_AUTH_TOKEN: 'AUTH' }
const seat = { CLAUDE_CODE_OAUTH_TOKEN: 'SEAT' }
const cases = {
  key: [key], bearer: [bearer], seat: [seat],
  'key, bearer': [{ ...key, ...bearer }], 'key, seat': [{ ...key, ...seat }], 'bearer, seat': [{ ...bearer, ...seat }],
  'key --bare': [key, '--bare'], 'bearer --bare': [bearer, '--bare'], 'seat --bare': [seat, '--bare'], 'key, seat --bare': [{ ...key, ...seat }, '--bare'],
}
async function run(env, ...more) {
  calls.length = 0
  const base = { PATH: process.env.PATH, HOME: process.cwd(), ANTHROPIC_BASE_URL: origin, CLAUDE_CODE_MAX_RETRIES: '1' }
  const child = spawn(claude, ['-p', 'Hello.', ...more, '--tools', ''], {
    env: { ...base, CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1', ...env },
    stdio: 'ignore', timeout: 60_000,
  })
  const [code] = await once(child, 'close')
  if (calls.length === 0) return `nothing, exit ${code}`
  return `${[...new Set(calls.map(told))].join(' | ')}${api.status === 200 ? '' : ` · ${calls.length} requests`}`
}
const seen = {}
for (const [name, [env, ...more]] of Object.entries(cases)) seen[name] = await run(env, ...more)
api.status = 401
for (const [name, env] of Object.entries({ key, bearer, seat })) seen[`${name}, 401`] = await run(env)
console.log(seen)
assert.deepEqual(seen, {
  key: 'key KEY',
  bearer: 'Bearer AUTH',
  seat: 'Bearer SEAT + oauth beta',
  'key, bearer': 'key KEY + Bearer AUTH',
  'key, seat': 'key KEY',
  'bearer, seat': 'Bearer AUTH',
  'key --bare': 'key KEY',
  'bearer --bare': 'Bearer AUTH',
  'seat --bare': 'nothing, exit 1',
  'key, seat --bare': 'key KEY',
  'key, 401': 'key KEY · 2 requests',
  'bearer, 401': 'Bearer AUTH · 2 requests',
  'seat, 401': 'Bearer SEAT + oauth beta · 2 requests',
})
console.log('ok')
process.exit(0)
PROBE
node probe.mjs
