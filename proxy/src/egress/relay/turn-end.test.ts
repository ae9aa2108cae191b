import { expect, it, vi } from 'vitest'
import { flushAtTurnEnd, flushSoon } from './turn-end.ts'

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

it('writes what is whole at once where the last turn had one alone, and at the end of a turn that has several', async () => {
  const written: string[] = []
  const soon = (name: string) => flushSoon({ flush: () => void written.push(name), breakOff() {} })
  for (let of = 0; of < 2; of += 1) flushAtTurnEnd({ flush() {}, breakOff() {} })
  await turn()
  for (const name of ['a', 'b']) soon(name)
  expect(written).toEqual([])
  await turn()
  soon('after several')
  expect(written).toEqual(['a', 'b'])
  await turn()
  for (const name of ['at once', 'with others', 'with others too']) soon(name)
  expect(written).toEqual(['a', 'b', 'after several', 'at once'])
  await turn()
  soon('after several')
  expect(written.slice(4)).toEqual(['with others', 'with others too'])
  await turn()
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
