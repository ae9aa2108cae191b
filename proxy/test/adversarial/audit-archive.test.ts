import { spawnSync } from 'node:child_process'
import {
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import SqliteDatabase, { type Database } from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  type AuditArchiver,
  type AuditLog,
  createAuditArchiver,
  createAuditLog,
  createAuditStore,
} from '../../src/audit/index.ts'
import { DEFAULT_TENANT, type Storage } from '../../src/kernel/index.ts'
import { createAuditArchiveFiles } from '../../src/storage/files/index.ts'
import {
  createMetaStore,
  type OpenStorage,
  openStorage,
  type StoreFactories,
} from '../../src/storage/index.ts'
import { collect } from '../support/collect.ts'

const CHILD = fileURLToPath(new URL('../support/archive-child.ts', import.meta.url))
const ROWS = 1_000
const ROWS_A_FILE = 300
const UP_TO = 800

let dir: string
let opened: OpenStorage
let storage: Storage
/** Beside the daemon's own connection. */
let db: Database
let audit: AuditLog
let archiver: AuditArchiver
let now: number

async function open(): Promise<void> {
  const path = join(dir, 'proxy.db')
  opened = await openStorage({
    database: { path },
    stores: { audit: createAuditStore, meta: createMetaStore } as Partial<StoreFactories> as StoreFactories,
    onDefect: (error) => console.error(error),
  })
  storage = opened.forTenant(DEFAULT_TENANT)
  db = new SqliteDatabase(path)
  const parts = { storage, clock: { now: () => now }, auditKey: new Uint8Array(32).fill(9) }
  audit = createAuditLog({ ...parts, mayBegin: true })
  const files = createAuditArchiveFiles(archiveDir())
  archiver = createAuditArchiver({ ...parts, audit, files, rowsAFile: ROWS_A_FILE })
}
async function close(): Promise<void> {
  db.close()
  await opened[Symbol.asyncDispose]()
}
async function reopen(): Promise<void> {
  await close()
  await open()
}
const archiveDir = (): string => join(dir, 'audit-archive')
const append = (count = 1): Promise<void> =>
  storage.transaction(async (tx) => {
    for (let row = 0; row < count; row++) {
      now += 1_000
      await audit.append(tx, 'egress.request', 'run', `req_${row}`, { path: `/${row}` })
    }
  })
const archive = () => archiver.archive(UP_TO, 'cli:0', 60_000)
const verify = (archives = true) => archiver.verify({ archives })
const ids = async (): Promise<number[]> => (await collect(audit.export())).map(({ id }) => id)
const fileOf = (index: number): string => join(archiveDir(), readdirSync(archiveDir()).sort()[index] ?? '')
/** Whatever somebody can do who may write the files but has not the key. */
const attack = (sql: string): void => {
  db.exec('DROP TRIGGER IF EXISTS audit_log_no_update; DROP TRIGGER IF EXISTS audit_log_no_delete')
  db.exec(sql)
}

beforeEach(async () => {
  now = 1_700_000_000_000
  dir = mkdtempSync(join(tmpdir(), 'oauth3-archive-'))
  await open()
  await append(ROWS)
})
afterEach(async () => {
  await close()
  rmSync(dir, { recursive: true })
})

