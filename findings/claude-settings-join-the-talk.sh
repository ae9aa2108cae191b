#!/usr/bin/env bash
# Guess:   apply_flag_settings sets the model beside the conversation; the model is told nothing of it.
# Real:    before the first prompt that is so. After a turn the next request holds a /model command and its output as texts of the
#          user, in front of the prompt.
# Version: @anthropic-ai/claude-code 2.1.332
# Matters: words that nobody wrote, and tokens, in a conversation whose model an app changes.
# Seen:    before the first prompt: the prompt alone · after a turn: <command-name>/model</command-name> and the prompt
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
import { calls, start } from './claude-cli.mjs'

const textOf = ({ messages }) => JSON.stringify(messages.filter(({ role }) => role === 'user').at(-1).content)
const seen = []
for (const isLate of [false, true]) {
  const cli = start('--tools', '', '--model', 'sonnet')
  await cli.request('initialize', {})
  if (isLate) await cli.prompt('First.')
  await cli.request('apply_flag_settings', { settings: { model: 'opus' } })
  await cli.prompt('Second.')
  cli.end()
  seen.push(textOf(calls.at(-1)).includes('<command-name>/model</command-name>'))
}
console.log({ early: seen[0], late: seen[1] })
assert.deepEqual(seen, [false, true])
console.log('ok')
process.exit(0)
PROBE
node probe.mjs
