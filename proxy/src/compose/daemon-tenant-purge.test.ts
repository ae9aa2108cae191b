import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { DEFAULT_TENANT, type TenantId } from '../kernel/index.ts'
import { type OpenStorage, openStorage } from '../storage/index.ts'
import { STORES } from './compose-stores.ts'
import { openPurge } from './daemon-tenant-purge.ts'

const GONE = 'ten_gone' as TenantId
const STAYS = 'ten_stays' as TenantId

let dir: string
let database: OpenStorage
let hasTrouble = false
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'oauth3-purge-'))
  hasTrouble = false
  database = await openStorage({
    database: { path: join(dir, 'proxy.db') },
    stores: {
      ...STORES,
      tenantRows: (queries, tenant) => {
        const rows = STORES.tenantRows(queries, tenant)
        return {
          deleteSome: (limit) =>
            hasTrouble ? Promise.reject(new Error('the disk is away')) : rows.deleteSome(limit),
        }
      },
    },
    onDefect: () => {},
  })
  for (const id of [GONE, STAYS]) {
    await database
      .forTenant(DEFAULT_TENANT)
      .transaction((tx) => tx.tenants.insert({ id, name: id, createdAt: 1, removedAt: null }))
    await database.forTenant(id).transaction(async (tx) => {
      await tx.dataKeys.insert({ id: 1, wrapped: 'demo', createdAt: 1 })
      await tx.meta.set('data_keys_staged', '[{"id":1,"wrapped":"demo"}]')
      for (let n = 0; n < 1_200; n++) await tx.meta.set(`key-${n}`, 'value')
    })
  }
})
afterEach(async () => {
  await database[Symbol.asyncDispose]()
  rmSync(dir, { recursive: true })
})

const left = (id: TenantId) =>
  database.forTenant(id).read(async (tx) => ({
    keys: (await tx.dataKeys.list()).length,
    staged: (await tx.meta.get('data_keys_staged')) ?? '',
    last: await tx.meta.get('key-1199'),
  }))

it('destroys its keys first, and the rest when it can', async () => {
  const own = { storage: database.forTenant(DEFAULT_TENANT) }
  const files: TenantId[] = []
  const removeFiles = (id: TenantId): void => void files.push(id)
  const purged: TenantId[] = []
  const machines = { purge: async (id: TenantId) => void purged.push(id) }
  const defects: unknown[] = []
  const onDefect = (error: unknown): void => void defects.push(error)
  await own.storage.transaction((tx) => tx.tenants.markRemoved(GONE, 2))
  await using purge = openPurge({ database, own, machines, removeFiles, onDefect })
  hasTrouble = true
  expect(await purge.everythingOf(GONE)).toBe(false)
  expect(await left(GONE)).toEqual({ keys: 0, staged: '', last: 'value' })
  expect([defects.length, files]).toEqual([1, []])

  hasTrouble = false
  expect(await purge.everythingOf(GONE)).toBe(true)
  expect(await left(GONE)).toEqual({ keys: 0, staged: '', last: undefined })
  expect([files, purged.at(-1)]).toEqual([[GONE], GONE])
  const ids = (await own.storage.read((tx) => tx.tenants.list())).map(({ id }) => id)
  expect(ids.sort()).toEqual([DEFAULT_TENANT, STAYS])
  expect(await left(STAYS)).toMatchObject({ keys: 1, last: 'value' })
})