describe('the audit after rows were archived', () => {
  it('holds in the table and in the files, over restarts and new rows', async () => {
    const { archives, finished } = await archive()
    expect(finished).toBe(true)
    expect(archives.map(({ first, last }) => [first, last])).toEqual([
      [1, 300],
      [301, 600],
      [601, 800],
    ])
    expect((await ids())[0]).toBe(UP_TO + 1)
    expect(await verify()).toMatchObject({ ok: true, archived: UP_TO, rows: ROWS + archives.length })
    await reopen()
    await append(50)
    expect(await verify()).toMatchObject({ ok: true, archived: UP_TO })
    expect((await audit.verify()).ok).toBe(true)
    expect(statSync(fileOf(0)).mode & 0o777).toBe(0o600)
    const rows = readFileSync(fileOf(0), 'utf8').trimEnd().split('\n')
    expect(rows).toHaveLength(ROWS_A_FILE + 1)
    expect(JSON.parse(rows[41] ?? '')).toMatchObject({ id: 42, event: 'egress.request' })
  })

  it('names the archives in the chain and goes on with the next range', async () => {
    await archive()
    await append(1_000)
    await archiver.archive(1_500, 'cli:0', 60_000)
    expect(await verify()).toMatchObject({ ok: true, archived: 1_500 })
    expect((await audit.newest(1))[0]).toMatchObject({
      event: 'audit.archived',
      data: expect.stringContaining((await archiver.list()).at(-1)?.digest ?? '-'),
    })
  })

  it('never loses the newest row, and takes rows by their age', async () => {
    expect(await archiver.lastRowAt(1_700_000_000_000 + 500_000)).toBe(500)
    expect(await archiver.lastRowAt(0)).toBe(0)
    expect(await archiver.lastRowAt(now)).toBe(ROWS)
    await archiver.archive(10_000, 'cli:0', 60_000)
    expect((await ids())[0]).toBe(ROWS)
    expect((await verify()).ok).toBe(true)
  })

  it('keeps its table append-only beyond what was archived', async () => {
    await archive()
    expect(() => db.exec('DELETE FROM audit_log')).toThrow('append-only')
    expect(() => db.exec(`DELETE FROM audit_log WHERE id = ${UP_TO + 1}`)).toThrow('append-only')
  })

  it('does not seal what is broken', async () => {
    attack("UPDATE audit_log SET actor = 'nobody' WHERE id = 900")
    await expect(archive()).rejects.toMatchObject({ code: 'conflict' })
    expect([(await ids()).length, await archiver.list()]).toEqual([ROWS, []])
  })
})

