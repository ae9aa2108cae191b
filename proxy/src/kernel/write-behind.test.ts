import { AsyncLocalStorage } from 'node:async_hooks'
import { expect, it } from 'vitest'
import { createWriteBehind } from './write-behind.ts'

it('does once more what was begun while it was under way, and never two at once', async () => {
  let underWay = 0
  let most = 0
  let times = 0
  const writing = createWriteBehind(async () => {
    times += 1
    most = Math.max(most, ++underWay)
    await new Promise(setImmediate)
    underWay -= 1
  })
  for (let n = 0; n < 5; n += 1) writing.begin()
  await writing.settle()
  expect([times, most]).toEqual([2, 1])
  await writing.settle()
  expect(times).toBe(2)
  writing.begin()
  await writing.settle()
  expect(times).toBe(3)
})

it('leaves what failed for the next time, and says so to nobody but who settles it', async () => {
  let isFull = true
  let written = 0
  const writing = createWriteBehind(async () => {
    await null
    if (isFull) throw new Error('full')
    written += 1
  })
  writing.begin()
  await new Promise(setImmediate)
  await expect(writing.settle()).rejects.toThrow('full')
  isFull = false
  await writing.settle()
  await writing.settle()
  expect(written).toBe(1)
})

it('works outside of what it was begun in', async () => {
  const unit = new AsyncLocalStorage<string>()
  const seen: unknown[] = []
  const writing = createWriteBehind(async () => {
    await null
    seen.push(unit.getStore())
  })
  await unit.run('inside a unit', async () => {
    writing.begin()
    await writing.settle()
  })
  expect(seen).toEqual([undefined])
})
