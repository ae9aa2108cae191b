import { describe, expect, test } from 'vitest'
import { createFairQueue } from './fair-queue.ts'
import { createFairSlots } from './fair-slots.ts'

const BOUNDS = { perOwner: 100, total: 1_000 }

describe('a fair queue', () => {
  test('lets owners take turns, whoever came with much first', () => {
    const queue = createFairQueue<number>(BOUNDS)
    for (let n = 0; n < 60; n++) queue.push('busy', n)
    queue.push('other', 100)
    queue.push('third', 200)
    const served = Array.from({ length: 5 }, () => queue.shift()?.item)
    expect(served).toEqual([0, 100, 200, 1, 2])
    expect(queue.size).toBe(57)
  })

  test('refuses what is more than one owner, or all, may have waiting', () => {
    const queue = createFairQueue<number>({ perOwner: 2, total: 3 })
    expect([queue.push('a', 1), queue.push('a', 2), queue.push('a', 3)]).toEqual([true, true, false])
    expect([queue.push('b', 4), queue.push('b', 5)]).toEqual([true, false])
    expect([queue.sizeOf('a'), queue.sizeOf('b'), queue.sizeOf('c')]).toEqual([2, 1, 0])
  })

  test('passes over owners that are not ready, without losing their turn', () => {
    const queue = createFairQueue<string>(BOUNDS)
    queue.push('a', 'a1')
    queue.push('b', 'b1')
    expect(queue.shift((owner) => owner !== 'a')).toEqual({ owner: 'b', item: 'b1' })
    expect(queue.shift((owner) => owner !== 'a')).toBeUndefined()
    expect(queue.shift()).toEqual({ owner: 'a', item: 'a1' })
  })

  test('serves whoever has used least first, where that is told, and those with as much in turn', () => {
    const queue = createFairQueue<string>(BOUNDS)
    for (const item of ['a1', 'b1', 'a2', 'c1', 'c2']) queue.push(item.slice(0, 1), item)
    const used = new Map([['a', 30]])
    const order: string[] = []
    for (let next = queue.shift(undefined, (owner) => used.get(owner) ?? 0); next; ) {
      order.push(next.item)
      next = queue.shift(undefined, (owner) => used.get(owner) ?? 0)
    }
    expect(order).toEqual(['b1', 'c1', 'c2', 'a1', 'a2'])
  })

  test('takes out what is given up, once', () => {
    const queue = createFairQueue<string>(BOUNDS)
    queue.push('a', 'x')
    expect([queue.remove('a', 'x'), queue.remove('a', 'x')]).toEqual([true, false])
    expect(queue.size).toBe(0)
    queue.push('a', 'y')
    expect(queue.clear()).toEqual(['y'])
    expect(queue.shift()).toBeUndefined()
  })
})

describe('fair slots', () => {
  const shares = { total: 3, perOwner: 2, waiting: BOUNDS }

  test('never give one owner all places', async () => {
    const slots = createFairSlots(shares)
    await slots.take('busy')
    await slots.take('busy')
    const third = slots.take('busy')
    expect([slots.taken, slots.waiting]).toEqual([2, 1])
    await slots.take('other')
    expect([slots.taken, slots.waiting]).toEqual([3, 1])
    expect(await Promise.race([third, 'waits'])).toBe('waits')
  })

  test('give a free place to owners in turn, and only once', async () => {
    const slots = createFairSlots({ ...shares, total: 1 })
    const order: string[] = []
    const work = async (owner: string): Promise<void> => {
      using place = await slots.take(owner)
      if (place !== undefined) order.push(owner)
    }
    const first = await slots.take('busy')
    const all = [...Array.from({ length: 3 }, () => work('busy')), work('other')]
    first?.[Symbol.dispose]()
    first?.[Symbol.dispose]()
    await Promise.all(all)
    expect(order).toEqual(['busy', 'other', 'busy', 'busy'])
    expect([slots.taken, slots.waiting]).toEqual([0, 0])
  })

  test('tell how many turns come before, and have shares of each owner’s own', async () => {
    const slots = createFairSlots({ ...shares, total: 2, perOwner: (owner) => (owner === 'small' ? 1 : 2) })
    const ahead: Record<string, () => number> = {}
    const ask = (owner: string, name: string): Promise<Disposable | undefined> =>
      slots.take(owner, undefined, (turns) => {
        ahead[name] = turns
      })
    const first = await ask('small', 's0')
    const small = ask('small', 's1')
    expect(slots.taken).toBe(1)
    await ask('large', 'l0')
    const all = [small, ask('large', 'l1'), ask('large', 'l2'), ask('late', 'x1')]
    const told = (): readonly (number | undefined)[] =>
      ['s0', 's1', 'l1', 'l2', 'x1'].map((name) => ahead[name]?.())
    expect(told()).toEqual([undefined, 0, 1, 3, 2])
    first?.[Symbol.dispose]()
    await all[0]
    expect(told()).toEqual([undefined, 0, 0, 2, 1])
  })

  test('refuse when the queue is full, and forget whoever gave up', async () => {
    const slots = createFairSlots({ total: 1, perOwner: 1, waiting: { perOwner: 1, total: 1 } })
    const first = await slots.take('a')
    const leaving = new AbortController()
    const waiting = slots.take('a', leaving.signal)
    expect(await slots.take('b')).toBeUndefined()
    leaving.abort(new Error('left'))
    await expect(waiting).rejects.toThrow('left')
    const next = slots.take('b')
    first?.[Symbol.dispose]()
    expect(await next).toBeDefined()
    expect(slots.taken).toBe(1)
  })
})