describe('archives under the hands of somebody without the master key', () => {
  beforeEach(async () => void (await archive()))
  const edited = (index: number, change: (text: string) => string): void => {
    const path = fileOf(index)
    writeFileSync(path, change(readFileSync(path, 'utf8')))
  }
  const lines = (change: (rows: string[]) => string[]) => (text: string) =>
    `${change(text.trimEnd().split('\n')).join('\n')}\n`

  it.each([
    ['missing', 1, () => rmSync(fileOf(1)), 'missing'],
    ['edited', 0, () => edited(0, (text) => text.replace('/41\\"', '/42\\"')), 'not what was hashed'],
    [
      'cut at its end',
      2,
      () =>
        edited(
          2,
          lines((rows) => rows.slice(0, -3)),
        ),
      'no seal',
    ],
    ['cut in the middle of a line', 2, () => edited(2, (text) => text.slice(0, -20)), 'cannot be read'],
    [
      'short of a row',
      0,
      () =>
        edited(
          0,
          lines((rows) => rows.toSpliced(7, 1)),
        ),
      'row 8 is missing',
    ],
    [
      'short of its first row',
      0,
      () =>
        edited(
          0,
          lines((rows) => rows.slice(1)),
        ),
      'not those that were sealed',
    ],
    [
      'longer by a row',
      0,
      () =>
        edited(
          0,
          lines((rows) => rows.toSpliced(-1, 0, rows[5] ?? '')),
        ),
      'row 301 is missing',
    ],
    ['empty', 0, () => edited(0, () => ''), 'no seal'],
    [
      'given bytes that are no text',
      0,
      () => writeFileSync(fileOf(0), Buffer.alloc(5_000_000, 0xff)),
      'cannot be read',
    ],
  ] as const)('%s: named, while the live rows hold', async (_how, index, attackFile, reason) => {
    const { name, first } = (await archiver.list())[index] ?? {}
    attackFile()
    expect(await verify()).toMatchObject({
      ok: false,
      brokenId: first,
      reason: expect.stringMatching(new RegExp(`${name}.*${reason}`)),
    })
    expect(await verify(false)).toMatchObject({ ok: true })
  })

  it('swapped for another genuine file: named', async () => {
    const [first, second] = [fileOf(0), fileOf(1)]
    renameSync(first, `${first}.old`)
    writeFileSync(first, readFileSync(second))
    expect(await verify()).toMatchObject({ ok: false, reason: expect.stringContaining('another file') })
  })

  it('taken off the list with their file: the gap is named', async () => {
    rmSync(fileOf(1))
    attack('DELETE FROM audit_archives WHERE first_id = 301')
    expect(await verify()).toMatchObject({ ok: false, reason: expect.stringContaining('rows 301 to 600') })
    attack('DELETE FROM audit_archives')
    expect(await verify()).toMatchObject({
      ok: false,
      reason: expect.stringContaining('in no listed archive'),
    })
  })

  it('with an anchor that was made by hand, put back or taken away: shown by the live rows', async () => {
    const anchor = String(db.prepare("SELECT value FROM meta WHERE key = 'audit_anchor'").pluck().get())
    const { hash } = (await collect(audit.export()))[49] ?? {}
    const forged = JSON.stringify({ ...JSON.parse(anchor), id: UP_TO + 50, hash })
    attack(
      `DELETE FROM audit_log WHERE id <= ${UP_TO + 50}; UPDATE meta SET value = '${forged}' WHERE key = 'audit_anchor'`,
    )
    expect(await audit.verify()).toMatchObject({ ok: false, reason: expect.stringContaining('master key') })
    attack(`UPDATE meta SET value = '${anchor}' WHERE key = 'audit_anchor'`)
    expect(await audit.verify()).toMatchObject({ ok: false, brokenId: UP_TO + 1 })
    attack("DELETE FROM meta WHERE key = 'audit_anchor'")
    expect(await audit.verify()).toMatchObject({ ok: false, brokenId: 1 })
    await append()
    await reopen()
    expect((await audit.verify()).ok).toBe(false)
  })
})

describe('a kill -9 while rows are archived', () => {
  /** Runs the child up to its step; whether it came to its end. */
  const archiveUntil = (step: number): boolean =>
    spawnSync(process.execPath, [CHILD, dir, String(step)]).stdout.toString() === 'done'

  it('leaves every row in the table or in a whole archive, at whichever step it comes', async () => {
    await close()
    const before = mkdtempSync(join(tmpdir(), 'oauth3-archive-before-'))
    cpSync(dir, before, { recursive: true })
    let died = 0
    for (let step = 1, isDone = false; !isDone; step += 3) {
      rmSync(dir, { recursive: true })
      cpSync(before, dir, { recursive: true })
      isDone = archiveUntil(step)
      if (!isDone) died += 1
      await open()
      const verdict = await verify()
      expect(verdict).toMatchObject({ ok: true })
      const archived = verdict.ok ? verdict.archived : 0
      expect((await archiver.list()).at(-1)?.last ?? 0).toBe(archived)
      // Nothing between the archives and the newest row is missing; what was archived may still be there.
      const left = await ids()
      expect(left[0]).toBeLessThanOrEqual(archived + 1)
      expect(left.at(-1)).toBe(verdict.ok ? verdict.rows : 0)
      // The next daemon goes on, whatever was left half done.
      await archive()
      while (await storage.transaction((tx) => archiver.deleteSome(tx))) {
        // Until what was archived before the kill is gone from the table as well.
      }
      expect((await ids())[0]).toBe(UP_TO + 1)
      expect((await verify()).ok).toBe(true)
      expect(readdirSync(archiveDir()).sort()).toEqual((await archiver.list()).map(({ name }) => name))
      await close()
    }
    await open()
    rmSync(before, { recursive: true })
    expect(died).toBeGreaterThan(15)
  })
})
