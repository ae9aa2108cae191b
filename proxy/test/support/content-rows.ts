/** Rows of requests, grants and messages, written past their stores: for suites of what is kept for them. */
import { idOf, type Tenant } from './tenants.ts'

type Agent = 'agt_1' | 'agt_2' | 'agt_3'

interface RequestRow {
  readonly request: string
  readonly agent?: Agent
  readonly code?: string
  readonly lock?: string
  readonly status?: string
  readonly finishedAt?: number | null
  readonly createdAt?: number
  readonly outputBytes?: number
  readonly decision?: string | null
  readonly result?: string | null
  /** In place of the consent that names the lock. */
  readonly consent?: string
}

const text = (value: string | null): string => (value === null ? 'NULL' : `'${value.replaceAll("'", "''")}'`)
const consentOf = (lock: string | undefined): string =>
  JSON.stringify(lock === undefined ? {} : { imports: { lock } })

let made = 0

export const insertRequest = (own: Tenant, row: RequestRow): Promise<unknown> =>
  own.rows(`INSERT INTO executions (tenant_id, request_id, skill_id, code_hash, status, created_at, agent_id, consent, consent_hash,
    changes, expires_at, trusted, finished_at, output_bytes, decision, result)
    VALUES (?, '${idOf(own, row.request)}', 's', '${row.code ?? 'c'}', '${row.status ?? 'success'}', ${row.createdAt ?? 1},
      '${idOf(own, row.agent ?? 'agt_1')}', ${text(row.consent ?? consentOf(row.lock))}, 'x${row.request}', '[]', 9, 1,
      ${row.finishedAt === undefined ? 2 : row.finishedAt}, ${row.outputBytes ?? 0}, ${text(row.decision ?? null)},
      ${text(row.result ?? null)})`)

export const insertApproval = (
  own: Tenant,
  row: {
    readonly code: string
    readonly lock?: string
    readonly endedAt?: number | null
    readonly consent?: string
  },
): Promise<unknown> => {
  made += 1
  return own.rows(`INSERT INTO approvals (tenant_id, skill_id, code_hash, trust_level, approved_at, any_args, scope_hash, consent,
    consent_hash, request_id, approved_by, ended_at)
    VALUES (?, 's', '${row.code}', 'forever', 1, 0, 'scope${made}', ${text(row.consent ?? consentOf(row.lock))}, 'x',
      'req_of_${made}', 'cli:0', ${row.endedAt ?? 'NULL'})`)
}

export const insertMessage = (own: Tenant, kind: string, payload: unknown): Promise<unknown> =>
  own.rows(`INSERT INTO outbox (tenant_id, lane, kind, payload, next_at, created_at)
    VALUES (?, 'telegram:1', '${kind}', ${text(typeof payload === 'string' ? payload : JSON.stringify(payload))}, 1, 1)`)

export const insertWake = (own: Tenant, request: string): Promise<unknown> =>
  own.rows(`INSERT INTO wakes (tenant_id, request_id, agent_id, next_at, created_at)
    VALUES (?, '${idOf(own, request)}', '${idOf(own, 'agt_1')}', 9, 9)`)

export const insertCard = (own: Tenant, of: string, createdAt = 1): Promise<unknown> => {
  made += 1
  return own.rows(`INSERT INTO cards (tenant_id, token, request_id, chat_id, consent_hash, created_at)
    VALUES (?, 'token${made}', '${idOf(own, of)}', '1', 'x', ${createdAt})`)
}

/** A yes to a request. */
export const insertVote = (own: Tenant, of: string, createdAt = 1): Promise<unknown> =>
  own.rows(`INSERT INTO approval_votes (tenant_id, request_id, person, account, channel, consent_hash, answer, label, proved, created_at)
    VALUES (?, '${idOf(own, of)}', 'owner', 'owner', 'terminal', 'x', '{}', 'x', 0, ${createdAt})`)

/** Names, without what makes them unique, of all rows of a table in order. */
export async function names(
  own: Tenant,
  column: string,
  table: string,
  where = '',
): Promise<readonly string[]> {
  const rows = await own.rows(
    `SELECT ${column} AS name FROM ${table} WHERE tenant_id = ? ${where} ORDER BY ${column}`,
  )
  return rows.map(({ name }) => String(name).replace(`_${own.id}`, ''))
}

/** What the sum of an agent must be, counted from the rows themselves. */
export async function countedBytes(own: Tenant, agent: Agent = 'agt_1'): Promise<number> {
  const of = `WHERE tenant_id = ? AND agent_id = '${idOf(own, agent)}'`
  const [row] = await own.rows(
    `SELECT (SELECT coalesce(sum(octet_length(consent) + octet_length(changes) + output_bytes + 1024), 0) FROM executions ${of})
      + (SELECT coalesce(sum(octet_length(text)), 0) FROM consents ${of})
      + (SELECT coalesce(sum(bytes), 0) FROM content_holders ${of})
      + (SELECT coalesce(sum(octet_length(key) + 256), 0) FROM idempotency ${of}) AS bytes`,
  )
  return Number(row?.bytes)
}
