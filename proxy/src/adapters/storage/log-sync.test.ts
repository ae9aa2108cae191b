import type { fdatasync } from 'node:fs'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Database } from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createTransactor, openDatabase } from './database.ts'
import { createLogSync } from './log-sync.ts'
import { createMetaStore } from './small-stores.ts'

type Done = (error: NodeJS.ErrnoException | null) => void

describe('a commit in a group', () => {
  let folder: string
  let db: Database
  /** Calls that wait for the disk. */
  let calls: Done[]
  let defects: unknown[]
  const disk = ((_file: number, done: Done) => void calls.push(done)) as unknown as typeof fdatasync
  const open = () => {
    const onDefect = (error: unknown): void => void defects.push(error)
    const transactor = createTransactor(db, onDefect, createLogSync(db.name, onDefect, disk))
    const meta = createMetaStore(db)
    const said: string[] = []
    const write = (name: string, durability: 'immediate' | 'grouped'): void =>
      transactor.transact(() => {
        meta.set(name, name)
        transactor.afterCommit(() => said.push(name))
      }, durability)
    return { transactor, meta, said, write }
  }

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'oauth3-log-'))
    db = openDatabase(join(folder, 'proxy.db'))
    calls = []
    defects = []
  })
  afterEach(() => {
    db.close()
    rmSync(folder, { recursive: true, force: true })
  })

  test('is there at once, and nothing outside hears of it before it is on the disk', async () => {
    const { transactor, meta, said, write } = open()
    write('a', 'grouped')
    write('b', 'grouped')
    expect(meta.get('a')).toBe('a')
    let isFlushed = false
    const flushed = transactor.flushed().then(() => {
      isFlushed = true
    })
    await nextTurn()
    expect([calls.length, said, isFlushed]).toEqual([1, [], false])
    calls[0]?.(null)
    await flushed
    await nextTurn()
    expect(said).toEqual(['a', 'b'])
  })

  test('that comes while the disk is at work is not taken for one that is on it', async () => {
    const { transactor, said, write } = open()
    write('a', 'grouped')
    await nextTurn()
    write('b', 'grouped')
    let isFlushed = false
    const flushed = transactor.flushed().then(() => {
      isFlushed = true
    })
    calls[0]?.(null)
    await nextTurn()
    expect([said, isFlushed, calls.length]).toEqual([['a'], false, 2])
    calls[1]?.(null)
    await flushed
    await nextTurn()
    expect(said).toEqual(['a', 'b'])
  })

  test('is told of before a later one that waits for the disk by itself', async () => {
    const { transactor, said, write } = open()
    write('a', 'grouped')
    write('b', 'immediate')
    await nextTurn()
    calls[0]?.(null)
    await transactor.flushed()
    await nextTurn()
    expect(said).toEqual(['a', 'b'])
    write('c', 'immediate')
    await nextTurn()
    expect([said, calls.length]).toEqual([['a', 'b', 'c'], 1])
  })

  test.each([
    ['wrote nothing', (_write: () => void): void => {}],
    [
      'wrote and was undone',
      (write: () => void): void => {
        write()
        throw new Error('undone')
      },
    ],
  ])('is not on the disk because of a later one, waiting by itself, that %s', async (_name, work) => {
    const { transactor, meta, said, write } = open()
    write('a', 'grouped')
    let isFlushed = false
    const flushed = transactor.flushed().then(() => {
      isFlushed = true
    })
    try {
      transactor.transact(() => {
        transactor.afterCommit(() => said.push('b'))
        work(() => meta.set('b', 'b'))
      })
    } catch {
      said.push('error')
    }
    await nextTurn()
    expect([said.includes('a'), said.includes('b'), isFlushed, calls.length]).toEqual([
      false,
      false,
      false,
      1,
    ])
    calls[0]?.(null)
    await flushed
    await nextTurn()
    expect(said).toContain('a')
  })

  test('leaves the next commit of a decision to wait for the disk', async () => {
    const { write } = open()
    write('a', 'grouped')
    await nextTurn()
    expect(db.pragma('synchronous', { simple: true })).toBe(2)
  })

  test('that is undone tells nobody, and its error is thrown at once', async () => {
    const { transactor, said } = open()
    expect(() =>
      transactor.transact(() => {
        transactor.afterCommit(() => said.push('a'))
        throw new Error('undone')
      }, 'grouped'),
    ).toThrow('undone')
    await transactor.flushed()
    await nextTurn()
    expect([said, calls.length, db.pragma('synchronous', { simple: true })]).toEqual([[], 0, 2])
  })

  test('that the disk does not take says so, and is tried again', async () => {
    const { transactor, said, write } = open()
    write('a', 'grouped')
    const flushed = transactor.flushed()
    await nextTurn()
    calls[0]?.(Object.assign(new Error('input/output error'), { code: 'EIO' }))
    await expect(flushed).rejects.toMatchObject({ code: 'storage_unavailable' })
    expect([said, defects.length]).toEqual([[], 1])
    await expect.poll(() => calls.length, { timeout: 5_000 }).toBe(2)
    calls[1]?.(null)
    await transactor.flushed()
    await nextTurn()
    expect(said).toEqual(['a'])
  })

  test('waits for the disk by itself where there is no log', () => {
    const memory = openDatabase(join(folder, 'other.db'))
    const transactor = createTransactor(
      memory,
      () => {},
      createLogSync(join(folder, 'none'), () => {}, disk),
    )
    expect(transactor.transact(() => memory.pragma('synchronous', { simple: true }), 'grouped')).toBe(2)
    memory.close()
  })
})
