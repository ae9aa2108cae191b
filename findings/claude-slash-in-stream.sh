#!/usr/bin/env bash
# Guess:   with stream-json input and --disable-slash-commands a prompt is a text, whatever it begins with.
# Real:    what begins with a slash and the name of a command is answered by the CLI itself, without a call, with subtype success,
#          is_error false and num_turns 0. With a line feed in front it is a text.
# Version: @anthropic-ai/claude-code 2.1.332
# Matters: an app's prompt that is answered by nobody counts as answered.
# Seen:    /help: 0 calls, success · \n/help: 1 call
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

const cli = start('--tools', '', '--model', 'sonnet', '--disable-slash-commands')
const own = await cli.prompt('/help')
assert.deepEqual([calls.length, own.subtype, own.is_error, own.num_turns], [0, 'success', false, 0])
await cli.prompt('\\n/help')
assert.equal(calls.length, 1)
cli.end()
console.log('ok')
process.exit(0)
PROBE
node probe.mjs
