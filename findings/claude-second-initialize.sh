#!/usr/bin/env bash
# Guess:   a waiting process of the CLI can be initialised, and told its system prompt by another initialize when it is needed.
# Real:    the second one is answered with success, and the system prompt is not taken; only the first one's is.
# Version: @anthropic-ai/claude-code 2.1.332
# Matters: a run under another system prompt than its own, with success in every answer.
# Seen:    first: taken · second: success, not taken
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

for (const first of [true, false]) {
  calls.length = 0
  const cli = start('--tools', '', '--model', 'sonnet')
  if (!first) await cli.request('initialize', {})
  const { subtype } = await cli.request('initialize', { systemPrompt: ['Speak Latin.'] })
  await cli.prompt('Hello.')
  cli.end()
  const taken = JSON.stringify(calls[0].system).includes('Speak Latin.')
  console.log(first ? 'first' : 'second', subtype, taken)
  assert.deepEqual([subtype, taken], ['success', first])
}
console.log('ok')
process.exit(0)
PROBE
node probe.mjs
