import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { describeEngines, type TestDatabase } from '../../../test/support/engines.ts'
import { DEFAULT_TENANT, type Storage } from '../../kernel/index.ts'
import { backoffMs, createOutbox, type Outbox } from './outbox.ts'
import { createOutboxStore } from './outbox-store.ts'

describeEngines('the outbox', (kit) => {
  let db: TestDatabase
  let storage: Storage
  let outbox: Outbox
  let now = 1_000_000
  const open = (on: Storage): void => {
    storage = on
    outbox = createOutbox({ storage, clock: { now: () => now } })
  }
  beforeEach(async () => {
    db = await kit.fresh({ stores: { outbox: createOutboxStore } })
    open(db.storage)
  })
  afterEach(() => db[Symbol.asyncDispose]())

  const due = async (prefix = 'telegram:'): Promise<unknown[]> =>
    (await outbox.due(prefix)).map(({ payload }) => payload)
  const enqueue = (lane: string, payload: string): Promise<void> =>
    storage.transaction((tx) => outbox.enqueue(tx, lane, 'card', payload))
  const settle = (id: number): Promise<void> => storage.transaction((tx) => outbox.settle(tx, id))

  it('offers the oldest of each lane, of the asked lanes only', async () => {
    for (const [lane, payload] of [
      ['telegram:1', 'a'],
      ['telegram:1', 'b'],
      ['telegram:2', 'c'],
      ['wake:1', 'd'],
    ] as const) {
      await enqueue(lane, payload)
    }
    expect(await due()).toEqual(['a', 'c'])
    expect(await due('wake:')).toEqual(['d'])
    expect(await outbox.waiting('telegram:')).toBe(3)
  })

  it('keeps the order of a lane while its oldest has to wait', async () => {
    await enqueue('telegram:1', 'a')
    await enqueue('telegram:1', 'b')
    const [first] = await outbox.due('telegram:')
    if (!first) throw new Error('nothing is due')
    await outbox.retry(first, 5_000, 'HTTP 429')
    now += 4_999
    expect(await due()).toEqual([])
    now += 1
    expect(await outbox.due('telegram:')).toMatchObject([{ payload: 'a', attempts: 1 }])
    await settle(first.id)
    expect(await due()).toEqual(['b'])
  })

  it('holds what was enqueued over a restart, and nothing of what was rolled back', async () => {
    await enqueue('telegram:1', 'kept')
    await expect(
      storage.transaction(async (tx) => {
        await outbox.enqueue(tx, 'telegram:1', 'card', 'undone')
        throw new Error('undone')
      }),
    ).rejects.toThrow('undone')
    await db.opened[Symbol.asyncDispose]()
    open((await db.again()).forTenant(DEFAULT_TENANT))
    expect(await due()).toEqual(['kept'])
    expect(await outbox.waiting('telegram:')).toBe(1)
  })

  it('says that nothing is due when nothing waits', async () => {
    expect([await due(), await outbox.waiting('')]).toEqual([[], 0])
  })

  it('offers a row that cannot be read as such, and the rows of other lanes', async () => {
    await storage.transaction((tx) =>
      tx.outbox.insert({ lane: 'telegram:1', kind: 'card', payload: '{', createdAt: now }),
    )
    await enqueue('telegram:2', 'b')
    expect(await due()).toEqual([undefined, 'b'])
  })
})

describe('a message that was not taken', () => {
  it('backs off by doubling, with jitter, up to five minutes', () => {
    expect([0, 1, 2, 3].map((attempts) => backoffMs(attempts, () => 1))).toEqual([1_000, 2_000, 4_000, 8_000])
    expect(backoffMs(2, () => 0)).toBe(2_000)
    expect(backoffMs(1_000, () => 1)).toBe(300_000)
  })
})
