#!/usr/bin/env bash
# Guess:   get_context_usage tells what the CLI knows already.
# Real:    it asks the Messages API to count tokens, several times, also before the first prompt, without tools and with --bare.
# Version: @anthropic-ai/claude-code 2.1.332
# Matters: calls with the key of whoever only looks at a gauge.
# Seen:    before the first prompt: 3 calls of count_tokens, none of a message
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

const cli = start('--tools', '', '--model', 'sonnet')
await cli.request('get_context_usage', {})
cli.end()
const kinds = new Set(calls.map(({ url }) => url.split('?')[0]))
console.log(calls.length, kinds)
assert.deepEqual([...kinds], ['/v1/messages/count_tokens'])
assert.equal(calls.length, 3)
console.log('ok')
process.exit(0)
PROBE
node probe.mjs
