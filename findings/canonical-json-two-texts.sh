#!/usr/bin/env bash
# Guess:   two implementations of RFC 8785 give one text for every value that JSON.stringify takes, and it is JSON.
# Real:    json-canonicalize writes a member that holds a function as `undefined`, which no parser reads, drops the hole of
#          a sparse array and spells a String object by its letters; canonicalize does as JSON.stringify does.
# Version: json-canonicalize 3.0.1, canonicalize 5.1.0
# Matters: a hash over a consent is taken of values that went through JSON.parse, never of objects that code built.
# Seen:    {"a":1,"b":undefined} beside {"a":1} · [1] beside [null,1] · {"0":"a"} beside "a"
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts canonicalize@5.1.0 json-canonicalize@3.0.1 >/dev/null
cat >probe.mjs <<'PROBE'
import assert from 'node:assert/strict'
import * as first from 'canonicalize'
import { canonicalize as second } from 'json-canonicalize'

const canonicalize = first.canonicalize ?? first.default
const values = [{ b: () => 1, a: 1 }, [, 1], new String('a'), { b: undefined, a: 1 }]
const seen = values.map((value) => [canonicalize(value), second(value)])
for (const [one, other] of seen) console.log(one, '|', other)
assert.deepEqual(seen, [
  ['{"a":1}', '{"a":1,"b":undefined}'],
  ['[null,1]', '[1]'],
  ['"a"', '{"0":"a"}'],
  ['{"a":1}', '{"a":1}'],
])
console.log('ok')
process.exit(0)
PROBE
node probe.mjs
