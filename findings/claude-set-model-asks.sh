#!/usr/bin/env bash
# Guess:   the control request set_model sets the model.
# Real:    when the CLI does not know the name, it asks that model "Hi" with max_tokens 1 first. apply_flag_settings does not.
# Version: @anthropic-ai/claude-code 2.1.332
# Matters: a call that nobody ordered and somebody pays, before the first prompt.
# Seen:    set_model: 1 call · apply_flag_settings: 0 calls, and the next prompt goes to the model
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

for (const [subtype, rest] of [
  ['set_model', { model: 'a-model-of-my-own' }],
  ['apply_flag_settings', { settings: { model: 'a-model-of-my-own' } }],
]) {
  calls.length = 0
  const cli = start('--tools', '', '--model', 'sonnet')
  await cli.request('initialize', {})
  await cli.request(subtype, rest)
  const asked = calls.length
  await cli.prompt('Hello.')
  cli.end()
  console.log(subtype, asked, calls.map(({ model, max_tokens }) => [model, max_tokens]))
  assert.equal(asked, subtype === 'set_model' ? 1 : 0)
  assert.equal(calls.at(-1).model, 'a-model-of-my-own')
}
console.log('ok')
process.exit(0)
PROBE
node probe.mjs
