import type { Database } from 'better-sqlite3'
import { SQLITE_MIGRATIONS } from '../../src/storage/migrations/sqlite/index.ts'

/** The newest version in which rows have no tenant: the one that old rows go into. */
export const BEFORE_TENANTS = SQLITE_MIGRATIONS.findIndex((sql) => sql.includes('CREATE TABLE tenants'))

type Row = Readonly<Record<string, string | number | null | Uint8Array>>

/**
 * Rows as daemons before tenants wrote them, a few in every table. No later migration changes them: what is held stays held, what
 * waits is not among them. Tables and columns that a version did not have yet are left out.
 */
export const OLD_ROWS: Readonly<Record<string, readonly Row[]>> = {
  meta: [
    { key: 'instance_id', value: '0123456789abcdef' },
    { key: 'kdf', value: '{"memoryKib":1}' },
    { key: 'audit_key', value: 'oa3v1.1.sealed' },
    { key: 'clock_high_water', value: '5' },
    { key: 'telegram_chat_moved', value: '-1 -2' },
  ],
  data_keys: [
    { id: 1, wrapped: 'w1', created_at: 7 },
    { id: 3, wrapped: 'w3', created_at: 8 },
  ],
  secrets: [
    {
      id: 2,
      name: 'DEMO_KEY',
      encrypted_value: 'e',
      version: 3,
      hosts: '["a.test"]',
      created_at: 1,
      updated_at: 2,
    },
    { id: 9, name: 'ÄÖ', encrypted_value: 'f', version: 1, hosts: null, created_at: 1, updated_at: 2 },
  ],
  kept_bindings: [{ name: 'GONE_KEY', hosts: '["b.test"]' }],
  agents: [
    {
      id: 'agt_1',
      name: 'one',
      token_sha256: 't1',
      previous_token: '{"sha256":"p1","since":1,"until":9}',
      cidrs: '[]',
      tags: '["x"]',
      wake: null,
      created_at: 1,
      revoked_at: null,
    },
    {
      id: 'agt_2',
      name: 'two',
      token_sha256: 't2',
      previous_token: null,
      cidrs: '["10.0.0.0/8"]',
      tags: '[]',
      wake: '{"kind":"command"}',
      created_at: 2,
      revoked_at: 3,
    },
  ],
  code: [
    { hash: 'c1', text: 'éé', created_at: 1 },
    { hash: 'c2', text: '', created_at: 1 },
  ],
  code_facts: [{ hash: 'c1', language: 'javascript', version: 1, facts: '{}' }],
  approvals: [
    approval(4, 'c1', { scope_hash: 's1' }),
    approval(6, 'c2', { scope_hash: 's1', ended_at: 9, ended_why: 'revoked' }),
  ],
  executions: [
    execution(5, 'agt_1', 'c1', {
      result: '{"stdout":"é"}',
      output_bytes: 15,
      consent: '{"imports":{"lock":"l1","bytes":7}}',
    }),
    execution(8, 'agt_2', 'c2', {
      status: 'denied',
      decision: 'deny',
      decided_by: 'u',
      deny_reason: 'no',
      executed_at: null,
    }),
    execution(11, 'agt_1', 'c1', { status: 'pending', finished_at: null, executed_at: null }),
  ],
  idempotency: [{ agent_id: 'agt_1', key: 'é', request_id: 'req_5', body_hash: 'b', created_at: 4 }],
  cards: [
    { token: 'tok', request_id: 'req_5', chat_id: '-1', consent_hash: 'h', message_id: 4, created_at: 5 },
  ],
  outbox: [
    {
      id: 21,
      lane: 'telegram:-1',
      kind: 'card',
      payload: '{"requestId":"req_5"}',
      attempts: 2,
      next_at: 9,
      last_error: 'x',
      created_at: 5,
    },
    {
      id: 22,
      lane: 'telegram:-1',
      kind: 'text',
      payload: 'no json',
      attempts: 0,
      next_at: 9,
      last_error: null,
      created_at: 5,
    },
  ],
  wakes: [
    { request_id: 'req_8', agent_id: 'agt_2', delivered: 1, next_at: 6, last_error: null, created_at: 5 },
  ],
  audit_log: [
    { id: 1, at: 4, event: 'a', actor: 'cli:0', request_id: null, data: '{}', prev_hash: '', hash: 'h1' },
    {
      id: 2,
      at: 5,
      event: 'b',
      actor: 'cli:0',
      request_id: 'req_5',
      data: '{"é":1}',
      prev_hash: 'h1',
      hash: 'h2',
    },
    {
      id: 3,
      at: 6,
      event: 'c',
      actor: 'cli:0',
      request_id: 'req_5',
      data: '{}',
      prev_hash: 'h2',
      hash: 'h3',
    },
  ],
  audit_archives: [
    { first_id: 1, last_id: 1, name: 'n', previous: '', head: 'h1', digest: 'd', bytes: 5, archived_at: 7 },
  ],
  import_files: [
    { sha256: 'f1', bytes: Buffer.from([0, 255, 1]) },
    { sha256: 'f2', bytes: Buffer.alloc(0) },
  ],
  import_locks: [{ hash: 'l1', manifest: '{"files":[{"sha256":"f1"},{"sha256":"f2"}]}', created_at: 1 }],
  import_lock_files: [
    { lock: 'l1', sha256: 'f1' },
    { lock: 'l1', sha256: 'f2' },
  ],
  content_holders: [
    { code_hash: 'c1', agent_id: 'agt_1', imports_lock: '', bytes: 4, ran_at: 6 },
    { code_hash: 'c1', agent_id: 'agt_1', imports_lock: 'l1', bytes: 7, ran_at: 0 },
    { code_hash: 'c2', agent_id: 'agt_2', imports_lock: '', bytes: 0, ran_at: 0 },
  ],
  released_content: [{ code_hash: 'gone', imports_lock: '' }],
  providers: [
    { name: 'own', url: 'https://a.test', auth: '{}', errors: 'openai', private: 1, created_at: 1 },
  ],
  provider_params: [{ provider: 'own', name: 'region', value: 'eu' }],
  provider_keys: [
    {
      id: 3,
      provider: 'own',
      label: 'l',
      tags: '[]',
      weight: 1,
      models: null,
      encrypted_value: 'e',
      created_at: 1,
    },
  ],
  provider_key_users: [{ provider: 'own', key_id: 3, agent_id: 'agt_1', first_used_at: 0 }],
  provider_asks: [
    {
      id: 'ask_1',
      agent_id: 'agt_1',
      provider: 'own',
      model: null,
      endpoint_group: 'inference',
      path: '/v1',
      status: 'denied',
      created_at: 1,
      expires_at: 9,
      decided_at: 2,
      decided_by: 'u',
      decided_by_name: 'U',
    },
  ],
  provider_grants: [
    {
      id: 13,
      agent_id: 'agt_1',
      provider: 'own',
      groups: '["inference","models"]',
      models: '["m"]',
      paths: null,
      requests_per_minute: 1,
      tokens_per_day: 9_007_199_254_740_991,
      micro_usd_per_day: null,
      granted_by: 'u',
      granted_at: 1,
      expires_at: null,
      ended_at: null,
      ended_why: null,
    },
  ],
  usage_by_day: [
    {
      day: '1970-01-01',
      agent_id: 'agt_1',
      provider: 'own',
      model: 'm',
      key_id: 3,
      requests: 1,
      failed: 2,
      untold: 3,
      input_tokens: 4,
      output_tokens: 5,
      cache_read_tokens: 6,
      cache_write_tokens: 7,
      micro_usd: 8,
      unpriced: 9,
      assumed_tokens: 0,
      assumed_micro_usd: 0,
    },
  ],
  prices: [
    {
      provider: 'own',
      model: 'm',
      input: 1,
      output: 2,
      cache_read: null,
      cache_write: 3,
      parts: null,
      set_at: 4,
    },
  ],
}

