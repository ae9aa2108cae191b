import { expect, it } from 'vitest'
import { createFileRoom } from './file-room.ts'

const NEVER = new AbortController().signal
const TURNS = { total: 2, perOwner: 1, waiting: { perOwner: 1, total: 4 } }

it('leaves the next tenant room, whatever others hold', async () => {
  const room = createFileRoom({ total: 128, perOwner: 50 }, TURNS)
  const held = [room.hold('a', 25), room.hold('a', 25)]
  expect(() => room.hold('a', 1)).toThrow(/Too many files/)
  held.push(room.hold('b', 30))
  // Half of what those leave, and no more of it than that.
  expect(() => room.hold('c', 25)).toThrow(/Too many files/)
  held.push(room.hold('c', 24))
  expect(() => room.hold('d', 13)).toThrow(/Too many files/)
  held.push(room.hold('d', 12))
  for (const one of held) one[Symbol.dispose]()
  held[0]?.[Symbol.dispose]()
  room.hold('d', 50)
  expect(() => room.hold('d', 1)).toThrow(/Too many files/)
})

it('gives each tenant a turn at the engine, however many one asks for', async () => {
  const room = createFileRoom(undefined, TURNS)
  const first = await room.turn('a', NEVER)
  const second = room.turn('a', NEVER)
  await expect(room.turn('a', NEVER)).rejects.toMatchObject({ code: 'rate_limited' })
  using _other = await room.turn('b', NEVER)
  first[Symbol.dispose]()
  using _second = await second
})
