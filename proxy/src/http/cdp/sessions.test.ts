import { expect, it } from 'vitest'
import { createCdpSessions } from './sessions.ts'

const ONE = { key: 'one' }
const OTHER = { key: 'other' }

it('gives names that nobody guesses, and that are nobody else’s', () => {
  const sessions = createCdpSessions({ now: () => 0 })
  const mine = sessions.begin(ONE)
  // By it alone an opening finds its tenant: another's of the same name would take its place.
  expect(mine).toMatch(/^[\w-]{22}$/)
  for (let count = 0; count < 100; count += 1) sessions.begin(OTHER)
  expect(sessions.ownerOf(mine)).toBe(ONE)
  expect(sessions.of(OTHER)).toHaveLength(32)
})

it('is over with its last connection, and when nobody came', () => {
  let now = 0
  const sessions = createCdpSessions({ now: () => now })
  const used = sessions.begin(ONE)
  const [first, second] = [sessions.use(used), sessions.use(used)]
  const unused = sessions.begin(ONE)
  now = 30_000
  expect(sessions.ownerOf(unused)).toBeUndefined()
  first?.[Symbol.dispose]()
  expect(sessions.of(ONE)).toEqual([used])
  second?.[Symbol.dispose]()
  expect(sessions.ownerOf(used)).toBeUndefined()
  const busy = sessions.begin(ONE)
  const taken = Array.from({ length: 17 }, () => sessions.use(busy))
  expect(taken.filter((one) => one === undefined)).toHaveLength(1)
})
