import { expect, it, vi } from 'vitest'
import { flushAtTurnEnd } from './turn-end.ts'

const turn = () => new Promise((resolve) => setImmediate(resolve))

it('writes all of a turn at its end, in order, and what is asked for meanwhile in the next', async () => {
  const written: string[] = []
  const writer = (name: string, more = () => {}) => ({
    flush() {
      written.push(name)
      more()
    },
    breakOff() {},
  })
  flushAtTurnEnd(writer('first', () => flushAtTurnEnd(writer('late'))))
  flushAtTurnEnd(writer('second'))
  expect(written).toEqual([])
  await turn()
  expect(written).toEqual(['first', 'second'])
  await turn()
  expect(written).toEqual(['first', 'second', 'late'])
})

it('breaks off alone what cannot be written', async () => {
  const [broken, whole] = [
    {
      flush: () => {
        throw new Error('a status that there is not')
      },
      breakOff: vi.fn(),
    },
    { flush: vi.fn(), breakOff: vi.fn() },
  ]
  flushAtTurnEnd(broken)
  flushAtTurnEnd(whole)
  await turn()
  expect(broken.breakOff).toHaveBeenCalledOnce()
  expect(whole.flush).toHaveBeenCalledOnce()
  expect(whole.breakOff).not.toHaveBeenCalled()
})
