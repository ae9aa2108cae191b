#!/usr/bin/env bash
# Guess:   --tools names the tools that the model is offered.
# Real:    with --bare only Bash, Edit and Read are known; every other name is dropped without a word.
# Version: @anthropic-ai/claude-code 2.1.332
# Matters: a run does without a tool that it was given, and nothing says so.
# Seen:    --bare --tools Bash,Read,WebFetch,WebSearch: Bash, Read
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

const cli = start('--tools', 'Bash,Read,WebFetch,WebSearch', '--model', 'sonnet')
await cli.prompt('Hello.')
cli.end()
const names = calls[0].tools.map(({ name }) => name).sort()
console.log(names)
assert.deepEqual(names, ['Bash', 'Read'])
console.log('ok')
process.exit(0)
PROBE
node probe.mjs
