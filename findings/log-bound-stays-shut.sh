#!/usr/bin/env bash
# Guess:   a destination of pino with `maxLength` drops lines while the disk has no room, and writes again once it has.
# Real:    a line that would pass the bound is dropped before a write is tried: with room again, lines as long as those that filled it are
#          dropped for ever, and nothing says so but the event `drop`. A line short enough for what is left of the bound has all
#          that waits written, and those behind it. Without the bound all lines are kept in memory, however many, and written once there is room.
# Version: pino 10.4.0, sonic-boom 4.2.1, Node 24.21.0
# Matters: a service whose log was on a full disk may be silent until it is started anew. A destination that dropped a line is replaced.
# Seen:    after 100 lines of 1,000 characters without room, 10 more of them with room and a bound of 10,000: none written, 10 dropped;
#          10 short ones: 19 written; without a bound: all 110
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts pino@10.4.0 sonic-boom@4.2.1 >/dev/null
cat >probe.cjs <<'PROBE'
const assert = require('node:assert/strict')
const fs = require('node:fs')
const pino = require('pino')

const { writeSync } = fs
const full = () => {
  throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' })
}

function linesWritten(name, options, later) {
  const path = `log-${name}`
  const to = pino.destination({ fd: fs.openSync(path, 'w'), sync: true, ...options })
  to.on('error', () => {})
  let dropped = 0
  to.on('drop', () => (dropped += 1))
  const log = pino(to)
  // The disk, as the system call tells of it.
  fs.writeSync = full
  for (let line = 0; line < 100; line += 1) log.info('x'.repeat(1_000))
  fs.writeSync = writeSync
  const before = dropped
  for (let line = 0; line < 10; line += 1) log.info(later)
  return { written: fs.readFileSync(path, 'utf8').split('\n').length - 1, droppedWithRoom: dropped - before }
}

const long = 'x'.repeat(1_000)
const seen = {
  'bounded, as long': linesWritten('long', { maxLength: 10_000 }, long),
  'bounded, short': linesWritten('short', { maxLength: 10_000 }, 'there is room'),
  unbounded: linesWritten('unbounded', {}, long),
}
console.log(seen)
assert.deepEqual(seen, {
  'bounded, as long': { written: 0, droppedWithRoom: 10 },
  'bounded, short': { written: 19, droppedWithRoom: 0 },
  unbounded: { written: 110, droppedWithRoom: 0 },
})
PROBE
node probe.cjs
