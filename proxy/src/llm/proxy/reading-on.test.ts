import type { IncomingMessage } from 'node:http'
import { expect, it, vi } from 'vitest'
import { Exchange } from './exchange.ts'
import { createReadingOn } from './reading-on.ts'

it('breaks off an answer that takes too long, and none that has ended before', async () => {
  using readingOn = createReadingOn(5)
  const late = Promise.withResolvers<Error>()
  const ended = vi.fn()
  const [first, second] = [{}, {}]
  expect(readingOn.begin(first, { breakOff: ended })).toBe(true)
  readingOn.end(first)
  expect(readingOn.begin(second, { breakOff: late.resolve })).toBe(true)
  expect((await late.promise).message).toContain('too long')
  expect(ended).not.toHaveBeenCalled()
})

it('breaks off all of them when the daemon stops, and begins none afterwards', () => {
  const readingOn = createReadingOn(60_000)
  const breakOff = vi.fn()
  readingOn.begin({}, { breakOff })
  readingOn[Symbol.dispose]()
  expect(breakOff).toHaveBeenCalledTimes(1)
  expect(readingOn.begin({}, { breakOff })).toBe(false)
})

it('keeps what was lent to a request, its place under way among it, until its answer was read', () => {
  const exchange = new Exchange({} as IncomingMessage, null)
  const dispose = vi.fn()
  exchange.keep({ [Symbol.dispose]: dispose })
  exchange.retain()
  exchange.end()
  expect(exchange.gone().aborted).toBe(true)
  expect(dispose).not.toHaveBeenCalled()
  exchange.release()
  expect(dispose).toHaveBeenCalledTimes(1)
})
