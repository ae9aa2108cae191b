import { expect, it } from 'vitest'
import { collect } from '../../../test/support/collect.ts'
import { describeEngines } from '../../../test/support/engines.ts'
import { type AuditLog, createAuditLog, createAuditStore } from '../../audit/index.ts'
import { DEFAULT_TENANT, type TenantId } from '../../kernel/index.ts'
import { createMetaStore } from '../../storage/index.ts'
import { JobFailed } from '../work-pool/index.ts'
import { createBackground, createBackgroundScans, surroundingsOfConnections } from './index.ts'

describeEngines('the whole audit, read in a process', ({ engine, fresh }) => {
  it('is what the daemon itself would read, of one tenant alone', async () => {
    await using database = await fresh({ stores: { audit: createAuditStore, meta: createMetaStore } })
    await using background = createBackground()
    const logOf = (tenant: TenantId, isApart: boolean): AuditLog => {
      const storage = database.forTenant(tenant)
      const address = engine === 'sqlite' ? { path: database.where } : { url: database.where }
      return createAuditLog({
        ...{ storage, clock: { now: () => 1_700_000_000_000 }, auditKey: new Uint8Array(32).fill(9) },
        ...(isApart && { scans: createBackgroundScans(background, { database: address, tenant }) }),
      })
    }
    for (const [tenant, count] of [
      [DEFAULT_TENANT, 600],
      ['other' as TenantId, 7],
    ] as const) {
      const log = logOf(tenant, true)
      await database.forTenant(tenant).transaction(async (tx) => {
        for (let at = 0; at < count; at++)
          await log.append(tx, 'agent.added', 'cli:0', 'req_1', { at, tenant })
      })
    }
    const log = logOf(DEFAULT_TENANT, true)
    expect(await log.verify()).toMatchObject({ ok: true, finished: true, rows: 600 })
    const rows = await collect(log.export())
    expect(rows).toHaveLength(600)
    expect(rows).toEqual(await collect(logOf(DEFAULT_TENANT, false).export()))
    expect(await logOf('other' as TenantId, true).verify()).toMatchObject({ ok: true, rows: 7 })
    // What is read by the daemon itself needs none: that did it.
    expect(background.database.threads).toBeGreaterThan(0)
  })

  it.runIf(engine === 'postgres')(
    'is found by what the environment says, as by the daemon itself',
    async () => {
      await using database = await fresh({ stores: { audit: createAuditStore, meta: createMetaStore } })
      const url = new URL(database.where)
      const name = url.pathname.slice(1)
      url.pathname = ''
      const place = { database: { url: url.href }, tenant: DEFAULT_TENANT }
      const read = async (): Promise<unknown> => {
        await using background = createBackground(surroundingsOfConnections())
        return await createBackgroundScans(background, place).rowsAfter(0)
      }
      await expect(read()).rejects.toMatchObject({ code: 'storage_unavailable' })
      process.env.PGDATABASE = name
      try {
        expect(await read()).toEqual([])
      } finally {
        delete process.env.PGDATABASE
      }
    },
  )

  it('that cannot be read is said, without an address', async () => {
    await using background = createBackground()
    const database =
      engine === 'sqlite'
        ? { path: '/nowhere/proxy.db' }
        : { url: 'postgres://somebody:hunter2@127.0.0.1:1/none' }
    const scans = createBackgroundScans(background, { database, tenant: DEFAULT_TENANT })
    const reading = scans.rowsAfter(0)
    await expect(reading).rejects.toMatchObject({ code: 'storage_unavailable' })
    await expect(reading).rejects.not.toThrow(/hunter2|nowhere/)
  })
})

it('an audit that a busy machine does not read in time is not said to be unreadable', async () => {
  const owners: string[] = []
  const run = (owner: string) => {
    owners.push(owner)
    return Promise.reject(new JobFailed('time', 'It takes too long.'))
  }
  const place = { database: { path: '/nowhere/proxy.db' }, tenant: DEFAULT_TENANT }
  const scans = createBackgroundScans(
    { database: { run, threads: 0, [Symbol.asyncDispose]: async () => {} } },
    place,
  )
  await expect(scans.rowsAfter(0)).rejects.toMatchObject({
    code: 'storage_unavailable',
    message: expect.stringMatching(/the machine is busy.* ask again/),
  })
  // Tenants take turns, and what tends the log is nobody's.
  expect(owners).toEqual([DEFAULT_TENANT])
})
