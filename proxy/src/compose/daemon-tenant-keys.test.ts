import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { DEFAULT_TENANT, SecretValue, type Storage, type TenantId, type Tx } from '../kernel/index.ts'
import { type OpenStorage, openStorage } from '../storage/index.ts'
import { createSodiumCipher } from '../vault/crypto/index.ts'
import type { DataKeyring } from '../vault/index.ts'
import { STORES } from './compose-stores.ts'
import { type MasterKeys, openMasterKeys } from './daemon-keys.ts'

const CONTEXT = 'secret:DEMO_KEY:1'
const TENANTS = ['ten_1', 'ten_2'] as TenantId[]

let dir: string
let database: OpenStorage
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'oauth3-tenant-keys-'))
  database = await openStorage({
    database: { path: join(dir, 'proxy.db') },
    stores: STORES,
    onDefect: () => {},
  })
})
afterEach(async () => {
  await database[Symbol.asyncDispose]()
  rmSync(dir, { recursive: true })
})

/** Units that change something, over all tenants; the process ends after so many of them. */
class Process {
  units = 0
  endsAfter = Number.POSITIVE_INFINITY

  storage(tenant: TenantId): Storage {
    const real = database.forTenant(tenant)
    return {
      ...real,
      transaction: async <T>(work: (tx: Tx) => Promise<T>): Promise<T> => {
        if (this.units >= this.endsAfter) throw new Error('power cut')
        const result = await real.transaction(work)
        this.units += 1
        if (this.units >= this.endsAfter) throw new Error('power cut')
        return result
      },
    }
  }
}

async function start(process = new Process()) {
  const keys: MasterKeys = await openMasterKeys({
    source: { kind: 'file', path: join(dir, 'master.key') },
    storage: process.storage(DEFAULT_TENANT),
    cipher: await createSodiumCipher(),
    clock: { now: () => 1 },
  })
  const rings = new Map<TenantId, DataKeyring>([[DEFAULT_TENANT, keys.keyring]])
  for (const tenant of TENANTS) rings.set(tenant, await keys.open(tenant, process.storage(tenant)))
  return { keys, rings }
}

const nothingBeside = async (): Promise<void> => {}

describe('the rotation of the master key with several tenants', () => {
  it('opens all that was sealed at the next start, wherever the process ends in it', async () => {
    const sealed = new Map<TenantId, string>()
    for (const [tenant, ring] of (await start()).rings)
      sealed.set(tenant, ring.seal(CONTEXT, new SecretValue(`value of ${tenant}`)))

    let isWhole = false
    for (let units = 0; !isWhole; units++) {
      const process = new Process()
      const { keys } = await start(process)
      process.endsAfter = process.units + units
      isWhole = await keys.rotate(nothingBeside).then(
        () => true,
        () => false,
      )
      const { rings } = await start()
      for (const [tenant, ring] of rings)
        expect(ring.open(CONTEXT, sealed.get(tenant) ?? '').open(), `${tenant} after ${units} units`).toBe(
          `value of ${tenant}`,
        )
      for (const [, ring] of rings) expect(ring.isStaged).toBe(false)
    }
  })

  it('takes neither another one nor a new data key until what did not end is settled', async () => {
    const process = new Process()
    const { keys, rings } = await start(process)
    // Both have staged, and nothing is committed.
    process.endsAfter = process.units + 2
    await expect(keys.rotate(nothingBeside)).rejects.toThrow('power cut')
    process.endsAfter = Number.POSITIVE_INFINITY
    await expect(keys.rotate(nothingBeside)).rejects.toMatchObject({ code: 'conflict' })
    const ring = rings.get('ten_1' as TenantId)
    await expect(
      database.forTenant('ten_1' as TenantId).transaction(async (tx) => void (await ring?.begin(tx))),
    ).rejects.toMatchObject({ code: 'conflict' })
    const next = await start()
    await next.keys.rotate(nothingBeside)
    await database
      .forTenant('ten_1' as TenantId)
      .transaction(async (tx) => void (await next.rings.get('ten_1' as TenantId)?.begin(tx)))
  })
})
