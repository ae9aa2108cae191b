#!/usr/bin/env bash
# Guess:   a gzip file of several members (RFC 1952, 2.2; what `cat a.gz b.gz`, bgzip and eStargz layers are) is read to its end by every
#          decompressor; one that reads the first only says so.
# Real:    fflate's `gunzipSync`, `gunzip` and `decompressSync` give the first member cut to the length that the last one names, without
#          an error: of a long member and one of 6 bytes they give 6 bytes of the first. Its stream (`Gunzip`) reads all. DecompressionStream
#          of Node refuses the second member (as the standard of browsers says), and with it nanotar. Node's zlib, pako, minizlib
#          and tar read all.
# Version: fflate 0.8.3, pako 3.0.3, minizlib 3.1.0, nanotar 0.3.0, tar 7.5.23, Node 24.21.0
# Matters: code in a sandbox that reads what somebody joined (rotated logs, layers of images, exports in parts) loses most of it without a
#          word. A body is decompressed once, by one library, and its length compared with what was written.
# Seen:    bytes of 60,006 that are there: fflate 6 (stream: all), DecompressionStream: ERR_TRAILING_JUNK_AFTER_STREAM_END, others all
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts fflate@0.8.3 pako@3.0.3 minizlib@3.1.0 nanotar@0.3.0 tar@7.5.23 >/dev/null
cat >probe.mjs <<'PROBE'
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { buffer } from 'node:stream/consumers'
import { gunzipSync, gzipSync } from 'node:zlib'
import * as fflate from 'fflate'
import { Gunzip } from 'minizlib'
import { parseTarGzip } from 'nanotar'
import * as pako from 'pako'
import * as tar from 'tar'

const members = (...parts) => Buffer.concat(parts.map((part) => gzipSync(part)))
const first = Buffer.from('0123456789'.repeat(6_000))
const body = members(first, 'SECOND')
const decompressors = {
  zlib: () => gunzipSync(body),
  pako: () => pako.ungzip(body),
  minizlib: () => buffer(new Gunzip().end(body)),
  DecompressionStream: async () => new Response(new Blob([body]).stream().pipeThrough(new DecompressionStream('gzip'))).bytes(),
  'fflate gunzipSync': () => fflate.gunzipSync(body),
  'fflate decompressSync': () => fflate.decompressSync(body),
  'fflate gunzip': () => new Promise((resolve, reject) => fflate.gunzip(body, (error, data) => (error ? reject(error) : resolve(data)))),
  'fflate Gunzip': () => {
    const parts = []
    new fflate.Gunzip((part) => parts.push(part)).push(body, true)
    return Buffer.concat(parts)
  },
}
const said = async (call) => {
  try {
    return await call()
  } catch (error) {
    return error.code ?? error.cause?.code ?? String(error)
  }
}
const seen = {}
for (const [name, call] of Object.entries(decompressors)) {
  const bytes = await said(call)
  seen[name] = typeof bytes === 'string' ? bytes : `${bytes.length}, ${Buffer.from(bytes.subarray(-6))}`
}

// The same for an archive whose two files stand in a member each.
writeFileSync('one', 'one')
writeFileSync('two', 'two')
const archive = execFileSync('tar', ['--create', 'one', 'two'])
writeFileSync('archive.tgz', members(archive.subarray(0, 1024), archive.subarray(1024)))
seen['tar archive'] = await said(async () => {
  const names = []
  await tar.list({ file: 'archive.tgz', onReadEntry: (entry) => names.push(entry.path) })
  return names.join(', ')
})
seen['nanotar archive'] = await said(async () => {
  const files = await parseTarGzip(members(archive.subarray(0, 1024), archive.subarray(1024)))
  return files.map(({ name }) => name).join(', ')
})
console.log(seen)
const all = '60006, SECOND'
const refused = 'ERR_TRAILING_JUNK_AFTER_STREAM_END'
assert.deepEqual(seen, {
  zlib: all,
  pako: all,
  minizlib: all,
  DecompressionStream: refused,
  'fflate gunzipSync': '6, 012345',
  'fflate decompressSync': '6, 012345',
  'fflate gunzip': '6, 012345',
  'fflate Gunzip': all,
  'tar archive': 'one, two',
  'nanotar archive': refused,
})
console.log('ok')
process.exit(0)
PROBE
node probe.mjs
