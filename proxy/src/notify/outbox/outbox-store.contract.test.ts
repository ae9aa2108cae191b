import { expect, it } from 'vitest'
import { storeContract } from '../../../test/support/store-contract.ts'
import type { OutboxMessage } from './outbox.ts'
import { createOutboxStore } from './outbox-store.ts'

storeContract('the store of the outbox', { outbox: createOutboxStore }, (kit) => {
  const enqueue = (lane: string, payload = '{}', createdAt = 10, storage = kit.mine): Promise<void> =>
    storage.transaction(({ outbox }) => outbox.insert({ lane, kind: 'text', payload, createdAt }))
  const due = (prefix = 'telegram:', now = 10) => kit.mine.read(({ outbox }) => outbox.due(prefix, now))
  const payloads = (messages: readonly OutboxMessage[]): unknown[] => messages.map(({ payload }) => payload)

  it('offers the oldest of each lane once its time has come, in the order in which they came', async () => {
    await enqueue('telegram:2', '"a"')
    await enqueue('telegram:1', '"b"', 5)
    await enqueue('telegram:2', '"c"')
    await enqueue('telegram:10', '"d"', 11)
    await enqueue('mail:1', '"e"')
    expect(payloads(await due())).toEqual(['a', 'b'])
    expect(payloads(await due('telegram:', 5))).toEqual(['b'])
    expect(payloads(await due('telegram:', 11))).toEqual(['a', 'b', 'd'])
    expect(payloads(await due('telegram:1', 99))).toEqual(['b', 'd'])
    expect(payloads(await due('', 99))).toEqual(['a', 'b', 'd', 'e'])
    const [first] = await due()
    expect(first).toEqual({
      id: expect.any(Number),
      lane: 'telegram:2',
      kind: 'text',
      payload: 'a',
      attempts: 0,
      createdAt: 10,
    })
  })

  it('takes no character of a prefix as a wildcard, and tells case apart', async () => {
    await enqueue('telegram:1')
    for (const prefix of ['tele%', 'telegra_', 'TELEGRAM:', 'elegram']) {
      expect(await due(prefix)).toEqual([])
      expect(await kit.mine.read(({ outbox }) => outbox.waiting(prefix))).toBe(0)
    }
    await enqueue('tele%:1')
    expect(await due('tele%')).toHaveLength(1)
  })

  it('keeps a lane waiting behind its postponed oldest, and goes on with the next once that is gone', async () => {
    await enqueue('telegram:1', '"first"')
    await enqueue('telegram:1', '"second"')
    await enqueue('telegram:2', '"other"')
    const [first] = await due()
    const id = first?.id ?? -1
    await kit.mine.transaction(({ outbox }) => outbox.postpone(id, 50, 'no \0 answer \ud800'))
    expect(payloads(await due('telegram:', 49))).toEqual(['other'])
    expect(await due('telegram:', 50)).toMatchObject([{ id, attempts: 1 }, { payload: 'other' }])
    await kit.mine.transaction(({ outbox }) => outbox.remove(id))
    expect(payloads(await due('telegram:', 49))).toEqual(['second', 'other'])
  })

  it('counts what waits, and lists one lane, the oldest first', async () => {
    for (const payload of ['1', '2', '3']) await enqueue('telegram:1', payload)
    await enqueue('telegram:11', '4')
    await kit.mine.read(async ({ outbox }) => {
      expect(await outbox.waiting('telegram:')).toBe(4)
      expect(await outbox.waiting('telegram:11')).toBe(1)
      expect(payloads(await outbox.ofLane('telegram:1', 2))).toEqual([1, 2])
      expect(payloads(await outbox.ofLane('telegram:1', 9))).toEqual([1, 2, 3])
      expect(await outbox.ofLane('telegram:', 9)).toEqual([])
    })
  })

  it('offers what cannot be read without its payload, and the others all the same', async () => {
    await enqueue('telegram:1', 'no json')
    await enqueue('telegram:2', '{"text":"\\u0000\\ud800ü"}')
    expect(payloads(await due())).toEqual([undefined, { text: '\0\ud800ü' }])
  })

  it('gives an id never twice, also not that of the newest once it is gone', async () => {
    await enqueue('telegram:1')
    const [first] = await due()
    await kit.mine.transaction(({ outbox }) => outbox.remove(first?.id ?? -1))
    await enqueue('telegram:1')
    const [second] = await due()
    expect(second?.id).toBeGreaterThan(first?.id ?? Number.POSITIVE_INFINITY)
  })

  it('keeps the order of units that enqueue at once, as they were committed', async () => {
    const told: number[] = []
    await Promise.all(
      Array.from({ length: 20 }, (_, n) =>
        kit.mine.transaction(async (tx) => {
          await tx.outbox.insert({ lane: 'telegram:1', kind: 'text', payload: `${n}`, createdAt: 10 })
          tx.onCommit(() => void told.push(n))
        }),
      ),
    )
    expect(payloads(await kit.mine.read(({ outbox }) => outbox.ofLane('telegram:1', 99)))).toEqual(told)
  })

  it('gives a message to one of several units that claim the oldest', async () => {
    for (let n = 0; n < 8; n += 1) await enqueue('telegram:1', `${n}`)
    const claim = (storage = kit.mine): Promise<unknown> =>
      storage.transaction(async ({ outbox }) => {
        const [message] = await outbox.due('telegram:', 10)
        if (message) await outbox.remove(message.id)
        return message?.payload
      })
    const nodes = kit.engine === 'postgres' ? [kit.mine, await kit.onAnotherNode()] : [kit.mine]
    const claimed = await Promise.all(Array.from({ length: 9 }, (_, at) => claim(nodes[at % nodes.length])))
    expect(claimed.filter((payload) => payload !== undefined).sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
  })

  it('forgets what a unit enqueued that was undone', async () => {
    const undone = kit.mine.transaction(async ({ outbox }) => {
      await outbox.insert({ lane: 'telegram:1', kind: 'text', payload: '1', createdAt: 1 })
      throw new Error('undone')
    })
    await expect(undone).rejects.toThrow('undone')
    expect(await due()).toEqual([])
  })

  it('shows a tenant nothing of another, and changes nothing of it', async () => {
    await enqueue('telegram:1', '"theirs"', 10, kit.theirs)
    const theirs = () => kit.theirs.read(({ outbox }) => outbox.due('telegram:', 10))
    const before = await theirs()
    const id = before[0]?.id ?? -1
    await kit.mine.transaction(async ({ outbox }) => {
      expect([
        await outbox.due('', 99),
        await outbox.waiting(''),
        await outbox.ofLane('telegram:1', 9),
      ]).toEqual([[], 0, []])
      await outbox.postpone(id, 99, 'mine')
      await outbox.remove(id)
    })
    expect(await theirs()).toEqual(before)
    // The head of a lane of the same name is each tenant's own.
    await enqueue('telegram:1', '"mine"')
    expect(payloads(await due())).toEqual(['mine'])
  })

  it('is found through an index', async () => {
    const payload = JSON.stringify({ text: 'x'.repeat(400) })
    for (const tenant of [kit.me, kit.them]) {
      await kit.sql(`INSERT INTO outbox (tenant_id, lane, kind, payload, next_at, created_at)
        SELECT '${tenant}', 'telegram:' || n % 20, 'text', '${payload}', n, n FROM (${kit.numbers(4_000)}) AS numbers`)
      await kit.sql(`INSERT INTO outbox (tenant_id, lane, kind, payload, next_at, created_at)
        SELECT '${tenant}', 'wake:' || n, 'text', '${payload}', n, n FROM (${kit.numbers(4_000)}) AS numbers`)
    }
    await kit.sql('ANALYZE')
    await kit.expectIndexed('the heads', ({ outbox }) => outbox.due('telegram:1', 9_000), [
      'SCAN lanes',
      'SCAN heads',
    ])
    await kit.expectIndexed('how many wait', ({ outbox }) => outbox.waiting('telegram:1'))
    await kit.expectIndexed('one lane', ({ outbox }) => outbox.ofLane('telegram:1', 10))
  })
})
