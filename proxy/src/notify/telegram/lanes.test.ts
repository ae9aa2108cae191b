import { describe, expect, it } from 'vitest'
import { createPace, type PaceLimits, paceOf } from '../bot-api/index.ts'
import type { OutboxMessage } from '../outbox/index.ts'
import { cardLane, createSendOrder, noticeLane, replyLane, updateLane } from './lanes.ts'

const CHAT = '1001'
const GROUP = '-1001'
const SECOND = 1_000

/** A chat on a clock of its own: what is queued is sent as the pace and the order allow, to the millisecond. */
function chatOf(limits: PaceLimits) {
  let now = 0
  let nextId = 1
  const lanes = new Map<string, OutboxMessage[]>()
  const pace = createPace(limits, () => now)
  const order = createSendOrder({ pace: limits, now: () => now })
  const sent: { readonly lane: string; readonly waited: number }[] = []
  const step = (): void => {
    for (;;) {
      const due = [...lanes.values()].flatMap(([first]) => (first === undefined ? [] : [first]))
      const choice = order.next(due, (claim) => pace.waitMs(claim) === 0)
      if (choice === undefined) return
      expect(pace.tryTake(choice.claim)).toBe(true)
      order.took(choice)
      const { lane, createdAt } = choice.message
      lanes.get(lane)?.shift()
      sent.push({ lane, waited: now - createdAt })
    }
  }
  return {
    sent,
    queue(lane: string, count = 1): void {
      const waiting = lanes.get(lane) ?? []
      lanes.set(lane, waiting)
      for (let n = 0; n < count; n += 1)
        waiting.push({ id: nextId++, lane, kind: 'card', payload: {}, attempts: 0, createdAt: now })
    },
    waiting: (lane: string): number => lanes.get(lane)?.length ?? 0,
    run(ms: number): void {
      for (const until = now + ms; now < until; now += 10) step()
    },
    waits: (lane: string): number[] => sent.filter((one) => one.lane === lane).map(({ waited }) => waited),
  }
}

/** Eight agents that always have more cards waiting, and failed runs to tell of. */
function besieged(chat: string) {
  const limits = paceOf(chat)
  const slot = SECOND / limits.perSecond
  const kit = chatOf(limits)
  const hostile = Array.from({ length: 8 }, (_, n) => cardLane(chat, `hostile-${n}`))
  const press = (): void => {
    for (const [n, lane] of hostile.entries()) {
      if (kit.waiting(lane) < 20) kit.queue(lane, 20)
      if (kit.waiting(noticeLane(chat, `${n}`)) < 20) kit.queue(noticeLane(chat, `${n}`), 20)
    }
  }
  return { ...kit, hostile, press, slot }
}

describe.each([
  ['a chat', CHAT],
  ['a group', GROUP],
])('%s with eight agents that post cards and failed runs at full speed', (_name, chat) => {
  it('gets the first card of a quiet agent at once, and each later one that comes no faster than the pace', () => {
    const { press, queue, run, waits, slot } = besieged(chat)
    press()
    run(60 * SECOND)
    const quiet = cardLane(chat, 'quiet')
    for (let n = 0; n < 50; n += 1) {
      press()
      queue(quiet)
      run(2 * slot)
      queue(updateLane(chat, 'quiet'))
    }
    expect(waits(quiet)).toHaveLength(50)
    expect(waits(quiet)[0]).toBe(0)
    expect(Math.max(...waits(quiet))).toBeLessThanOrEqual(slot)
  })

  it('gets the first cards of many quiet agents one after the other, before any second one', () => {
    const { press, queue, run, waits, slot } = besieged(chat)
    press()
    run(60 * SECOND)
    const quiet = Array.from({ length: 5 }, (_, n) => cardLane(chat, `quiet-${n}`))
    for (const lane of quiet) queue(lane, 2)
    run(6 * slot)
    for (const [at, lane] of quiet.entries()) expect(waits(lane)[0]).toBeLessThanOrEqual(at * slot + 10)
  })

  it('gets a card of a quiet agent within a slot though another one uses up the reserve', () => {
    const { press, queue, run, waits, slot } = besieged(chat)
    press()
    run(60 * SECOND)
    queue(replyLane(chat), 3)
    queue(cardLane(chat, 'quiet'))
    run(5 * slot)
    expect(waits(cardLane(chat, 'quiet'))[0]).toBeLessThanOrEqual(3 * slot)
  })

  it('gets the cards of a backlog in turns, a share of all, and no notice meanwhile', () => {
    const { press, queue, run, sent, hostile, slot } = besieged(chat)
    for (let n = 0; n < 100; n += 1) {
      press()
      for (let one = 0; one < 4; one += 1) queue(cardLane(chat, `polite-${one}-${n}`))
      queue(updateLane(chat, 'polite'), 2)
      run(2 * slot)
    }
    const counts = hostile.map((lane) => sent.filter((one) => one.lane === lane).length)
    expect(counts.reduce((sum, count) => sum + count, 0)).toBeGreaterThanOrEqual(
      Math.floor(sent.length / 8) - 1,
    )
    expect(sent.filter(({ lane }) => lane.includes('/update/')).length).toBeGreaterThanOrEqual(
      Math.floor(sent.length / 8) - 1,
    )
    expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1)
    expect(sent.filter(({ lane }) => lane.includes('/notice/')).length).toBeLessThanOrEqual(1)
  })
})

it('an agent whose card came late through others has no backlog with its next one', () => {
  let now = 0
  const order = createSendOrder({ pace: paceOf(CHAT), now: () => now })
  const cardAt = (id: number, createdAt: number): OutboxMessage => ({
    ...{ id, lane: cardLane(CHAT, 'quiet'), kind: 'card', payload: {}, attempts: 0, createdAt },
  })
  const rankAt = (message: OutboxMessage, sentAt: number): number | undefined => {
    now = sentAt
    const choice = order.next([message], () => true)
    if (choice !== undefined) order.took(choice)
    return choice?.rank
  }
  const first = rankAt(cardAt(1, 0), 1_400)
  expect(rankAt(cardAt(2, 2_000), 2_010)).toBe(first)
  expect(rankAt(cardAt(3, 2_500), 9_000)).not.toBe(first)
  expect(rankAt(cardAt(4, 8_000), 9_500)).not.toBe(first)
})

it('a part of a message keeps the place of the message, and so does one that is sent again', () => {
  let now = 0
  const order = createSendOrder({ pace: paceOf(CHAT), now: () => now })
  const long: OutboxMessage = {
    ...{ id: 1, lane: cardLane(CHAT, 'quiet'), kind: 'card', payload: {}, attempts: 0, createdAt: 0 },
  }
  const first = order.next([long], () => true)
  if (first === undefined) throw new Error('nothing was chosen')
  order.took(first)
  now += 10
  expect(order.next([long], () => true)).toMatchObject({ rank: first.rank, claim: 'reserve' })
  const second = { ...long, id: 2, createdAt: now }
  expect(order.next([second], () => true)).toMatchObject({ claim: 'usual' })
})
