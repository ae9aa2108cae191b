#!/usr/bin/env bash
# Guess:   a file with holes that GNU tar packed with `--sparse` comes back as it was by every maintained tar library, or it raises an error.
# Real:    none of seven restores it. `tar` leaves the old form (type S) out without a word, with `strict` too; tar-stream, modern-tar,
#          nanotar, it-tar and @obsidize/tar-browserify give the file cut down to its data. tar-fs alone throws. Of the form of POSIX archives all make
#          another file, `GNUSparseFile.…/disk.img`, which holds the list of the holes before the data.
# Version: tar 7.5.23, tar-fs 3.1.3, tar-stream 3.2.2, modern-tar 0.8.6, nanotar 0.3.0, it-tar 6.0.6, @obsidize/tar-browserify 6.3.2,
#          with archives of GNU tar 1.34
# Matters: an import of archives made elsewhere refuses type S and `GNU.sparse.*` before it unpacks, or uses GNU tar; a size that
#          differs from `GNU.sparse.realsize` is the only sign.
# Seen:    the table at the end of the probe; the same file without --sparse is whole in all seven
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts tar@7.5.23 tar-fs@3.1.3 tar-stream@3.2.2 modern-tar@0.8.6 nanotar@0.3.0 \
  it-tar@6.0.6 @obsidize/tar-browserify@6.3.2 >/dev/null
mkdir src
printf 'HEAD' >src/disk.img
printf 'TAIL' | dd of=src/disk.img bs=1 seek=1048576 status=none
truncate --size 2097152 src/disk.img
tar -C src --format=gnu -cf plain.tar disk.img
tar -C src --format=gnu --sparse -cf gnu.tar disk.img
tar -C src --format=posix --sparse -cf posix.tar disk.img
cat >probe.mjs <<'PROBE'
import assert from 'node:assert/strict'
import { createReadStream, mkdirSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { Archive } from '@obsidize/tar-browserify'
import { extract } from 'it-tar'
import { unpackTar } from 'modern-tar/fs'
import { parseTar } from 'nanotar'
import { x } from 'tar'
import tarFs from 'tar-fs'
import tarStream from 'tar-stream'

const original = readFileSync('src/disk.img')
const told = (name, bytes) =>
  `${name.replace(/^\.\//, '').replace(/File\.\d+/, 'File.N')} ${
    original.equals(bytes) ? 'whole' : 'other bytes'
  }`
const files = (folder) =>
  readdirSync(folder, { recursive: true })
    .filter((name) => statSync(join(folder, name)).isFile())
    .map((name) => told(name, readFileSync(join(folder, name))))
const gather = async (parts) => {
  const all = []
  for await (const part of parts) all.push(part.subarray())
  return Buffer.concat(all)
}
/** Each gives what came of an archive, or leaves it in the folder. */
const readers = {
  tar: (file, cwd) => x({ file, cwd, strict: true }),
  'tar-fs': (file, folder) => pipeline(createReadStream(file), tarFs.extract(folder)),
  'tar-stream': async (file) => {
    const seen = []
    for await (const entry of createReadStream(file).pipe(tarStream.extract()))
      seen.push(told(entry.header.name, await gather(entry)))
    return seen
  },
  'modern-tar': (file, folder) => pipeline(createReadStream(file), unpackTar(folder)),
  nanotar: (file) => parseTar(new Uint8Array(readFileSync(file))).map(({ name, data }) => told(name, Buffer.from(data ?? []))),
  'it-tar': async (file) => {
    const seen = []
    for await (const { header, body } of extract()(createReadStream(file))) seen.push(told(header.name, await gather(body)))
    return seen
  },
  browserify: async (file) => {
    const { entries } = await Archive.extract(new Uint8Array(readFileSync(file)))
    return entries.map(({ fileName, content }) => told(fileName, Buffer.from(content ?? [])))
  },
}
const table = {}
for (const [name, read] of Object.entries(readers)) {
  table[name] = []
  for (const archive of ['plain.tar', 'gnu.tar', 'posix.tar']) {
    rmSync('out', { recursive: true, force: true })
    mkdirSync('out')
    const seen = await Promise.resolve(read(archive, 'out')).then((list) => (Array.isArray(list) ? list : files('out')), () => ['throws'])
    table[name].push(seen.join() || 'nothing')
  }
}
console.log(table)
const other = 'GNUSparseFile.N/disk.img other bytes'
assert.deepEqual(table, {
  tar: ['disk.img whole', 'nothing', other],
  'tar-fs': ['disk.img whole', 'throws', other],
  'tar-stream': ['disk.img whole', 'disk.img other bytes', other],
  'modern-tar': ['disk.img whole', 'disk.img other bytes', other],
  nanotar: ['disk.img whole', 'disk.img other bytes', other],
  'it-tar': ['disk.img whole', 'disk.img other bytes', other],
  browserify: ['disk.img whole', 'disk.img other bytes', other],
})
console.log('ok')
PROBE
node probe.mjs
