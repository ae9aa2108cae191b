import { setImmediate as turn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { createLoopTurns } from './loop-turns.ts'

test('work begins at once until the turn is used up, and then owner by owner, a turn at a time', async () => {
  let now = 0
  const turns = createLoopTurns(() => now)
  const order: string[] = []
  const work = (owner: string): Promise<void> => {
    const begin = (): void => {
      order.push(owner)
      now += 3
    }
    const wait = turns.wait(owner)
    if (wait !== undefined) return wait.then(begin)
    begin()
    return Promise.resolve()
  }
  const all = [work('busy'), work('busy'), work('busy'), work('busy'), work('busy'), work('quiet')]
  expect(order).toEqual(['busy', 'busy'])
  await turn()
  expect(order).toEqual(['busy', 'busy', 'busy', 'quiet'])
  await turn()
  expect(order).toEqual(['busy', 'busy', 'busy', 'quiet', 'busy', 'busy'])
  await Promise.all(all)
  await turn()
  expect(turns.wait('busy')).toBeUndefined()
})

test('nobody overtakes what the same owner sent before', async () => {
  let now = 0
  const turns = createLoopTurns(() => now)
  expect(turns.wait('a')).toBeUndefined()
  now = 5
  const second = turns.wait('a')
  now = 0
  const third = turns.wait('a')
  expect(turns.wait('b')).toBeUndefined()
  const order: number[] = []
  await Promise.all([second?.then(() => order.push(2)), third?.then(() => order.push(3))])
  expect(order).toEqual([2, 3])
})
