import { setImmediate as turn } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { describeEngines } from '../../test/support/engines.ts'
import { asNotes, freshNotes } from '../../test/support/notes.ts'
import { DEFAULT_TENANT } from '../kernel/index.ts'

const unavailable = expect.objectContaining({ code: 'storage_unavailable' })

describeEngines('units of work at the same time', (kit) => {
  it('let a read see what was there before a unit that still writes, without waiting for it', async () => {
    await using made = await freshNotes(kit)
    const { notes } = made
    await notes.transaction((tx) => tx.notes.add('a'))
    const { promise: released, resolve: release } = Promise.withResolvers<void>()
    const { promise: written, resolve: wrote } = Promise.withResolvers<void>()
    const writing = notes.transaction(async (tx) => {
      await tx.notes.add('b')
      wrote()
      await released
    })
    await written
    expect(await notes.read((tx) => tx.notes.all())).toEqual(['a'])
    release()
    await writing
    expect(await notes.read((tx) => tx.notes.all())).toEqual(['a', 'b'])
  })

  it('let a unit write while others read, who see one state from beginning to end', async () => {
    await using made = await freshNotes(kit, { postgres: { connections: 4 } })
    const { notes } = made
    const { promise: released, resolve: release } = Promise.withResolvers<void>()
    const begun: Promise<void>[] = []
    // As many as there are connections for them.
    const readers = [1, 2, 3, 4].map(() => {
      const { promise, resolve } = Promise.withResolvers<void>()
      begun.push(promise)
      return notes.read(async (tx) => {
        const before = await tx.notes.all()
        resolve()
        await released
        return [before, await tx.notes.all()]
      })
    })
    await Promise.all(begun)
    await notes.transaction((tx) => tx.notes.add('a'))
    release()
    for (const states of await Promise.all(readers)) expect(states).toEqual([[], []])
    expect(await notes.read((tx) => tx.notes.all())).toEqual(['a'])
  })

  it('of more readers than connections all end', async () => {
    await using made = await freshNotes(kit, { postgres: { connections: 2 } })
    const { notes } = made
    const reads = Array.from({ length: 30 }, () =>
      notes.read(async (tx) => {
        await turn()
        return await tx.notes.all()
      }),
    )
    const write = notes.transaction((tx) => tx.notes.add('a'))
    expect((await Promise.all(reads)).length).toBe(30)
    await write
  })

  it('have one winner where each looks first and writes then, from two nodes', async () => {
    await using made = await freshNotes(kit)
    const { db, notes } = made
    const other = asNotes((await db.again()).forTenant(DEFAULT_TENANT))
    const nodes = [notes, other, notes, other, notes, other, notes, other]
    const won = await Promise.all(
      nodes.map((node, index) =>
        node.transaction(async (tx) => {
          if ((await tx.notes.all()).length > 0) return false
          await turn()
          await tx.notes.add(String(index))
          return true
        }),
      ),
    )
    expect(won.filter(Boolean)).toHaveLength(1)
    expect(await notes.read((tx) => tx.notes.all())).toHaveLength(1)
  })

  it('count together from two nodes without losing a step', async () => {
    await using made = await freshNotes(kit)
    const { db, notes } = made
    const other = asNotes((await db.again()).forTenant(DEFAULT_TENANT))
    const counts = await Promise.all(
      Array.from({ length: 24 }, (_, index) =>
        (index % 2 === 0 ? notes : other).transaction(async (tx) => {
          const before = (await tx.notes.all()).length
          await turn()
          await tx.notes.add(String(before))
          return before
        }),
      ),
    )
    expect(counts.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 24 }, (_, index) => index))
  })

  it('wait for another node no longer than they may, and the event loop goes on', async () => {
    await using made = await freshNotes(kit, { sqlite: { busyMs: 300 }, unitTimeoutMs: 60_000 })
    const { db, notes } = made
    const other = asNotes(
      (await db.again(kit.engine === 'postgres' ? { unitTimeoutMs: 300 } : {})).forTenant(DEFAULT_TENANT),
    )
    const { promise: released, resolve: release } = Promise.withResolvers<void>()
    const { promise: written, resolve: wrote } = Promise.withResolvers<void>()
    const holding = notes.transaction(async (tx) => {
      await tx.notes.add('a')
      wrote()
      await released
    })
    await written
    let ticks = 0
    const ticking = setInterval(() => {
      ticks += 1
    }, 5)
    await expect(other.transaction((tx) => tx.notes.add('b'))).rejects.toEqual(unavailable)
    clearInterval(ticking)
    expect(ticks).toBeGreaterThan(3)
    release()
    await holding
    await other.transaction((tx) => tx.notes.add('c'))
    expect(await notes.read((tx) => tx.notes.all())).toEqual(['a', 'c'])
  })
})
