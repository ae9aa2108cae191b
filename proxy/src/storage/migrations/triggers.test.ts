import { describe, expect, it } from 'vitest'
import { withoutPostgres } from '../../../test/support/postgres-binaries.ts'
import { agentSql, executionSql, rawPostgres, rawSqlite } from '../../../test/support/raw-database.ts'

const ENGINES = [
  { engine: 'sqlite', open: rawSqlite, missing: undefined },
  { engine: 'postgres', open: rawPostgres, missing: withoutPostgres() },
]

/** Of the request that `executionSql` makes: its texts, its output, and what a row takes beside them. */
const ROW = 2 + 2 + 5 + 1_024

/** A request whose consent stands among the consents. */
const shared = (tenant: string, request: string, consent: string): string =>
  executionSql(tenant, `agt_${tenant}`, request)
    .replace("'é'", "''")
    .replace(`'${request}', '[]'`, `'${consent}', '[]'`)
const consentSql = (tenant: string, hash: string, text: string): string =>
  `INSERT INTO consents (tenant_id, hash, agent_id, text) VALUES ('${tenant}', '${hash}', 'agt_${tenant}', '${text}')`

describe.each(ENGINES)('the triggers on $engine', ({ open, missing }) => {
  it.runIf(missing === undefined)(
    'keep the text of a consent once for all requests that have it, and until the last of them goes',
    async () => {
      await using db = await open()
      const bytesOf = async (tenant: string): Promise<unknown> =>
        (await db.ask(tenant, `SELECT bytes FROM agent_storage WHERE tenant_id = '${tenant}'`))[0]?.bytes
      const texts = async (tenant: string): Promise<unknown[]> =>
        (await db.ask(tenant, `SELECT text FROM consents WHERE tenant_id = '${tenant}' ORDER BY hash`)).map(
          ({ text }) => text,
        )
      for (const tenant of ['a', 'b']) {
        await db.ask(tenant, agentSql(tenant, `agt_${tenant}`))
        await db.ask(tenant, consentSql(tenant, 'h', 'éé'))
        await db.ask(tenant, shared(tenant, `req_1${tenant}`, 'h'))
        await db.ask(tenant, shared(tenant, `req_2${tenant}`, 'h'))
        expect(await bytesOf(tenant)).toBe(4 + 2 * (ROW - 2))
      }
      await expect(db.ask('a', shared('a', 'req_3', 'another'))).rejects.toThrow('is not stored')
      for (const change of ["text = 'x'", "hash = 'x'", "agent_id = 'x'"])
        await expect(db.ask('a', `UPDATE consents SET ${change} WHERE tenant_id = 'a'`)).rejects.toThrow(
          'does not change',
        )
      await db.ask('a', "DELETE FROM executions WHERE request_id = 'req_1a'")
      expect(await texts('a')).toEqual(['éé'])
      await db.ask('a', "DELETE FROM executions WHERE request_id = 'req_2a'")
      expect([await texts('a'), await bytesOf('a')]).toEqual([[], 0])
      expect([await texts('b'), await bytesOf('b')]).toEqual([['éé'], 4 + 2 * (ROW - 2)])
    },
  )

  it.runIf(missing === undefined)(
    'add up what each agent keeps, and queue what nobody keeps, within its tenant',
    async () => {
      await using db = await open()
      const sums = (tenant: string): Promise<unknown> =>
        db.ask(
          tenant,
          `SELECT agent_id, bytes FROM agent_storage WHERE tenant_id = '${tenant}' ORDER BY agent_id`,
        )
      for (const tenant of ['a', 'b']) {
        await db.ask(tenant, agentSql(tenant, `agt_${tenant}`))
        await db.ask(tenant, executionSql(tenant, `agt_${tenant}`, `req_${tenant}`))
        await db.ask(
          tenant,
          `INSERT INTO content_holders (tenant_id, code_hash, agent_id, imports_lock, bytes)
         VALUES ('${tenant}', 'c', 'agt_${tenant}', '', 100), ('${tenant}', 'c', 'agt_${tenant}', 'l', 1000);
         INSERT INTO idempotency (tenant_id, agent_id, key, request_id, body_hash, created_at)
         VALUES ('${tenant}', 'agt_${tenant}', 'éé', 'r', 'b', 1);`,
        )
        expect(await sums(tenant)).toEqual([{ agent_id: `agt_${tenant}`, bytes: ROW + 1_100 + 4 + 256 }])
      }
      await db.ask(
        'a',
        `UPDATE executions SET result = NULL, output_bytes = 0 WHERE tenant_id = 'a';
       DELETE FROM content_holders WHERE tenant_id = 'a'; DELETE FROM idempotency WHERE tenant_id = 'a';`,
      )
      expect(await sums('a')).toEqual([{ agent_id: 'agt_a', bytes: ROW - 5 }])
      await db.ask('a', `DELETE FROM executions WHERE tenant_id = 'a'`)
      expect(await sums('a')).toEqual([{ agent_id: 'agt_a', bytes: 0 }])
      expect(await sums('b')).toEqual([{ agent_id: 'agt_b', bytes: ROW + 1_100 + 4 + 256 }])
      // Another agent of the tenant still holds the code and the imports.
      await db.ask(
        'b',
        `INSERT INTO content_holders (tenant_id, code_hash, agent_id, imports_lock, bytes)
       VALUES ('b', 'c', 'agt_2', '', 1), ('b', 'd', 'agt_2', 'l', 1);
       DELETE FROM content_holders WHERE tenant_id = 'b' AND agent_id = 'agt_2';`,
      )
      // The other tenant still holds the same code; that does not keep it here.
      const released = (tenant: string) =>
        db.ask(
          tenant,
          `SELECT code_hash, imports_lock FROM released_content WHERE tenant_id = '${tenant}' ORDER BY code_hash`,
        )
      expect(await released('a')).toEqual([
        { code_hash: '', imports_lock: 'l' },
        { code_hash: 'c', imports_lock: '' },
      ])
      expect(await released('b')).toEqual([])
    },
  )

  it.runIf(missing === undefined)(
    "keep each tenant's audit as it is, but for what is in its own archives",
    async () => {
      await using db = await open()
      for (const tenant of ['a', 'b']) {
        const rows = [1, 2, 3].map((id) => `('${tenant}', ${id}, 1, 'e', 'x', '{}', '', 'h${id}')`)
        await db.ask(
          tenant,
          `INSERT INTO audit_log (tenant_id, id, at, event, actor, data, prev_hash, hash) VALUES ${rows.join(', ')}`,
        )
      }
      await db.ask(
        'a',
        `INSERT INTO audit_archives (tenant_id, first_id, last_id, name, previous, head, digest, bytes, archived_at)
       VALUES ('a', 1, 2, 'n', '', 'h2', 'd', 1, 1)`,
      )
      const ids = async (tenant: string) =>
        (await db.ask(tenant, `SELECT id FROM audit_log WHERE tenant_id = '${tenant}' ORDER BY id`)).map(
          ({ id }) => id,
        )
      for (const tenant of ['a', 'b']) {
        for (const statement of [
          `UPDATE audit_log SET data = '{"x":1}' WHERE tenant_id = '${tenant}'`,
          `UPDATE audit_log SET tenant_id = 'c' WHERE tenant_id = '${tenant}'`,
          `DELETE FROM audit_log WHERE tenant_id = '${tenant}' AND id = 3`,
          `DELETE FROM audit_log WHERE tenant_id = '${tenant}'`,
        ])
          await expect(db.ask(tenant, statement), statement).rejects.toThrow('append-only')
        expect(await ids(tenant)).toEqual([1, 2, 3])
      }
      await expect(db.ask('b', `DELETE FROM audit_log WHERE tenant_id = 'b' AND id = 1`)).rejects.toThrow(
        'append-only',
      )
      await db.ask('a', `DELETE FROM audit_log WHERE tenant_id = 'a' AND id <= 2`)
      expect(await ids('a')).toEqual([3])
      expect(await ids('b')).toEqual([1, 2, 3])
    },
  )

  it.runIf(missing === undefined)("let go of a removed tenant's audit, and of no other's", async () => {
    await using db = await open()
    const tenants = ['default', 'gone', 'stays']
    for (const tenant of tenants) {
      await db.ask(
        tenant,
        `INSERT INTO audit_log (tenant_id, id, at, event, actor, data, prev_hash, hash)
         VALUES ('${tenant}', 1, 1, 'e', 'x', '{}', '', 'h')`,
      )
      if (tenant !== 'default')
        await db.ask(
          tenant,
          `INSERT INTO tenants (id, name, created_at) VALUES ('${tenant}', '${tenant}', 1)`,
        )
    }
    const drop = (tenant: string) => db.ask(tenant, `DELETE FROM audit_log WHERE tenant_id = '${tenant}'`)
    for (const tenant of tenants) await expect(drop(tenant), tenant).rejects.toThrow('append-only')
    // The default tenant is never removed, whatever its row says.
    await db.ask('gone', `UPDATE tenants SET removed_at = 2 WHERE id <> 'stays'`)
    await drop('gone')
    for (const tenant of ['default', 'stays'])
      await expect(drop(tenant), tenant).rejects.toThrow('append-only')
    await expect(
      db.ask('gone', `INSERT INTO tenants (id, name, created_at) VALUES ('other', 'stays', 1)`),
    ).rejects.toThrow(/unique/i)
  })

  it.runIf(missing === undefined)("refuse a request under another tenant than its agent's", async () => {
    await using db = await open()
    await db.ask('a', agentSql('a', 'agt_a'))
    await expect(db.ask('b', executionSql('b', 'agt_a', 'req_1'))).rejects.toThrow(
      /another tenant|foreign key/,
    )
    await expect(
      db.ask('b', executionSql('b', 'agt_a', 'req_1').replace('tenant_id, ', '').replace(`'b', `, '')),
    ).rejects.toThrow()
  })
})

it.runIf(withoutPostgres() === undefined)('PostgreSQL does not empty the audit either', async () => {
  await using db = await rawPostgres()
  await expect(db.ask('a', 'TRUNCATE audit_log')).rejects.toThrow('append-only')
})
