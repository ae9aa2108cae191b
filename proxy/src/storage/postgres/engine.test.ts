import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'kysely'
import pg from 'pg'
import { describe, expect, it } from 'vitest'
import { engineKits } from '../../../test/support/engines.ts'
import { asNotes, freshNotes, notesStores } from '../../../test/support/notes.ts'
import { patience } from '../../../test/support/pace.ts'
import { withoutPostgres } from '../../../test/support/postgres-binaries.ts'
import { relayTo } from '../../../test/support/postgres-relay.ts'
import { freshDatabase } from '../../../test/support/postgres-server.ts'
import { DEFAULT_TENANT } from '../../kernel/index.ts'
import { openStorage } from '../index.ts'

const unavailable = expect.objectContaining({ code: 'storage_unavailable' })
const missing = withoutPostgres()
const kit = engineKits.postgres

async function asAdmin<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}

const endBackends = (adminUrl: string): Promise<unknown> =>
  asAdmin(adminUrl, (client) =>
    client.query(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'oauth3' AND datname = current_database()",
    ),
  )

/** Another node of the same database, behind a relay. */
async function nodeBehindRelay(where: string, unitTimeoutMs = 5_000) {
  const relay = await relayTo(where)
  const opened = await openStorage({
    database: { url: relay.url, connections: 2 },
    stores: notesStores,
    onDefect: () => {},
    unitTimeoutMs,
  })
  return {
    relay,
    notes: asNotes(opened.forTenant(DEFAULT_TENANT)),
    async [Symbol.asyncDispose]() {
      await opened[Symbol.asyncDispose]()
      await relay[Symbol.asyncDispose]()
    },
  }
}

describe.skipIf(missing !== undefined)('a backend of PostgreSQL', () => {
  it('that is ended in the middle of a unit undoes that unit, and the process and the next one go on', async () => {
    await using made = await freshNotes(kit)
    const { db, notes } = made
    const work = notes.transaction(async (tx) => {
      await tx.notes.add('a')
      await endBackends(db.adminUrl)
      await tx.notes.add('b')
    })
    await expect(work).rejects.toEqual(unavailable)
    // Also while it waits for something else, which no statement hears of.
    const silent = notes.transaction(async (tx) => {
      await tx.notes.add('c')
      await endBackends(db.adminUrl)
      await sleep(50)
    })
    await expect(silent).rejects.toEqual(unavailable)
    await notes.transaction((tx) => tx.notes.add('d'))
    expect(await notes.read((tx) => tx.notes.all())).toEqual(['d'])
  })

  it('that is ended while nobody uses it is reported without the address, and replaced', async () => {
    const defects: unknown[] = []
    await using made = await freshNotes(kit, { onDefect: (error) => void defects.push(error) })
    const { db, notes } = made
    await notes.transaction((tx) => tx.notes.add('a'))
    await endBackends(db.adminUrl)
    await expect.poll(() => defects.length).toBeGreaterThan(0)
    for (const defect of defects) {
      expect(defect).toEqual(unavailable)
      expect(Object.keys((defect as Error).cause as object)).not.toContain('client')
    }
    await notes.transaction((tx) => tx.notes.add('b'))
    expect(await notes.read((tx) => tx.notes.all())).toEqual(['a', 'b'])
  })
})

