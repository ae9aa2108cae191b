import pg from 'pg'
import { beforeAll, describe, expect, it } from 'vitest'
import { withoutPostgres } from '../../../test/support/postgres-binaries.ts'
import { freshDatabase, type TestServer } from '../../../test/support/postgres-server.ts'
import { agentSql, executionSql } from '../../../test/support/raw-database.ts'

const HOSTILE = [
  `a' OR '1'='1`,
  `'; RESET app.tenant; --`,
  `a\nb`,
  'ä',
  '%',
  'DEFAULT',
  ' a',
  'a ',
  '"a"',
  '$1',
]

describe.runIf(withoutPostgres() === undefined)('row-level security', () => {
  let server: TestServer
  let tables: readonly string[]

  const connect = async (url = server.url): Promise<pg.Client> => {
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    return client
  }
  const as = async <T>(client: pg.Client, tenant: string, work: () => Promise<T>): Promise<T> => {
    await client.query('BEGIN')
    await client.query("SELECT set_config('app.tenant', $1, true)", [tenant])
    try {
      return await work()
    } finally {
      await client.query('ROLLBACK')
    }
  }
  const tenantsIn = async (client: pg.Client, table: string): Promise<unknown[]> =>
    (await client.query(`SELECT DISTINCT tenant_id FROM ${table}`)).rows.map((row) => row.tenant_id)

  beforeAll(async () => {
    server = await freshDatabase()
    const client = await connect()
    const { rows } = await client.query<{ name: string }>(
      `SELECT table_name AS name FROM information_schema.columns WHERE column_name = 'tenant_id' AND table_schema = 'public'`,
    )
    tables = rows.map(({ name }) => name)
    for (const tenant of ['a', 'b']) {
      await client.query('BEGIN')
      await client.query("SELECT set_config('app.tenant', $1, true)", [tenant])
      await client.query(
        agentSql(tenant, `agt_${tenant}`) + executionSql(tenant, `agt_${tenant}`, `req_${tenant}`),
      )
      await client.query('COMMIT')
    }
    await client.end()
    return async () => server.drop()
  })

  it('is forced on every table with a tenant, with one policy for all that is done', async () => {
    const client = await connect()
    const { rows } = await client.query(
      `SELECT relname AS name, relrowsecurity AND relforcerowsecurity AS forced,
         (SELECT string_agg(polcmd::text || polpermissive::text || pg_get_expr(polqual, polrelid) || pg_get_expr(polwithcheck, polrelid), ';')
          FROM pg_policy WHERE polrelid = pg_class.oid) AS policy
       FROM pg_class WHERE relname = ANY ($1) AND relkind = 'r'`,
      [tables],
    )
    await client.end()
    expect(rows).toHaveLength(tables.length)
    expect(tables.length).toBeGreaterThan(25)
    for (const row of rows) {
      const expression = '(tenant_id = app_tenant())'
      expect(row).toEqual({ name: row.name, forced: true, policy: `*true${expression}${expression}` })
    }
  })

  it('shows a query without a condition one tenant alone, and lets it change nothing else', async () => {
    const client = await connect()
    for (const tenant of ['a', 'b']) {
      await as(client, tenant, async () => {
        for (const table of ['agents', 'executions', 'agent_storage'])
          expect(await tenantsIn(client, table)).toEqual([tenant])
        expect((await client.query('SELECT count(*)::int AS n FROM executions')).rows).toEqual([{ n: 1 }])
        expect((await client.query(`UPDATE executions SET seen_at = 5`)).rowCount).toBe(1)
        expect((await client.query(`DELETE FROM executions`)).rowCount).toBe(1)
      })
      for (const statement of [
        agentSql('c', 'agt_c'),
        `UPDATE agents SET tenant_id = 'c'`,
        `INSERT INTO meta (tenant_id, key, value) VALUES ('c', 'k', 'v')
         ON CONFLICT (tenant_id, key) DO UPDATE SET value = excluded.value`,
      ])
        await expect(
          as(client, tenant, () => client.query(statement)),
          statement,
        ).rejects.toThrow(/row-level security/)
    }
    await client.end()
  })

  it('lets no key tell of rows that are not seen', async () => {
    const client = await connect()
    await as(client, 'a', async () => {
      // The other tenant has both of these names.
      await client.query(agentSql('a', 'agt_other').replace("'name'", "'another name'"))
      await client.query(`INSERT INTO secrets (tenant_id, name, encrypted_value, version, created_at, updated_at)
        VALUES ('a', 'KEY', 'e', 1, 1, 1)`)
    })
    const { rows } = await client.query<{ name: string; columns: string[] }>(
      `SELECT indexrelid::regclass::text AS name, (SELECT array_agg(attname::text ORDER BY place)
         FROM unnest(indkey) WITH ORDINALITY AS k (number, place)
         JOIN pg_attribute ON attrelid = indrelid AND attnum = number AND number > 0) AS columns
       FROM pg_index JOIN pg_class ON pg_class.oid = indrelid
       WHERE indisunique AND relname = ANY ($1)`,
      [tables],
    )
    await client.end()
    const overAll = rows.filter(({ columns }) => columns[0] !== 'tenant_id').map(({ name }) => name)
    // Counted by the database, or 64 random bits and more.
    expect(overAll.sort()).toEqual([
      'agents_id_key',
      'agents_token_sha256_key',
      'approvals_pkey',
      'cards_pkey',
      'executions_pkey',
      'executions_request_id_key',
      'outbox_pkey',
      'provider_asks_pkey',
      'provider_grants_pkey',
      'provider_keys_pkey',
      'secrets_pkey',
      'wakes_pkey',
    ])
  })

  it('raises without a tenant: on a new connection, on one that had a tenant, on empty tables too', async () => {
    const client = await connect()
    const raises = async (): Promise<void> => {
      for (const table of tables) {
        await expect(client.query(`SELECT * FROM ${table}`), table).rejects.toThrow('no tenant is set')
        await expect(client.query(`DELETE FROM ${table}`), table).rejects.toThrow('no tenant is set')
      }
      await expect(client.query(agentSql('a', 'agt_x'))).rejects.toThrow('no tenant is set')
    }
    await raises()
    await as(client, 'a', () => tenantsIn(client, 'agents'))
    await raises()
    await as(client, '', () =>
      expect(client.query('SELECT * FROM agents')).rejects.toThrow('no tenant is set'),
    )
    await client.end()
  })

  it.each(HOSTILE)('takes %j for the name of a tenant that has nothing', async (tenant) => {
    const client = await connect()
    await as(client, tenant, async () => {
      for (const table of ['agents', 'executions', 'agent_storage'])
        expect(await tenantsIn(client, table)).toEqual([])
    })
    await client.end()
  })

  it('does not end where a statement was planned for another tenant, or a view or a function asks', async () => {
    const client = await connect()
    const named = { name: 'all', text: 'SELECT tenant_id FROM agents', values: [] }
    // The sixth execution is of a generic plan.
    for (let round = 0; round < 8; round += 1) {
      const tenant = round % 2 === 0 ? 'a' : 'b'
      const { rows } = await as(client, tenant, () => client.query(named))
      expect(rows).toEqual([{ tenant_id: tenant }])
    }
    await client.query('CREATE VIEW all_agents AS SELECT * FROM agents')
    await client.query(
      `CREATE FUNCTION count_agents() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT count(*) FROM agents'`,
    )
    await as(client, 'a', async () => {
      expect(await tenantsIn(client, 'all_agents')).toEqual(['a'])
      expect((await client.query('SELECT count_agents() AS n')).rows).toEqual([{ n: '1' }])
    })
    await expect(client.query('SELECT * FROM all_agents')).rejects.toThrow('no tenant is set')
    await expect(client.query('SELECT count_agents()')).rejects.toThrow('no tenant is set')
    // The schema itself has none of either.
    await client.query('DROP VIEW all_agents; DROP FUNCTION count_agents')
    const { rows } = await client.query(
      `SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('v', 'm', 'f')
       UNION ALL SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND prosecdef`,
    )
    expect(rows).toEqual([])
    await client.end()
  })

  it('has nothing for a role that the database does not know', async () => {
    const admin = await connect(server.adminUrl)
    await admin.query('DROP ROLE IF EXISTS stranger')
    await admin.query('CREATE ROLE stranger LOGIN')
    await admin.query('SET ROLE stranger')
    await admin.query("SELECT set_config('app.tenant', 'a', false)")
    for (const name of [...tables, 'tenants', 'installation', 'executions_id_seq', 'provider_keys_id_seq'])
      await expect(admin.query(`SELECT * FROM ${name}`), name).rejects.toThrow('permission denied')
    await admin.query('RESET ROLE')
    await admin.query('DROP ROLE stranger')
    await admin.end()
  })
})
