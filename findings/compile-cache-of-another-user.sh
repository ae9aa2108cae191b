#!/usr/bin/env bash
# Guess:   what Node compiled ahead while an image was built (as root, into NODE_COMPILE_CACHE) is read by the program that the
#          image runs as another user, as long as that one may read the folder.
# Real:    Node makes a folder below the one that it is given, whose name ends in the number of the user. Another user's program
#          wants one of its own, may not make it, says nothing, has no cache at all, and compiles everything anew at each start.
# Version: node 24.21.0 (npm package `node`), typescript 5.9.3 as the code
# Matters: an image that drops root at its end fills such a cache as the user that reads it, or gains nothing by it.
# Seen:    root: v24.21.0-x64-<hash>-0, the second time with hits; another user: getCompileCacheDir() undefined, no hit, exit 0
set -euo pipefail
if [ "$(id -u)" != 0 ]; then echo "this one needs root: it runs a program as two users"; exit 1; fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund node@24.21.0 typescript@5.9.3 >/dev/null
chmod -R a+rX "$work"
cat >program.cjs <<'PROGRAM'
require('typescript')
process.stdout.write(String(require('node:module').getCompileCacheDir()))
PROGRAM
cat >probe.mjs <<'PROBE'
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'

const cache = `${process.cwd()}/cache`
function run(uid) {
  const { status, stdout, stderr } = spawnSync(`${process.cwd()}/node_modules/node/bin/node`, ['program.cjs'], {
    ...{ uid, gid: uid, encoding: 'utf8' },
    env: { NODE_COMPILE_CACHE: cache, NODE_DEBUG_NATIVE: 'COMPILE_CACHE' },
  })
  assert.equal(status, 0, stderr)
  return { folder: stdout.replace(`${cache}/`, ''), hits: (stderr.match(/was accepted/g) ?? []).length }
}

const root = run(0)
const again = run(0)
const other = run(65_532)
console.log(root, again, other, readdirSync(cache))
assert.match(root.folder, /^v24\.21\.0-.*-0$/)
assert.equal(again.folder, root.folder)
assert.ok(root.hits === 0 && again.hits > 0)
assert.deepEqual(other, { folder: 'undefined', hits: 0 })
assert.deepEqual(readdirSync(cache), [root.folder])
console.log('ok')
PROBE
./node_modules/node/bin/node probe.mjs