describe.skipIf(missing !== undefined)('a commit on PostgreSQL', () => {
  it('whose answer is lost is found to be made', async () => {
    await using made = await freshNotes(kit)
    await using node = await nodeBehindRelay(made.db.where)
    const said: string[] = []
    node.relay.fault = 'answer-lost'
    const work = node.notes.transaction(async (tx) => {
      tx.onCommit(() => said.push('mirrored'))
      tx.afterCommit(() => said.push('outside'))
      await tx.notes.add('a')
    })
    await expect(work).resolves.toBeUndefined()
    await Promise.resolve()
    expect(said).toEqual(['mirrored', 'outside'])
    node.relay.fault = 'none'
    await node.notes.transaction((tx) => tx.notes.add('b'))
    expect(await made.notes.read((tx) => tx.notes.all())).toEqual(['a', 'b'])
  })

  it('that the server never got is found not to be made', async () => {
    await using made = await freshNotes(kit)
    await using node = await nodeBehindRelay(made.db.where)
    node.relay.fault = 'commit-lost'
    const work = node.notes.transaction(async (tx) => {
      tx.onCommit(() => expect.unreachable())
      await tx.notes.add('a')
    })
    await expect(work).rejects.toMatchObject({
      code: 'storage_unavailable',
      message: expect.stringContaining('nothing was changed'),
    })
    node.relay.fault = 'none'
    await node.notes.transaction((tx) => tx.notes.add('b'))
    expect(await made.notes.read((tx) => tx.notes.all())).toEqual(['b'])
  })

  it('of which nothing more is heard is not said to be undone', { timeout: patience(60_000) }, async () => {
    await using made = await freshNotes(kit)
    await using node = await nodeBehindRelay(made.db.where, 300)
    const work = node.notes.transaction(async (tx) => {
      await tx.notes.add('a')
      node.relay.fault = 'gone'
    })
    await expect(work).rejects.toMatchObject({
      code: 'storage_unavailable',
      message: expect.not.stringContaining('nothing was changed'),
    })
  })

  it('of which nothing more was heard is told to what mirrors it, before another unit begins', {
    timeout: patience(60_000),
  }, async () => {
    await using made = await freshNotes(kit)
    await using node = await nodeBehindRelay(made.db.where, 300)
    const said: string[] = []
    const write = (text: string, fault: typeof node.relay.fault): Promise<void> =>
      node.notes.transaction(async (tx) => {
        said.push(`${text} begins`)
        tx.onCommit(() => said.push(`${text} mirrored`))
        tx.afterCommit(() => said.push(`${text} outside`))
        await tx.notes.add(text)
        node.relay.fault = fault
      })
    await expect(write('a', 'gone')).rejects.toEqual(unavailable)
    await expect(write('b', 'none')).rejects.toEqual(unavailable)
    expect(said).toEqual(['a begins'])
    node.relay.fault = 'none'
    await write('c', 'none')
    await expect
      .poll(() => said)
      .toEqual(['a begins', 'a mirrored', 'a outside', 'c begins', 'c mirrored', 'c outside'])
    expect(await made.notes.read((tx) => tx.notes.all())).toEqual(['a', 'c'])
  })

  it('of which nothing more was heard is told to what mirrors it, also where nobody writes any more', {
    timeout: patience(60_000),
  }, async () => {
    await using made = await freshNotes(kit)
    await using node = await nodeBehindRelay(made.db.where, 300)
    const said: string[] = []
    const work = node.notes.transaction(async (tx) => {
      tx.onCommit(() => said.push('mirrored'))
      tx.afterCommit(() => said.push('outside'))
      await tx.notes.add('a')
      node.relay.fault = 'gone'
    })
    await expect(work).rejects.toEqual(unavailable)
    expect(said).toEqual([])
    node.relay.fault = 'none'
    await expect.poll(() => said).toEqual(['mirrored', 'outside'])
    expect(await made.notes.read((tx) => tx.notes.all())).toEqual(['a'])
  })

  it('is on disk when it is answered, also on a server that would not wait', async () => {
    await using made = await freshNotes(kit)
    const { db } = made
    await asAdmin(db.adminUrl, async (client) => {
      const { rows } = await client.query('SELECT current_database() AS name')
      await client.query(`ALTER DATABASE ${rows[0].name} SET synchronous_commit = off`)
    })
    const opened = await db.again()
    const shown = await asNotes(opened.forTenant(DEFAULT_TENANT)).transaction(({ queries }) =>
      sql<{ synchronous_commit: string }>`SHOW synchronous_commit`.execute(queries.db),
    )
    expect(shown.rows[0]?.synchronous_commit).toBe('on')
  })
})

describe.skipIf(missing !== undefined)('tenants on PostgreSQL', () => {
  it('do not wait for each other, and a busy one takes one connection', async () => {
    await using made = await freshNotes(kit, { postgres: { connections: 2 } })
    const other = asNotes(made.db.forTenant('other'))
    const { promise: released, resolve: release } = Promise.withResolvers<void>()
    const busy = [1, 2, 3, 4].map((number) =>
      made.notes.transaction(async (tx) => {
        await released
        await tx.notes.add(String(number))
      }),
    )
    await other.transaction((tx) => tx.notes.add('a'))
    expect(await other.read((tx) => tx.notes.all())).toEqual(['a'])
    release()
    await Promise.all(busy)
    expect(await made.notes.read((tx) => tx.notes.all())).toHaveLength(4)
  })
})

