import type { fdatasync } from 'node:fs'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { sql } from 'kysely'
import { describe, expect, test } from 'vitest'
import { engineKits } from '../../test/support/engines.ts'
import { freshNotes, type NotesTx } from '../../test/support/notes.ts'
import { currentOwner, onBehalfOf } from '../kernel/index.ts'
import { createLogSync } from './log-sync.ts'

type Done = (error: NodeJS.ErrnoException | null) => void

/** A database whose log goes to a disk that answers when the test says so. */
async function open() {
  /** Calls that wait for the disk. */
  const calls: Done[] = []
  const defects: unknown[] = []
  const disk = ((_file: number, done: Done) => void calls.push(done)) as unknown as typeof fdatasync
  const onDefect = (error: unknown): void => void defects.push(error)
  const made = await freshNotes(engineKits.sqlite, {
    onDefect,
    sqlite: { log: (path) => createLogSync(path, onDefect, disk) },
  })
  const { notes } = made
  const said: string[] = []
  const write = (name: string, durability: 'immediate' | 'grouped'): Promise<void> =>
    notes.transaction(async (tx) => {
      await tx.notes.add(name)
      tx.afterCommit(() => said.push(name))
    }, durability)
  let isFlushed = false
  const flush = (): Promise<void> =>
    notes.flushed().then(() => {
      isFlushed = true
    })
  const dispose = async (): Promise<void> => {
    for (const call of calls) call(null)
    await made[Symbol.asyncDispose]()
  }
  return {
    ...{ notes, said, write, flush, calls, defects },
    get isFlushed() {
      return isFlushed
    },
    [Symbol.asyncDispose]: dispose,
  }
}

const synchronousOf = async ({ queries }: NotesTx): Promise<unknown> =>
  (await sql<{ synchronous: number }>`PRAGMA synchronous`.execute(queries.db)).rows[0]?.synchronous

describe('a commit in a group', () => {
  test('is there at once, and nothing outside hears of it before it is on the disk', async () => {
    await using log = await open()
    const { notes, calls, said, write } = log
    await write('a', 'grouped')
    await write('b', 'grouped')
    expect(await notes.read((tx) => tx.notes.all())).toEqual(['a', 'b'])
    const flushed = log.flush()
    await nextTurn()
    expect([calls.length, said, log.isFlushed]).toEqual([1, [], false])
    calls[0]?.(null)
    await flushed
    await nextTurn()
    expect(said).toEqual(['a', 'b'])
  })

  test('tells each in the context of whoever asked for it, not of who is first in the group', async () => {
    await using log = await open()
    const { notes, calls } = log
    const owners: string[] = []
    for (const owner of ['agt_1', 'agt_2']) {
      await onBehalfOf(owner, () =>
        notes.transaction(async (tx) => {
          await tx.notes.add(owner)
          tx.afterCommit(() => owners.push(currentOwner()))
        }, 'grouped'),
      )
    }
    const flushed = log.flush()
    await nextTurn()
    calls[0]?.(null)
    await flushed
    await nextTurn()
    expect(owners).toEqual(['agt_1', 'agt_2'])
  })

  test('that comes while the disk is at work is not taken for one that is on it', async () => {
    await using log = await open()
    const { calls, said, write } = log
    await write('a', 'grouped')
    await nextTurn()
    await write('b', 'grouped')
    const flushed = log.flush()
    calls[0]?.(null)
    await nextTurn()
    expect([said, log.isFlushed, calls.length]).toEqual([['a'], false, 2])
    calls[1]?.(null)
    await flushed
    await nextTurn()
    expect(said).toEqual(['a', 'b'])
  })

  test('is told of before a later one that waits for the disk by itself', async () => {
    await using log = await open()
    const { notes, calls, said, write } = log
    await write('a', 'grouped')
    await write('b', 'immediate')
    await nextTurn()
    calls[0]?.(null)
    await notes.flushed()
    await nextTurn()
    expect(said).toEqual(['a', 'b'])
    await write('c', 'immediate')
    await nextTurn()
    expect([said, calls.length]).toEqual([['a', 'b', 'c'], 1])
  })

  test.each([
    ['wrote nothing', async (): Promise<void> => {}],
    [
      'wrote and was undone',
      async (tx: NotesTx): Promise<void> => {
        await tx.notes.add('b')
        throw new Error('undone')
      },
    ],
  ])('is not on the disk because of a later one, waiting by itself, that %s', async (_name, work) => {
    await using log = await open()
    const { notes, calls, said, write } = log
    await write('a', 'grouped')
    const flushed = log.flush()
    await notes
      .transaction(async (tx) => {
        tx.afterCommit(() => said.push('b'))
        await work(tx)
      })
      .catch(() => {})
    await nextTurn()
    expect([said, log.isFlushed, calls.length]).toEqual([[], false, 1])
    calls[0]?.(null)
    await flushed
    await nextTurn()
    expect(said).toContain('a')
  })

  test('leaves the next commit of a decision to wait for the disk', async () => {
    await using log = await open()
    const { notes, write } = log
    await write('a', 'grouped')
    expect(await notes.transaction(synchronousOf)).toBe(2)
    expect(await notes.transaction(synchronousOf, 'grouped')).toBe(1)
    expect(await notes.transaction(synchronousOf)).toBe(2)
  })

  test('that is undone tells nobody, and its error is thrown at once', async () => {
    await using log = await open()
    const { notes, calls, said } = log
    const work = notes.transaction(async (tx) => {
      tx.afterCommit(() => said.push('a'))
      throw new Error('undone')
    }, 'grouped')
    await expect(work).rejects.toThrow('undone')
    await notes.flushed()
    await nextTurn()
    expect([said, calls.length]).toEqual([[], 0])
  })

  test('that the disk does not take says so, and is tried again', async () => {
    await using log = await open()
    const { notes, calls, defects, said, write } = log
    await write('a', 'grouped')
    const flushed = notes.flushed()
    await nextTurn()
    calls[0]?.(Object.assign(new Error('input/output error'), { code: 'EIO' }))
    await expect(flushed).rejects.toMatchObject({ code: 'storage_unavailable' })
    expect([said, defects.length]).toEqual([[], 1])
    await expect.poll(() => calls.length).toBe(2)
    calls[1]?.(null)
    await notes.flushed()
    await nextTurn()
    expect(said).toEqual(['a'])
  })

  test('waits for the disk by itself where there is no log', async () => {
    await using made = await freshNotes(engineKits.sqlite, {
      sqlite: { log: (path) => createLogSync(`${path}-none`, () => {}) },
    })
    expect(await made.notes.transaction(synchronousOf, 'grouped')).toBe(2)
  })
})
