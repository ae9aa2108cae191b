import { setImmediate as turn } from 'node:timers/promises'
import { sql } from 'kysely'
import { expect, it } from 'vitest'
import { describeEngines } from '../../test/support/engines.ts'
import { asNotes, freshNotes, type NotesTx } from '../../test/support/notes.ts'

const internal = expect.objectContaining({ code: 'internal' })
const NEVER = new Promise<never>(() => {})

describeEngines('a unit of work', (kit) => {
  it('keeps all that it wrote, for whoever reads after it has resolved', async () => {
    await using made = await freshNotes(kit)
    const { notes } = made
    const answer = await notes.transaction(async (tx) => {
      await tx.notes.add('a')
      await tx.notes.add('b')
      return tx.kind
    })
    expect(answer).toBe('write')
    expect(await notes.read(async (tx) => [tx.kind, ...(await tx.notes.all())])).toEqual(['read', 'a', 'b'])
  })

  it('keeps nothing when its work throws, and throws what that threw', async () => {
    await using made = await freshNotes(kit)
    const { notes } = made
    const work = async (tx: NotesTx): Promise<void> => {
      await tx.notes.add('a')
      throw new Error('undone')
    }
    await expect(notes.transaction(work)).rejects.toThrow('undone')
    await expect(
      notes.transaction(() => {
        throw new Error('before any promise')
      }),
    ).rejects.toThrow('before any promise')
    await notes.transaction((tx) => tx.notes.add('b'))
    expect(await notes.read((tx) => tx.notes.all())).toEqual(['b'])
  })

  it('tells what was set aside for it that it was undone, and never that and its commit', async () => {
    await using made = await freshNotes(kit)
    const { notes } = made
    const told: string[] = []
    const unit = (name: string, work: (tx: NotesTx) => Promise<unknown>) =>
      notes.transaction(async (tx) => {
        tx.onUndo(() => told.push(`${name} undone`))
        tx.onUndo(() => {
          throw new Error('of one of them')
        })
        tx.onUndo(() => told.push(`${name} undone, all told`))
        tx.onCommit(() => told.push(`${name} committed`))
        await work(tx)
      })
    await unit('a', (tx) => tx.notes.add('a'))
    await expect(unit('b', () => Promise.reject(new Error('undone')))).rejects.toThrow('undone')
    await expect(unit('c', (tx) => tx.notes.add('refused').catch(() => {}))).rejects.toThrow(/constraint/i)
    expect(told).toEqual([
      'a committed',
      ...['b', 'c'].flatMap((name) => [`${name} undone`, `${name} undone, all told`]),
    ])
  })

  it('runs alone and in its turn, also when others wait for something else in between', async () => {
    await using made = await freshNotes(kit)
    const { notes } = made
    const numbers = Array.from({ length: 12 }, (_, index) => index)
    const seen = await Promise.all(
      numbers.map((number) =>
        notes.transaction(async (tx) => {
          const before = await tx.notes.all()
          await turn()
          await tx.notes.add(String(number))
          return before.length
        }),
      ),
    )
    expect(seen).toEqual(numbers)
    expect(await notes.read((tx) => tx.notes.all())).toEqual(numbers.map(String))
  })

  it('is not begun inside another, whatever its kind and tenant, nor waited for', async () => {
    await using made = await freshNotes(kit)
    const { db, notes } = made
    const other = asNotes(db.forTenant('other'))
    const nested = [
      () => notes.transaction(async () => 1),
      () => notes.read(async () => 1),
      () => other.transaction(async () => 1),
      () => other.read(async () => 1),
    ]
    for (const begin of nested) {
      await expect(notes.transaction(begin)).rejects.toEqual(internal)
      await expect(notes.read(begin)).rejects.toEqual(internal)
    }
    await notes.transaction((tx) => tx.notes.add('a'))
    expect(await notes.read((tx) => tx.notes.all())).toEqual(['a'])
  })

  it('may begin what has units of its own after it', async () => {
    await using made = await freshNotes(kit)
    const { notes } = made
    const { promise: ended, resolve: end } = Promise.withResolvers<void>()
    const later: Promise<void>[] = []
    await notes.transaction(async (tx) => {
      await tx.notes.add('a')
      later.push(ended.then(() => notes.transaction((next) => next.notes.add('b'))))
      tx.afterCommit(() => later.push(notes.transaction((next) => next.notes.add('c'))))
    })
    end()
    await turn()
    expect(later).toHaveLength(2)
    await Promise.all(later)
    expect(await notes.read((tx) => tx.notes.all())).toHaveLength(3)
  })

  it('is of no use after its end', async () => {
    await using made = await freshNotes(kit)
    const { notes } = made
    for (const run of [notes.transaction, notes.read]) {
      const kept = await run(async (tx) => ({ tx, store: tx.notes, queries: tx.queries }))
      expect(() => kept.tx.notes).toThrow(internal)
      expect(() => kept.tx.onCommit(() => {})).toThrow(internal)
      expect(() => kept.tx.afterCommit(() => {})).toThrow(internal)
      await expect(kept.store.add('late')).rejects.toEqual(internal)
      await expect(kept.store.all()).rejects.toEqual(internal)
      await expect(sql`SELECT 1`.execute(kept.queries.db)).rejects.toEqual(internal)
      // Not even while another unit has the connection.
      await notes.transaction(async () => {
        await expect(kept.store.add('late')).rejects.toEqual(internal)
      })
    }
    expect(await notes.read((tx) => tx.notes.all())).toEqual([])
  })

  it('is undone by a statement that failed, also when its work caught that', async () => {
    await using made = await freshNotes(kit)
    const { notes } = made
    let after: unknown
    const work = notes.transaction(async (tx) => {
      await tx.notes.add('a')
      await tx.notes.add('refused').catch(() => {})
      after = await tx.notes.add('b').catch((error: unknown) => error)
      tx.onCommit(() => expect.unreachable())
      tx.afterCommit(() => expect.unreachable())
      return 'well'
    })
    await expect(work).rejects.toThrow(/constraint/i)
    expect(after).toBeInstanceOf(Error)
    expect(await notes.read((tx) => tx.notes.all())).toEqual([])
  })

  it('throws the error of its first statement that failed, whatever came of it', async () => {
    await using made = await freshNotes(kit)
    const { notes } = made
    const work = notes.transaction(async (tx) => {
      await tx.notes.add('refused').catch(() => {})
      throw new Error('what the work made of it')
    })
    await expect(work).rejects.toThrow(/constraint/i)
  })

  it('waits for statements that its work did not wait for, and is undone when one failed', async () => {
    await using made = await freshNotes(kit)
    const { notes } = made
    await notes.transaction(async (tx) => {
      void tx.notes.add('a')
      void tx.notes.add('b')
    })
    expect(await notes.read((tx) => tx.notes.all())).toEqual(['a', 'b'])
    const work = notes.transaction(async (tx) => {
      void tx.notes.add('c')
      tx.notes.add('refused').catch(() => {})
    })
    await expect(work).rejects.toThrow(/constraint/i)
    expect(await notes.read((tx) => tx.notes.all())).toEqual(['a', 'b'])
  })

  it('takes statements together, in the order of the calls', async () => {
    await using made = await freshNotes(kit)
    const { notes } = made
    const seen = await notes.transaction(async (tx) => {
      const [, all] = await Promise.all([tx.notes.add('a'), tx.notes.all(), tx.notes.add('b')])
      return all
    })
    expect(seen).toEqual(['a'])
    expect(await notes.read((tx) => tx.notes.all())).toEqual(['a', 'b'])
  })

  it('has no transaction, connection or stream of its own to give', async () => {
    await using made = await freshNotes(kit)
    const { notes } = made
    const asked: ((tx: NotesTx) => Promise<unknown>)[] = [
      ({ queries }) => queries.db.transaction().execute(async () => 1),
      ({ queries }) => queries.db.startTransaction().execute(),
      ({ queries }) => queries.db.connection().execute(async () => 1),
      async ({ queries }) => {
        for await (const _row of queries.db.selectFrom('notes').selectAll().stream()) expect.unreachable()
      },
      ({ queries }) => queries.db.destroy(),
    ]
    for (const ask of asked) await expect(notes.transaction(ask)).rejects.toEqual(internal)
    await notes.transaction((tx) => tx.notes.add('a'))
    expect(await notes.read((tx) => tx.notes.all())).toEqual(['a'])
  })

  it('that only reads cannot write', async () => {
    await using made = await freshNotes(kit)
    const { notes } = made
    await expect(notes.read((tx) => tx.notes.add('a'))).rejects.toEqual(internal)
    await expect(notes.read((tx) => tx.notes.add('a').catch(() => {}))).rejects.toEqual(internal)
    expect(await notes.read((tx) => tx.notes.all())).toEqual([])
  })

  it('that does not end is undone, and holds up nobody for longer', async () => {
    await using made = await freshNotes(kit, { unitTimeoutMs: 1_000 })
    const { notes } = made
    let late: unknown
    const { promise: released, resolve: release } = Promise.withResolvers<void>()
    const hung = notes.transaction(async (tx) => {
      await tx.notes.add('a')
      tx.onCommit(() => expect.unreachable())
      await released
      const add = async (): Promise<void> => tx.notes.add('late')
      late = await add().catch((error: unknown) => error)
    })
    const next = notes.transaction((tx) => tx.notes.add('b'))
    await expect(hung).rejects.toEqual(internal)
    await next
    release()
    await turn()
    expect(late).toEqual(internal)
    await expect(notes.read(() => NEVER)).rejects.toEqual(internal)
    expect(await notes.read((tx) => tx.notes.all())).toEqual(['b'])
  })

  it('tells what mirrors it once it is committed, in order, before it resolves, and the rest after', async () => {
    await using made = await freshNotes(kit)
    const { notes } = made
    const said: string[] = []
    const write = async (name: string, durability: 'immediate' | 'grouped'): Promise<void> => {
      await notes.transaction(async (tx) => {
        tx.afterCommit(() => said.push(`${name} outside`))
        tx.onCommit(() => said.push(`${name} mirrored`))
        await tx.notes.add(name)
        said.push(`${name} written`)
      }, durability)
      said.push(`${name} resolved`)
    }
    await Promise.all([write('a', 'grouped'), write('b', 'immediate'), write('c', 'grouped')])
    await notes.flushed()
    await turn()
    for (const name of ['a', 'b', 'c']) {
      const own = said.filter((line) => line.startsWith(name)).filter((line) => !line.endsWith('resolved'))
      expect(own).toEqual([`${name} written`, `${name} mirrored`, `${name} outside`])
      expect(said.indexOf(`${name} mirrored`)).toBeLessThan(said.indexOf(`${name} resolved`))
    }
    for (const kind of ['mirrored', 'outside'])
      expect(said.filter((line) => line.endsWith(kind))).toEqual(
        ['a', 'b', 'c'].map((name) => `${name} ${kind}`),
      )
  })

  it('tells nobody when it is undone', async () => {
    await using made = await freshNotes(kit)
    const { notes } = made
    const said: string[] = []
    for (const durability of ['immediate', 'grouped'] as const) {
      const work = notes.transaction(async (tx) => {
        tx.onCommit(() => said.push('mirrored'))
        tx.afterCommit(() => said.push('outside'))
        await tx.notes.add('a')
        throw new Error('undone')
      }, durability)
      await expect(work).rejects.toThrow('undone')
    }
    await notes.flushed()
    await turn()
    expect(said).toEqual([])
  })

  it('is committed also when a mirror fails, which is reported, and the others are told', async () => {
    const defects: unknown[] = []
    await using made = await freshNotes(kit, { onDefect: (error) => void defects.push(error) })
    const { notes } = made
    const said: string[] = []
    await notes.transaction(async (tx) => {
      tx.onCommit(() => {
        throw new Error('mirror')
      })
      tx.onCommit(() => said.push('mirrored'))
      await tx.notes.add('a')
    })
    expect([said, defects]).toEqual([['mirrored'], [new Error('mirror')]])
    await notes.transaction((tx) => tx.notes.add('b'))
    expect(await notes.read((tx) => tx.notes.all())).toEqual(['a', 'b'])
  })

  it('is committed also when what goes outside fails, which is reported, and the others are told', async () => {
    const defects: unknown[] = []
    await using made = await freshNotes(kit, { onDefect: (error) => void defects.push(error) })
    const { notes } = made
    const said: string[] = []
    await notes.transaction(async (tx) => {
      await tx.notes.add('a')
      tx.afterCommit(() => {
        throw new Error('a sender')
      })
      tx.afterCommit(() => said.push('outside'))
    })
    await expect.poll(() => said).toEqual(['outside'])
    expect(defects).toEqual([new Error('a sender')])
  })

  it('that is under way is waited for when the database is closed, and none is begun after', async () => {
    await using made = await freshNotes(kit)
    const { db, notes } = made
    const { promise: released, resolve: release } = Promise.withResolvers<void>()
    const running = notes.transaction(async (tx) => {
      await released
      await tx.notes.add('a')
    })
    const closed = db.opened[Symbol.asyncDispose]()
    await expect(notes.transaction((tx) => tx.notes.add('b'))).rejects.toMatchObject({
      code: 'storage_unavailable',
    })
    release()
    await running
    await closed
    const again = asNotes((await db.again()).forTenant('default' as never))
    expect(await again.read((tx) => tx.notes.all())).toEqual(['a'])
  })

  it('sees and writes what its tenant has', async () => {
    await using made = await freshNotes(kit)
    const { db, notes } = made
    const other = asNotes(db.forTenant("o'ther"))
    await notes.transaction((tx) => tx.notes.add('a'))
    await other.transaction((tx) => tx.notes.add('b'))
    expect(await other.read((tx) => tx.notes.all())).toEqual(['b'])
    expect(await notes.read((tx) => tx.notes.all())).toEqual(['a'])
  })
})
