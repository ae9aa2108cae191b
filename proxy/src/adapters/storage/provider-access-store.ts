import type { Database } from 'better-sqlite3'
import type {
  KeyUserRepository,
  ProviderAccessRepository,
  ProviderAsk,
  ProviderGrant,
} from '../../domain/provider-access/index.ts'

interface GrantRow {
  id: number
  agent_id: string
  provider: string
  groups: string
  models: string | null
  paths: string | null
  requests_per_minute: number | null
  tokens_per_day: number | null
  micro_usd_per_day: number | null
  granted_by: string
  granted_at: number
  expires_at: number | null
  ended_at: number | null
  ended_why: string | null
}

export function createProviderAccessStore(db: Database): ProviderAccessRepository & KeyUserRepository {
  const activeGrants = db.prepare<[], GrantRow>(
    'SELECT * FROM provider_grants WHERE ended_at IS NULL ORDER BY id',
  )
  const insertGrant =
    db.prepare(`INSERT INTO provider_grants (agent_id, provider, groups, models, paths, requests_per_minute,
    tokens_per_day, micro_usd_per_day, granted_by, granted_at, expires_at, ended_at, ended_why)
    VALUES (@agentId, @provider, @groups, @models, @paths, @requestsPerMinute, @tokensPerDay, @microUsdPerDay, @grantedBy,
    @grantedAt, @expiresAt, @endedAt, @endedWhy)`)
  const endGrant = db.prepare(
    'UPDATE provider_grants SET ended_at = ?, ended_why = ? WHERE id = ? AND ended_at IS NULL',
  )
  const setGrant = db.prepare(`UPDATE provider_grants SET groups = @groups, models = @models, paths = @paths,
    requests_per_minute = @requestsPerMinute, tokens_per_day = @tokensPerDay, micro_usd_per_day = @microUsdPerDay
    WHERE id = @id AND ended_at IS NULL`)

  const askColumns = `id, agent_id AS agentId, provider, model, endpoint_group AS "group", path, status, created_at AS createdAt,
    expires_at AS expiresAt, decided_at AS decidedAt, decided_by AS decidedBy, decided_by_name AS decidedByName`
  const insertAsk =
    db.prepare(`INSERT INTO provider_asks (id, agent_id, provider, model, endpoint_group, path, status, created_at,
    expires_at, decided_at, decided_by, decided_by_name) VALUES (@id, @agentId, @provider, @model, @group, @path, @status,
    @createdAt, @expiresAt, @decidedAt, @decidedBy, @decidedByName)`)
  const askById = db.prepare<[string], ProviderAsk>(`SELECT ${askColumns} FROM provider_asks WHERE id = ?`)
  const asksByPrefix = db.prepare<[string, string], ProviderAsk>(
    `SELECT ${askColumns} FROM provider_asks WHERE id >= ? AND id < ? ORDER BY id LIMIT 2`,
  )
  const pendingDuplicate = db.prepare<[string, string, string, string], ProviderAsk>(
    `SELECT ${askColumns} FROM provider_asks
     WHERE agent_id = ? AND provider = ? AND ifnull(model, '') = ? AND endpoint_group = ? AND status = 'pending'`,
  )
  const asks = db.prepare<[string, number], ProviderAsk>(
    `SELECT ${askColumns} FROM provider_asks WHERE status = ? ORDER BY created_at, rowid LIMIT ?`,
  )
  const pending = db.prepare<[number], ProviderAsk>(
    // The status stands in the text, so that the index of what waits is used.
    `SELECT ${askColumns} FROM provider_asks WHERE status = 'pending' ORDER BY created_at, rowid LIMIT ?`,
  )
  const countPending = db
    .prepare<[string, number], number>(
      `SELECT count(*) FROM provider_asks WHERE agent_id = ? AND status = 'pending' AND expires_at > ?`,
    )
    .pluck()
  const settleAsk = db.prepare(`UPDATE provider_asks SET status = @status, decided_at = @decidedAt,
    decided_by = @decidedBy, decided_by_name = @decidedByName WHERE id = @id AND status = 'pending'`)
  const deniedAt = db
    .prepare<[string, string], number | null>(
      `SELECT max(decided_at) FROM provider_asks WHERE agent_id = ? AND provider = ? AND status = 'denied'`,
    )
    .pluck()

  const keyUsers = db.prepare<[], ReturnType<KeyUserRepository['keyUsers']>[number]>(
    `SELECT provider, key_id AS keyId, agent_id AS agentId, first_used_at AS firstUsedAt FROM provider_key_users`,
  )
  const addKeyUser = db.prepare(`INSERT INTO provider_key_users (provider, key_id, agent_id, first_used_at)
    VALUES (@provider, @keyId, @agentId, @firstUsedAt) ON CONFLICT DO NOTHING`)

  return {
    keyUsers: () => keyUsers.all(),
    addKeyUser: (user) => void addKeyUser.run(user),
    activeGrants: () => activeGrants.all().map(fromRow),
    insertGrant(grant) {
      const { lastInsertRowid } = insertGrant.run({ ...grant, ...grant.limits, ...lists(grant) })
      return { ...grant, id: Number(lastInsertRowid) }
    },
    endGrant: (id, at, why) => void endGrant.run(at, why, id),
    setGrant: (id, change) => void setGrant.run({ id, ...change.limits, ...lists(change) }),
    insertAsk: (ask) => void insertAsk.run(ask),
    askById: (id) => askById.get(id),
    asksByPrefix: (prefix) => asksByPrefix.all(prefix, `${prefix}\u{10ffff}`),
    pendingDuplicate: ({ agentId, provider, model, group }) =>
      pendingDuplicate.get(agentId, provider, model ?? '', group),
    asks: (status, limit) => (status === 'pending' ? pending.all(limit) : asks.all(status, limit)),
    countPending: (agentId, now) => countPending.get(agentId, now) ?? 0,
    settleAsk: (ask) => void settleAsk.run(ask),
    deniedAt: (agentId, provider) => deniedAt.get(agentId, provider) ?? undefined,
  }
}

const lists = ({ groups, models, paths }: Pick<ProviderGrant, 'groups' | 'models' | 'paths'>) => ({
  groups: JSON.stringify(groups),
  models: models && JSON.stringify(models),
  paths: paths && JSON.stringify(paths),
})

const listOf = (text: string | null): readonly string[] | null =>
  text === null ? null : (JSON.parse(text) as string[])

const fromRow = (row: GrantRow): ProviderGrant =>
  ({
    id: row.id,
    agentId: row.agent_id,
    provider: row.provider,
    groups: JSON.parse(row.groups),
    models: listOf(row.models),
    paths: listOf(row.paths),
    limits: {
      requestsPerMinute: row.requests_per_minute,
      tokensPerDay: row.tokens_per_day,
      microUsdPerDay: row.micro_usd_per_day,
    },
    grantedBy: row.granted_by,
    grantedAt: row.granted_at,
    expiresAt: row.expires_at,
    endedAt: row.ended_at,
    endedWhy: row.ended_why,
  }) as ProviderGrant
