#!/usr/bin/env bash
# Guess:   what reads the unfinished JSON of a streamed tool call holds back a number that may go on: of `{"amount": 1` nobody makes 1,
#          as the next piece may be `00`. A minus alone, or half of `true`, is nothing yet.
# Real:    the AI SDK, LangChain, partial-json, best-effort-json-parser, jsonrepair, untruncate-json and incomplete-json-parser give 1.
#          Of `-` five of them make 0; of `tr` all but jsonrepair (which gives the text "tr") and @anthropic-ai/sdk make true. openai and
#          @anthropic-ai/sdk hold numbers back, the latter texts as well. LangChain gives a half-read `\u00e9` as the text `u00`.
# Version: ai 7.0.173, @langchain/core 1.4.0, partial-json 0.1.7, best-effort-json-parser 1.5.1, jsonrepair 3.15.0, untruncate-json 0.0.1,
#          incomplete-json-parser 1.1.5, openai 7.59.0, @anthropic-ai/sdk 1.14.0 (of both the parser that their streams use)
# Matters: what a tool call asks for is shown to a person, and decided, from its finished arguments alone, never from what streams in.
# Seen:    the table at the end of the probe
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts ai@7.0.173 @langchain/core@1.4.0 partial-json@0.1.7 \
  best-effort-json-parser@1.5.1 jsonrepair@3.15.0 untruncate-json@0.0.1 incomplete-json-parser@1.1.5 openai@7.59.0 \
  @anthropic-ai/sdk@1.14.0 zod@4.6.7 >/dev/null
cat >probe.mjs <<'PROBE'
import assert from 'node:assert/strict'
import { partialParse as anthropic } from '@anthropic-ai/sdk/_vendor/partial-json-parser/parser.mjs'
import { JsonOutputParser } from '@langchain/core/output_parsers'
import { parsePartialJson } from 'ai'
import * as bestEffort from 'best-effort-json-parser'
import { IncompleteJsonParser } from 'incomplete-json-parser'
import { jsonrepair } from 'jsonrepair'
import { partialParse as openai } from 'openai/_vendor/partial-json-parser/parser.mjs'
import { parse as partialJson } from 'partial-json'
import untruncate from 'untruncate-json'

bestEffort.disableErrorLogging()
const readers = {
  ai: async (text) => (await parsePartialJson(text)).value,
  langchain: (text) => new JsonOutputParser().parsePartialResult([{ text }]),
  'partial-json': partialJson,
  'best-effort': bestEffort.parse,
  jsonrepair: (text) => JSON.parse(jsonrepair(text)),
  untruncate: (text) => JSON.parse((untruncate.default ?? untruncate)(text)),
  incomplete: (text) => IncompleteJsonParser.parse(text),
  openai,
  anthropic,
}
const beginnings = ['{"amount": 1', '{"amount": -', '{"yes": tr', '{"to": "ann', '{"to": "\\u00']
const table = {}
for (const [name, read] of Object.entries(readers)) {
  table[name] = []
  for (const text of beginnings) {
    const value = await Promise.resolve(text).then(read).catch(() => 'throws')
    table[name].push(value === 'throws' ? value : String(JSON.stringify(Object.values(value)[0])))
  }
}
console.log(beginnings.join('   '))
console.log(table)
assert.deepEqual(table, {
  ai: ['1', 'undefined', 'true', '"ann"', '""'],
  langchain: ['1', '0', 'true', '"ann"', '"u00"'],
  'partial-json': ['1', 'undefined', 'true', '"ann"', '""'],
  'best-effort': ['1', '0', 'true', '"ann"', 'throws'],
  jsonrepair: ['1', '0', '"tr"', '"ann"', '""'],
  untruncate: ['1', '0', 'true', '"ann"', '""'],
  incomplete: ['1', '0', 'true', '"ann"', '""'],
  openai: ['undefined', 'undefined', 'true', '"ann"', '""'],
  anthropic: ['undefined', 'undefined', 'undefined', 'undefined', 'undefined'],
})
console.log('ok')
PROBE
node probe.mjs