function approval(id: number, codeHash: string, more: Row): Row {
  return {
    ...{
      id,
      skill_id: 's',
      code_hash: codeHash,
      trust_level: 'forever',
      approved_at: 5,
      expires_at: null,
      any_args: 0,
    },
    ...{
      consent: '{"agent":{"id":"agt_1"}}',
      consent_hash: 'x',
      request_id: `req_${id}`,
      approved_by: 'cli:0',
    },
    ...{ ended_at: null, ended_why: null },
    ...more,
  }
}

function execution(id: number, agentId: string, codeHash: string, more: Row): Row {
  return {
    ...{
      id,
      request_id: `req_${id}`,
      skill_id: 's',
      code_hash: codeHash,
      status: 'success',
      approved: 1,
      executed_at: 5,
    },
    ...{
      duration_ms: 7,
      result: null,
      output_bytes: 0,
      created_at: 4,
      agent_id: agentId,
      consent: '{}',
      consent_hash: `x${id}`,
    },
    ...{
      changes: '[]',
      expires_at: 9,
      trusted: 0,
      decision: null,
      decided_by: null,
      decided_by_name: null,
      decided_at: null,
    },
    ...{ deny_reason: null, finished_at: 6, failure: null, seen_at: null, acked_at: null },
    ...more,
  }
}

/** Tables that others refer to first. */
const ORDER = ['agents', 'executions']

/** Puts the rows into a database of any version before tenants. Triggers count what they count. */
export function fillOldDatabase(db: Database): void {
  const names = [...ORDER, ...Object.keys(OLD_ROWS).filter((name) => !ORDER.includes(name))]
  for (const table of names) {
    const known = columnsOf(db, table)
    if (known.length === 0) continue
    for (const row of OLD_ROWS[table] ?? []) {
      const columns = Object.keys(row).filter((name) => known.includes(name))
      db.prepare(
        `INSERT INTO ${table} (${columns.join(', ')}) VALUES (${columns.map((name) => `@${name}`).join(', ')})`,
      ).run(row)
    }
  }
}

export const columnsOf = (db: Database, table: string): string[] =>
  db.prepare<[string], string>('SELECT name FROM pragma_table_info(?)').pluck().all(table)
