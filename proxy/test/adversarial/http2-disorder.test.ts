/** Denial of service: nothing that code or a host breaks off in HTTP/2 stops the daemon, or looks whole, or stays open. */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect, test } from 'vitest'
import { patience } from '../support/pace.ts'

const CHILD = join(import.meta.dirname, '../support/http2-disorder.ts')
const SEEDS = 32
/** One seed takes less than a second. A loop in native code stops every timer of its own process, so it is noticed from here. */
const SILENCE_MS = patience(25_000)

test('requests that are broken off by code and by hosts, in every order, leave the gateway serving', async () => {
  const child = spawn(process.execPath, [CHILD, '1', String(SEEDS)], { stdio: ['ignore', 'pipe', 'pipe'] })
  const lines: string[] = []
  let isHung = false
  const hung = (): void => {
    isHung = true
    child.kill('SIGKILL')
  }
  let watchdog = setTimeout(hung, SILENCE_MS)
  createInterface({ input: child.stdout }).on('line', (line) => {
    lines.push(line)
    clearTimeout(watchdog)
    watchdog = setTimeout(hung, SILENCE_MS)
  })
  let errors = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text
  })
  await new Promise((closed) => child.once('close', closed))
  clearTimeout(watchdog)
  expect({ isHung, last: lines.at(-1), errors }).toEqual({ isHung: false, last: 'done', errors: '' })
  expect(lines.filter((line) => !line.startsWith('seed '))).toEqual(['done'])
  expect(lines).toHaveLength(SEEDS + 1)
})