describe.skipIf(missing !== undefined)('a network that says nothing', () => {
  it('does not let a node that is cut off hold the tenant, nor that node wait for ever', {
    timeout: patience(60_000),
  }, async () => {
    await using made = await freshNotes(kit)
    await using node = await nodeBehindRelay(made.db.where, 500)
    const cut = node.notes.transaction(async (tx) => {
      await tx.notes.add('a')
      node.relay.fault = 'silent'
      await tx.notes.add('b')
    })
    const failed = expect(cut).rejects.toBeInstanceOf(Error)
    await expect.poll(() => node.relay.fault).toBe('silent')
    await made.notes.transaction((tx) => tx.notes.add('c'))
    await failed
    expect(await made.notes.read((tx) => tx.notes.all())).toEqual(['c'])
    await expect(node.notes.transaction((tx) => tx.notes.add('d'))).rejects.toEqual(unavailable)
    node.relay.fault = 'none'
    await node.notes.transaction((tx) => tx.notes.add('e'))
    expect(await made.notes.read((tx) => tx.notes.all())).toEqual(['c', 'e'])
  })
})

describe.skipIf(missing !== undefined)('an error of PostgreSQL', () => {
  it('repeats no value of a row', async () => {
    await using made = await freshNotes(kit)
    const statements = [
      sql`INSERT INTO notes (tenant_id, text) VALUES ('default', ${'refused zzz-value'})`,
      sql`INSERT INTO notes (tenant_id, text) VALUES (${'zzz-value'}, NULL)`,
      sql`SELECT ${'zzz-value'}::bigint`,
      sql`SELECT app_json(${'zzz-value'})::text::integer, ${'zzz-value'}::integer`,
    ]
    for (const statement of statements) {
      const error = await made.notes
        .transaction(({ queries }) => statement.execute(queries.db))
        .catch((thrown: unknown) => thrown)
      expect(error).toBeInstanceOf(Error)
      const { message, stack, cause } = error as Error
      expect(JSON.stringify([message, stack, cause, { ...(error as object) }])).not.toContain('zzz-value')
    }
  })
})

describe.skipIf(missing !== undefined)('a PostgreSQL database', () => {
  const open = (url: string) => openStorage({ database: { url }, stores: notesStores, onDefect: () => {} })

  it('is brought to the newest version by nodes that start at the same moment', async () => {
    const { url, drop } = await freshDatabase({ isEmpty: true })
    const all = await Promise.all([open(url), open(url), open(url)])
    for (const opened of all) await opened[Symbol.asyncDispose]()
    await drop()
  })

  it('of a newer daemon is refused, and let alone', async () => {
    const { url, adminUrl, drop } = await freshDatabase()
    await asAdmin(adminUrl, (client) => client.query('UPDATE schema_version SET version = 1000'))
    await expect(open(url)).rejects.toMatchObject({
      code: 'storage_unavailable',
      message: expect.stringContaining('newer daemon'),
    })
    await drop()
  })

  it('is refused to a role that row-level security does not hold', async () => {
    const { adminUrl, drop } = await freshDatabase({ isEmpty: true })
    await expect(open(adminUrl)).rejects.toMatchObject({
      code: 'storage_unavailable',
      message: expect.stringContaining('row-level security'),
    })
    await drop()
  })

  it.each([
    ['has no server', 'postgres://someone:zzz-password@127.0.0.1:1/nothing'],
    ['has no socket', 'postgres://someone:zzz-password@%2Ftmp%2Foauth3-nowhere/nothing'],
    ['is no address', 'postgres://someone:zzz-password@:what/nothing'],
  ])('that %s is refused, without its address or password', async (_what, url) => {
    const error: Error = await open(url).then(
      () => expect.unreachable(),
      (thrown: Error) => thrown,
    )
    expect(error).toEqual(unavailable)
    expect(error.message).not.toMatch(/zzz-password|someone|127\.0\.0\.1|nowhere/)
  })

  it('that is missing is refused', async () => {
    const { url, drop } = await freshDatabase()
    await drop()
    await expect(open(url)).rejects.toEqual(unavailable)
  })

  it('that goes away while it is open is reported as such, and used again when it is back', async () => {
    await using made = await freshNotes(kit, { onDefect: () => {} })
    await using node = await nodeBehindRelay(made.db.where, 1_000)
    node.relay.fault = 'gone'
    await endBackends(made.db.adminUrl)
    await expect(node.notes.transaction((tx) => tx.notes.add('a'))).rejects.toEqual(unavailable)
    await expect(node.notes.read((tx) => tx.notes.all())).rejects.toEqual(unavailable)
    node.relay.fault = 'none'
    await node.notes.transaction((tx) => tx.notes.add('b'))
    expect(await node.notes.read((tx) => tx.notes.all())).toEqual(['b'])
  })
})
