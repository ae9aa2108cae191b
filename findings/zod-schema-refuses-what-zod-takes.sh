#!/usr/bin/env bash
# Guess:   `z.toJSONSchema(schema, { io: 'input' })` takes what the schema takes; what JSON Schema cannot say (`refine`) only
#          makes it wider. `.max(1)` of a string is JavaScript's `length`.
# Real:    the flags of a pattern are dropped, so `/^ab$/i` refuses `AB`; `.catch()` and `z.coerce` demand what the schema itself
#          does without; `multipleOf(0.01)` refuses 19.99 in ajv; `z.url()`, `z.ipv6()` and `z.iso.duration()` take values
#          that the `format` of their schema refuses. Lengths agree, for zod counts code points: `.max(1)` takes an emoji of two units.
# Version: zod 4.6.7, ajv 8.20.0 with ajv-formats 3.0.1
# Matters: a client or a contract test that goes by the OpenAPI page refuses what the server takes: patterns without flags, money
#          as whole numbers, no `catch` and `coerce` in routes. A `.max` holds neither UTF-16 units (Telegram's) nor bytes.
# Seen:    the table in the probe: eight values that zod takes and ajv refuses, two of length where both agree
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts zod@4.6.7 ajv@8.20.0 ajv-formats@3.0.1 >/dev/null
cat >probe.mjs <<'PROBE'
import assert from 'node:assert/strict'
import { Ajv2020 } from 'ajv/dist/2020.js'
import formats from 'ajv-formats'
import { z } from 'zod'

const ajv = new Ajv2020({ strict: false })
formats.default(ajv)
const cases = [
  // name, schema, value, zod, ajv
  ['pattern with flag i', z.string().regex(/^ab$/i), 'AB', true, false],
  ['pattern with flag m', z.string().regex(/^b$/m), 'a\nb', true, false],
  ['catch', z.object({ a: z.string().catch('x') }), {}, true, false],
  ['coerce', z.coerce.number(), '12', true, false],
  ['multipleOf', z.number().multipleOf(0.01), 19.99, true, false],
  ['url', z.url(), 'https://example.com/ä', true, false],
  ['ipv6', z.ipv6(), '::ffff:192.0.2.1', true, false],
  ['duration', z.iso.duration(), 'PT0.5S', true, false],
  ['max(1), two units', z.string().max(1), '\u{1F44D}', true, true],
  ['min(2), two units', z.string().min(2), '\u{1F44D}', false, false],
]
const seen = cases.map(([name, schema, value]) => {
  const made = z.toJSONSchema(schema, { io: 'input' })
  const taken = [schema.safeParse(value).success, ajv.validate(made, value)]
  console.log(name, JSON.stringify(value), 'zod', taken[0], 'ajv', taken[1])
  return taken
})
assert.deepEqual(seen, cases.map(([, , , ...expected]) => expected))
console.log('ok')
process.exit(0)
PROBE
node probe.mjs
