import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Database } from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { sealLock } from '../../domain/imports/index.ts'
import { openDatabase } from './database.ts'
import { createImportStore } from './import-store.ts'

const lockOf = (files: Record<string, string>) =>
  sealLock({
    runtime: { name: 'deno', image: 'sha256:demo' },
    files: new Map(Object.entries(files).map(([path, text]) => [path, Buffer.from(text)])),
    modules: ['npm:demo@1.0.0'],
  })

describe('the store of imports', () => {
  let dir: string
  let db: Database
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'oauth3-import-store-'))
    db = openDatabase(join(dir, 'proxy.db'))
  })
  afterEach(() => {
    db.close()
    rmSync(dir, { recursive: true })
  })

  it('gives back what was put, and keeps each content once', () => {
    const store = createImportStore(db)
    const [one, two] = [lockOf({ 'npm/a': 'same', 'npm/b': 'one' }), lockOf({ 'npm/a': 'same', 'npm/c': '' })]
    store.put(one, 1)
    store.put(two, 2)
    store.put(one, 3)
    expect(store.read(one.lock.hash)).toEqual(one)
    expect(store.read(two.lock.hash)).toEqual(two)
    expect(db.prepare('SELECT count(*) FROM import_files').pluck().get()).toBe(3)
    expect(store.read('0'.repeat(64))).toBeUndefined()
  })

  it.each([
    ['an altered file', "UPDATE import_files SET bytes = x'00'"],
    ['a missing file', 'DELETE FROM import_files'],
    ['an altered manifest', "UPDATE import_locks SET manifest = replace(manifest, 'npm/a', 'npm/z')"],
  ])('gives nothing for %s, and is whole again once it is put again', (_what, sql) => {
    const store = createImportStore(db)
    const lock = lockOf({ 'npm/a': 'content' })
    store.put(lock, 1)
    db.exec(sql)
    expect(store.read(lock.lock.hash)).toBeUndefined()
    store.put(lock, 2)
    expect(store.read(lock.lock.hash)).toEqual(lock)
  })
})
