import { expect, test } from 'vitest'
import { createOneAtATime, createOneAtATimeEach } from './index.ts'

test('work runs one after the other, as it came, and what fails holds up none behind it', async () => {
  const inTurn = createOneAtATime()
  const steps: string[] = []
  const work = (name: string, fails = false) =>
    inTurn(async () => {
      steps.push(`${name} begins`)
      await Promise.resolve()
      steps.push(`${name} ends`)
      if (fails) throw new Error(name)
      return name
    })
  const all = await Promise.allSettled([work('a'), work('b', true), work('c')])
  expect(all.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
  expect(steps).toEqual(['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends'])
})

test('runs the work of one key in order, beside that of another', async () => {
  const inTurn = createOneAtATimeEach<string>()
  const happened: string[] = []
  const held = Promise.withResolvers<void>()
  const first = inTurn('a', async () => {
    await held.promise
    happened.push('a1')
    throw new Error('it failed')
  })
  const second = inTurn('a', async () => void happened.push('a2'))
  await inTurn('b', async () => void happened.push('b'))
  held.resolve()
  await expect(first).rejects.toThrow('it failed')
  // Work under way is waited for, also by who comes while others end.
  await Promise.all([second, inTurn('a', async () => void happened.push('a3'))])
  expect(happened).toEqual(['b', 'a1', 'a2', 'a3'])
})
