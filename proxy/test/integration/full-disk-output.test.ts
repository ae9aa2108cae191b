import { spawnSync } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'

/** Output that goes to a file on a full disk, as `/dev/full` stands for it. */

const ROOT = join(import.meta.dirname, '../../..')
const NODE = join(ROOT, 'node_modules/node/bin/node')
let full: number

beforeEach(() => {
  full = openSync('/dev/full', 'w')
})
afterEach(() => closeSync(full))

const run = (args: readonly string[], stderr: 'pipe' | number = 'pipe') =>
  spawnSync(NODE, args, { cwd: ROOT, encoding: 'utf8', stdio: ['ignore', full, stderr] })

test('a command says in a line that its output was lost, and fails', () => {
  const main = ['proxy/src/main.ts', '--help']
  expect(run(main)).toMatchObject({
    status: 1,
    stderr: expect.stringMatching(/^oauth3: what it prints cannot be written: ENOSPC[^\n]*\n$/),
  })
  expect(run(main, full).status).toBe(1)
})

const RECOVERY = `
  import fs from 'node:fs'
  import { createLog } from './proxy/src/compose/daemon-log.ts'
  const { writeSync } = fs
  let written = ''
  const room = (_fd, text) => { written += text; return Buffer.byteLength(text) }
  fs.writeSync = () => { throw Object.assign(new Error('no space left'), { code: 'ENOSPC' }) }
  const log = createLog('info', false)
  for (let line = 0; line < 1_000; line += 1) log.info('x'.repeat(10_000))
  fs.writeSync = room
  log.info('there is room')
  await null
  fs.writeSync = writeSync
  console.error('room' , written.includes('there is room'), written.includes('lines of this log were lost'))
`

test('the log goes on once there is room, and says that lines of it were lost', () => {
  const { status, stderr } = run(['--input-type=module-typescript', '-e', RECOVERY])
  expect(stderr).toContain('room true true')
  expect(status).toBe(0)
})

const LINES = 20_000
const LOGGER = `
  import { createLog } from './proxy/src/compose/daemon-log.ts'
  const log = createLog('info', false)
  for (let line = 0; line < ${LINES}; line += 1) {
    log.info('x'.repeat(10_000))
    if (line % 100 === 0) await new Promise(setImmediate)
  }
  console.error('goes on with', process.memoryUsage().heapUsed)
`

test('the daemon goes on without its log, says so once, and keeps no more of it than a bound', () => {
  const { status, stderr } = run(['--input-type=module-typescript', '-e', LOGGER])
  expect(status).toBe(0)
  expect(stderr.match(/the log cannot be written/g)).toHaveLength(1)
  const heapUsed = Number(/goes on with ([0-9]+)/.exec(stderr)?.[1])
  expect(heapUsed).toBeLessThan((LINES * 10_000) / 2)
})
