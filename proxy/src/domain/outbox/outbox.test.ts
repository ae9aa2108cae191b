import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createDomainKit, type DomainKit } from '../../../test/support/domain-kit.ts'
import { backoffMs } from './outbox.ts'

let dir: string
let kit: DomainKit
let now = 1_000_000
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'oauth3-outbox-'))
  kit = await createDomainKit({ dir, clock: { now: () => now } })
})
afterEach(async () => {
  await kit[Symbol.asyncDispose]()
  rmSync(dir, { recursive: true })
})
const due = (prefix = 'telegram:'): unknown[] => kit.outbox.due(prefix).map(({ payload }) => payload)
const enqueue = (lane: string, payload: string): void => kit.outbox.enqueue(lane, 'card', payload)

describe('the outbox', () => {
  it('offers the oldest of each lane, of the asked lanes only', () => {
    for (const [lane, payload] of [
      ['telegram:1', 'a'],
      ['telegram:1', 'b'],
      ['telegram:2', 'c'],
      ['wake:1', 'd'],
    ] as const) {
      enqueue(lane, payload)
    }
    expect(due()).toEqual(['a', 'c'])
    expect(due('wake:')).toEqual(['d'])
    expect(kit.outbox.waiting('telegram:')).toBe(3)
  })

  it('keeps the order of a lane while its oldest has to wait', () => {
    enqueue('telegram:1', 'a')
    enqueue('telegram:1', 'b')
    const [first] = kit.outbox.due('telegram:')
    if (!first) throw new Error('nothing is due')
    kit.outbox.retry(first, 5_000, 'HTTP 429')
    now += 4_999
    expect(due()).toEqual([])
    now += 1
    expect(kit.outbox.due('telegram:')).toMatchObject([{ payload: 'a', attempts: 1 }])
    kit.outbox.settle(first.id)
    expect(due()).toEqual(['b'])
  })

  it('holds what was enqueued over a restart, and nothing of what was rolled back', async () => {
    kit.transactor.transact(() => enqueue('telegram:1', 'kept'))
    expect(() =>
      kit.transactor.transact(() => {
        enqueue('telegram:1', 'undone')
        throw new Error('undone')
      }),
    ).toThrow('undone')
    await kit[Symbol.asyncDispose]()
    kit = await createDomainKit({ dir, clock: { now: () => now } })
    expect(due()).toEqual(['kept'])
    expect(kit.outbox.waiting('telegram:')).toBe(1)
  })

  it('says that nothing is due when nothing waits', () => {
    expect([due(), kit.outbox.waiting('')]).toEqual([[], 0])
  })

  it('offers a row that cannot be read as such, and the rows of other lanes', () => {
    enqueue('telegram:1', 'a')
    enqueue('telegram:2', 'b')
    kit.db.exec(`UPDATE outbox SET payload = '{' WHERE lane = 'telegram:1'`)
    expect(due()).toEqual([undefined, 'b'])
  })

  it('backs off by doubling, with jitter, up to five minutes', () => {
    expect([0, 1, 2, 3].map((attempts) => backoffMs(attempts, () => 1))).toEqual([1_000, 2_000, 4_000, 8_000])
    expect(backoffMs(2, () => 0)).toBe(2_000)
    expect(backoffMs(1_000, () => 1)).toBe(300_000)
  })
})
