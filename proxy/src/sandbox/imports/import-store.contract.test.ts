import { expect, it } from 'vitest'
import { storeContract } from '../../../test/support/store-contract.ts'
import { createImportStore } from './import-store.ts'
import { sealLock } from './lock.ts'
import type { LockedImports } from './ports.ts'

const lockOf = (files: Record<string, string | Uint8Array>): LockedImports =>
  sealLock({
    runtime: { name: 'deno', image: 'sha256:demo' },
    files: new Map(Object.entries(files).map(([path, bytes]) => [path, Buffer.from(bytes)])),
    modules: ['npm:demo@1.0.0'],
  })

storeContract('the store of imports', { imports: createImportStore }, (kit) => {
  const put = (lock: LockedImports, storage = kit.mine) =>
    storage.transaction(({ imports }) => imports.put(lock, 1))
  const read = (lock: LockedImports, storage = kit.mine) =>
    storage.read(({ imports }) => imports.read(lock.lock.hash))
  const count = async (table: string): Promise<unknown> =>
    (await kit.sql(`SELECT count(*) AS n FROM ${table} WHERE tenant_id = '${kit.me}'`))[0]?.n

  it('gives back what was put, and keeps each content once', async () => {
    const [one, two] = [lockOf({ 'npm/a': 'same', 'npm/b': 'one' }), lockOf({ 'npm/a': 'same', 'npm/c': '' })]
    for (const lock of [one, two, one]) await put(lock)
    expect(await read(one)).toEqual(one)
    expect(await read(two)).toEqual(two)
    expect([await count('import_files'), await count('import_locks')]).toEqual([3, 2])
    expect(await kit.mine.read(({ imports }) => imports.read('0'.repeat(64)))).toBeUndefined()
  })

  it('keeps bytes as they are, of many files and of large ones', async () => {
    const every = Uint8Array.from({ length: 256 }, (_, at) => at)
    const many = Object.fromEntries(Array.from({ length: 250 }, (_, at) => [`f/${at}`, `content ${at}`]))
    const lock = lockOf({
      ...many,
      every,
      large: Buffer.alloc(3_000_000, 'é'),
      larger: Buffer.alloc(5_000_000),
    })
    await put(lock)
    await put(lock)
    const kept = await read(lock)
    expect(kept?.lock).toEqual(lock.lock)
    for (const [sha256, bytes] of lock.contents)
      expect(Buffer.compare(kept?.contents.get(sha256) ?? Buffer.alloc(0), bytes)).toBe(0)
  })

  it('is put by two at once', async () => {
    const lock = lockOf({ 'npm/a': 'content' })
    await Promise.all([put(lock), put(lock), put(lock)])
    expect(await read(lock)).toEqual(lock)
  })

  it.each([
    ['an altered file', () => `UPDATE import_files SET bytes = ${kit.bytes('00')}`],
    ['a missing file', () => 'DELETE FROM import_files'],
    ['a file that its lock does not name', () => 'DELETE FROM import_lock_files'],
    ['an altered manifest', () => "UPDATE import_locks SET manifest = replace(manifest, 'npm/a', 'npm/z')"],
    ['a manifest that is no JSON', () => "UPDATE import_locks SET manifest = 'no json'"],
  ])('gives nothing for %s, and is whole again once it is put again', async (_what, sql) => {
    const lock = lockOf({ 'npm/a': 'content' })
    await put(lock)
    await kit.sql(`${sql()} WHERE tenant_id = '${kit.me}'`)
    expect(await read(lock)).toBeUndefined()
    await put(lock)
    expect(await read(lock)).toEqual(lock)
  })

  it('is of each tenant, contents too', async () => {
    const lock = lockOf({ 'npm/a': 'content' })
    await put(lock, kit.theirs)
    expect(await read(lock)).toBeUndefined()
    await put(lock)
    await kit.sql(`DELETE FROM import_files WHERE tenant_id = '${kit.them}'`)
    expect(await read(lock)).toEqual(lock)
    expect(await read(lock, kit.theirs)).toBeUndefined()
  })

  it('is found through an index', async () => {
    await kit.sql(`INSERT INTO import_lock_files (tenant_id, lock, sha256)
      SELECT '${kit.me}', 'l' || n % 1000, 'f' || n FROM (${kit.numbers(4_000)}) AS numbers`)
    await kit.sql(`INSERT INTO import_files (tenant_id, sha256, bytes)
      SELECT '${kit.me}', 'f' || n, ${kit.bytes('00')} FROM (${kit.numbers(4_000)}) AS numbers`)
    await kit.sql(`INSERT INTO import_locks (tenant_id, hash, manifest, created_at)
      SELECT '${kit.me}', 'l' || n, '{}', 1 FROM (${kit.numbers(1_000)}) AS numbers`)
    await kit.sql('ANALYZE')
    await kit.expectIndexed('by hash', ({ imports }) => imports.read('l5'))
  })
})
