import { expect, it } from 'vitest'
import { createInFlight } from './in-flight.ts'

const take = (count: number, from: () => Disposable | null): Disposable[] =>
  Array.from({ length: count }, from).filter((place) => place !== null)

it('holds up an agent that has too many under way, and no other', () => {
  const inFlight = createInFlight()
  const places = take(600, () => inFlight.take('greedy'))
  expect(places).toHaveLength(512)
  expect(inFlight.take('modest')).not.toBeNull()
  places.pop()?.[Symbol.dispose]()
  expect(take(2, () => inFlight.take('greedy'))).toHaveLength(1)
  for (const place of places) place[Symbol.dispose]()
  expect(take(600, () => inFlight.take('greedy'))).toHaveLength(511)
})

it('holds up everybody when all together have too many', () => {
  const inFlight = createInFlight()
  const places = Array.from({ length: 10 }, (_, agent) => take(500, () => inFlight.take(`a${agent}`))).flat()
  expect(places).toHaveLength(4_096)
  expect(inFlight.take('another')).toBeNull()
  for (const place of places) place[Symbol.dispose]()
  expect(inFlight.take('another')).not.toBeNull()
})

it('is settled when nothing is under way any more, and not before', async () => {
  const inFlight = createInFlight()
  await inFlight.settled()
  const [one, two] = take(2, () => inFlight.take('agent'))
  const settled: string[] = []
  const all = ['first', 'second'].map((name) => inFlight.settled().then(() => settled.push(name)))
  one?.[Symbol.dispose]()
  await Promise.resolve()
  expect(settled).toEqual([])
  two?.[Symbol.dispose]()
  await Promise.all(all)
  expect(settled).toEqual(['first', 'second'])
})
