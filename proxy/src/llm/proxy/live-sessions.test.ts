import { PassThrough } from 'node:stream'
import { expect, it } from 'vitest'
import { createLiveSessions } from './live-sessions.ts'

it('ends at once what is open, allowed or not, and watches what comes after', () => {
  using sessions = createLiveSessions(() => {})
  const before = new PassThrough()
  sessions.watch(before, () => true)
  sessions.endAll()
  expect(before.destroyed).toBe(true)
  const after = new PassThrough()
  sessions.watch(after, () => true)
  expect(after.destroyed).toBe(false)
})
