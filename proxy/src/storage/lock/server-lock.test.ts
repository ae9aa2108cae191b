import pg from 'pg'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { patience } from '../../../test/support/pace.ts'
import { withoutPostgres } from '../../../test/support/postgres-binaries.ts'
import { relayTo } from '../../../test/support/postgres-relay.ts'
import { freshDatabase, type TestServer } from '../../../test/support/postgres-server.ts'
import { DEFAULT_TENANT, type Storage } from '../../kernel/index.ts'
import { createMetaStore, openStorage, type StoreFactories } from '../index.ts'
import { lockServer } from './server-lock.ts'

const missing = withoutPostgres()
const HURRIED = { patienceMs: 300, heartbeatMs: 300, answerMs: 2_000 }
const CONFLICT = { code: 'conflict', message: 'A daemon already runs on this PostgreSQL database.' }
const TAKEN = {
  code: 'conflict',
  message: 'Another daemon works on this PostgreSQL database now; this one ends.',
}

describe.skipIf(missing !== undefined)(
  `the one daemon of a PostgreSQL database (${missing ?? 'here'})`,
  () => {
    let server: TestServer
    let admin: pg.Client
    let stack: AsyncDisposableStack
    beforeEach(async () => {
      server = await freshDatabase()
      admin = new pg.Client({ connectionString: server.adminUrl })
      await admin.connect()
      stack = new AsyncDisposableStack()
    })
    afterEach(async () => {
      await stack.disposeAsync()
      await admin.end()
      await server.drop()
    })

    const daemon = async (url = server.url, times?: typeof HURRIED) => {
      const lock = stack.use(await lockServer(url, times))
      const opened = stack.use(
        await openStorage({
          database: { url, fence: lock.fence },
          stores: { meta: createMetaStore } as Partial<StoreFactories> as StoreFactories,
          onDefect: () => {},
          ...(times && { unitTimeoutMs: times.answerMs }),
        }),
      )
      return { lock, storage: opened.forTenant(DEFAULT_TENANT) }
    }
    const write = (storage: Storage, value: string): Promise<void> =>
      storage.transaction((tx) => tx.meta.set('note', value))
    const read = (storage: Storage): Promise<string | undefined> => storage.read((tx) => tx.meta.get('note'))
    const endSession = (sign: string) =>
      admin.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1', [
        sign,
      ])
    const holder = async (): Promise<number | undefined> =>
      (
        await admin.query<{ pid: number }>(
          `SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 2
            AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
        )
      ).rows[0]?.pid
    /** Takes what the daemon holds, as somebody who knows its number does, as soon as it is free. */
    const takeLock = async (): Promise<void> => {
      const other = new pg.Client({ connectionString: server.url })
      stack.defer(() => other.end())
      await other.connect()
      await other.query(`SELECT pg_advisory_lock(${0x6f617574}, 1)`)
    }

    it('refuses a second one, and lets it in when the first has ended', async () => {
      const first = await lockServer(server.url)
      await expect(lockServer(server.url, HURRIED)).rejects.toMatchObject(CONFLICT)
      await first[Symbol.asyncDispose]()
      stack.use(await lockServer(server.url))
    })

    it('takes its lock again when the connection was lost, and writes on', async () => {
      const { lock, storage } = await daemon()
      const before = await holder()
      await endSession(lock.fence.sign)
      // Until the daemon hears of it, it writes as if nothing were lost.
      await expect.poll(async () => [undefined, before].includes(await holder())).toBe(false)
      await expect
        .poll(() =>
          write(storage, 'again').then(
            () => 'written',
            () => 'refused',
          ),
        )
        .toBe('written')
      expect(lock.taken.aborted).toBe(false)
      await expect(lockServer(server.url, HURRIED)).rejects.toMatchObject(CONFLICT)
    })

    it('takes it from what the server still has of the connection that was lost', {
      timeout: patience(120_000),
    }, async () => {
      await using relay = await relayTo(server.url)
      const { lock, storage } = await daemon(relay.url, HURRIED)
      // The daemon's end is gone; the server hears nothing of it.
      relay.fault = 'silent'
      expect(await read(storage).catch(() => 'away')).toBe('away')
      relay.fault = 'none'
      await expect
        .poll(
          () =>
            write(storage, 'again').then(
              () => 'written',
              () => 'refused',
            ),
          { timeout: 60_000 },
        )
        .toBe('written')
      expect(lock.taken.aborted).toBe(false)
    })

    it('writes nothing when another has the lock, and ends', async () => {
      const { lock, storage } = await daemon()
      await write(storage, 'mine')
      const taking = takeLock()
      await expect
        .poll(
          async () =>
            (await admin.query("SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"))
              .rowCount,
        )
        .toBe(1)
      await endSession(lock.fence.sign)
      await taking
      await expect.poll(() => lock.taken.aborted).toBe(true)
      expect(lock.taken.reason).toMatchObject(TAKEN)
      await expect(write(storage, 'later')).rejects.toMatchObject(TAKEN)
      expect(await read(storage)).toBe('mine')
    })

    it('writes nothing when another came past it unseen', async () => {
      const { lock, storage } = await daemon()
      await write(storage, 'mine')
      await admin.query("UPDATE installation SET value = 'another' WHERE key = 'daemon'")
      await expect(write(storage, 'late')).rejects.toMatchObject(TAKEN)
      expect(lock.taken.aborted).toBe(true)
      expect(await read(storage)).toBe('mine')
    })

    it('does not begin before the last unit of the one before has ended', async () => {
      const { lock, storage } = await daemon()
      const { promise: held, resolve: letGo } = Promise.withResolvers<void>()
      const { promise: begun, resolve: begin } = Promise.withResolvers<void>()
      const last = storage.transaction(async (tx) => {
        await tx.meta.set('note', 'the last word')
        begin()
        await held
      })
      await begun
      await lock[Symbol.asyncDispose]()
      const order: string[] = []
      const next = daemon().then(async (second) => {
        order.push('begun')
        return await read(second.storage)
      })
      await expect
        .poll(
          async () =>
            (await admin.query("SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"))
              .rowCount,
        )
        .toBe(1)
      order.push('last')
      letGo()
      await last
      expect(await next).toBe('the last word')
      expect(order).toEqual(['last', 'begun'])
    })

    it.each(['postgres://app:pass-word-1@[bad/oauth3', 'postgres://app:pass-word-1%@host/oauth3'])(
      'says of an address that is none what it takes, and repeats nothing of it: %#',
      async (url) => {
        const error = await lockServer(url).catch((thrown: unknown) => thrown)
        expect(error).toMatchObject({ code: 'storage_unavailable' })
        const { inspect } = await import('node:util')
        expect(inspect(error, { depth: 9 })).not.toContain('pass-word-1')
      },
    )

    it('says that the server is away, without its address', async () => {
      const error = await lockServer('postgres://app:pass-word-1@127.0.0.1:1/oauth3').catch(
        (thrown: unknown) => thrown,
      )
      expect(error).toMatchObject({
        code: 'storage_unavailable',
        message:
          'The PostgreSQL database cannot be opened (ECONNREFUSED). No server listens at this address.',
      })
    })

    it('says what is wrong with an address whose server answers', async () => {
      const url = server.url.replace(/\/[^/?]+(\?|$)/, '/not_made$1')
      const error = await lockServer(url).catch((thrown: unknown) => thrown)
      expect(error).toMatchObject({
        code: 'storage_unavailable',
        message: expect.stringContaining('(3D000). The server has no database of this name'),
      })
    })
  },
)
