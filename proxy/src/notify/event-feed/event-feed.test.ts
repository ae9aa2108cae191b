import { afterEach, expect, it, vi } from 'vitest'
import { createEventFeed } from './event-feed.ts'

afterEach(() => void vi.useRealTimers())

/** Follows, and gives what came as text. */
function followed(feed = createEventFeed(), lastEventId?: string) {
  const pieces: Buffer[] = []
  const { promise, resolve } = Promise.withResolvers<void>()
  const following = feed.follow(lastEventId, (piece) => {
    pieces.push(piece)
    resolve()
  })
  return { feed, following, pieces, came: promise, text: () => Buffer.concat(pieces).toString() }
}

it('tells each event once, to all who follow, in the order in which it was published', async () => {
  const one = followed()
  const two = followed(one.feed)
  one.feed.publish({ type: 'audit', id: 1 })
  one.feed.publish({ type: 'audit', id: 2 })
  await Promise.all([one.came, two.came])
  expect(one.text()).toMatch(
    /^id: ([0-9a-f]{12})-1\ndata: \{"type":"audit","id":1\}\n\nid: \1-2\ndata: \{"type":"audit","id":2\}\n\n$/,
  )
  // The same bytes, made once.
  expect(two.pieces[0]).toBe(one.pieces[0])
})

it('goes on behind the id that was seen last, however much of it was told to others meanwhile', () => {
  const { feed, following } = followed()
  for (let id = 1; id <= 5; id++) feed.publish({ type: 'audit', id })
  const at = (sequence: number): string => following.position.replace(/-0$/, `-${sequence}`)
  const later = followed(feed, at(3))
  expect(later.following.missed?.match(/"id":\d/g)).toEqual(['"id":4', '"id":5'])
  expect(later.text()).toBe('')
  expect(followed(feed, at(5)).following.missed).toBe('')
})

it('says that there is a gap where the id is another daemon’s, too old, or made up', () => {
  const { feed, following } = followed()
  for (let id = 1; id <= 5_000; id++) feed.publish({ type: 'audit', id })
  const own = following.position.replace(/-0$/, '')
  for (const id of [`${own}-1`, `${own}-5001`, `${'0'.repeat(12)}-4999`, own, `${own}-4999x`, ''])
    expect(followed(feed, id).following.missed, id).toBe(null)
  expect(followed(feed, `${own}-4990`).following.missed?.match(/"id":/g)).toHaveLength(10)
})

it('keeps nothing before anybody follows, and tells nobody who has left', async () => {
  const feed = createEventFeed()
  feed.publish({ type: 'audit', id: 1 })
  const left = followed(feed)
  expect(left.following.position).toMatch(/-0$/)
  left.following[Symbol.dispose]()
  const stays = followed(feed)
  feed.publish({ type: 'audit', id: 2 })
  await stays.came
  expect([left.text(), stays.text().includes('"id":2')]).toEqual(['', true])
})

it('writes to a console at most five times in a second, however much happens, and the first time at once', () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'setImmediate', 'performance'] })
  const { feed, pieces, text } = followed()
  for (let id = 1; id <= 100; id++) {
    feed.publish({ type: 'audit', id })
    if (id === 1) vi.advanceTimersByTime(0)
    expect(pieces.length).toBeGreaterThan(0)
    vi.advanceTimersByTime(10)
  }
  expect(pieces.length).toBeLessThanOrEqual(5)
  vi.advanceTimersByTime(250)
  expect(text().match(/^data:/gm)).toHaveLength(100)
})
