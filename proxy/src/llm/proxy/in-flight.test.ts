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

it('is bounded for all agents together, and whoever comes last finds a place', () => {
  const inFlight = createInFlight()
  const agents = Array.from({ length: 10 }, (_, agent) => `a${agent}`)
  const places = agents.map((agent) => take(600, () => inFlight.take(agent)))
  expect(places.map(({ length }) => length)).toEqual([512, 512, 512, 512, 512, 512, 512, 256, 128, 64])
  expect(agents.map((agent) => inFlight.take(agent))).toEqual(agents.map(() => null))
  expect(take(600, () => inFlight.take('another'))).toHaveLength(32)
  for (const place of places.flat()) place[Symbol.dispose]()
  expect(take(600, () => inFlight.take('later'))).toHaveLength(512)
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
