import type { Database } from 'better-sqlite3'
import type { Agent, AgentRepository, WakeTarget } from '../../domain/agents/index.ts'
import type { Card, CardRepository, ClockRepository } from '../../domain/approvals/index.ts'
import type { CodeRepository } from '../../domain/code/index.ts'
import type { OutboxMessage, OutboxRepository } from '../../domain/outbox/index.ts'
import type {
  DataKeyRecord,
  DataKeyRepository,
  SecretRecord,
  SecretRepository,
} from '../../domain/vault/index.ts'
import type { PendingWake, WakeRepository } from '../../domain/wake/index.ts'
import type { AgentId } from '../../kernel/index.ts'

/** Single values that belong to the database as a whole. */
export interface MetaStore {
  get(key: string): string | undefined
  set(key: string, value: string): void
}

export function createMetaStore(db: Database): MetaStore {
  const get = db.prepare<[string], string>('SELECT value FROM meta WHERE key = ?').pluck()
  const set = db.prepare(
    'INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value',
  )
  return { get: (key) => get.get(key), set: (key, value) => void set.run(key, value) }
}

/** Versions before kept one mark for code and one for providers; the later of them counts, and both are written. */
const CLOCK_MARKS = ['clock_high_water', 'provider_clock_high_water'] as const

export const createClockStore = (meta: MetaStore): ClockRepository => ({
  highWater: () => Math.max(...CLOCK_MARKS.map((mark) => Number(meta.get(mark) ?? 0))),
  setHighWater(to) {
    for (const mark of CLOCK_MARKS) meta.set(mark, String(to))
  },
})

export function createAgentStore(db: Database): AgentRepository {
  type Row = Omit<Agent, 'cidrs' | 'tags' | 'wake' | 'previous'> &
    Record<'cidrs' | 'tags', string> &
    Record<'wake' | 'previous', string | null>
  const columns =
    'id, name, token_sha256 AS tokenSha256, previous_token AS previous, cidrs, tags, wake, created_at AS createdAt, revoked_at AS revokedAt'
  const one = (where: string) => db.prepare<[string], Row>(`SELECT ${columns} FROM agents WHERE ${where} = ?`)
  const byToken = one('token_sha256')
  const byPrevious = db.prepare<[string], Row>(
    `SELECT ${columns} FROM agents WHERE previous_token IS NOT NULL AND previous_token ->> 'sha256' = ?`,
  )
  const byId = one('id')
  const byName = db.prepare<[string], Row>(
    `SELECT ${columns} FROM agents WHERE name = ? ORDER BY revoked_at IS NOT NULL, created_at DESC LIMIT 1`,
  )
  const list = db.prepare<[], Row>(`SELECT ${columns} FROM agents ORDER BY created_at, id`)
  const insert =
    db.prepare(`INSERT INTO agents (id, name, token_sha256, previous_token, cidrs, tags, wake, created_at, revoked_at)
    VALUES (@id, @name, @tokenSha256, @previous, @cidrs, @tags, @wake, @createdAt, @revokedAt)`)
  const revoke = db.prepare('UPDATE agents SET revoked_at = ? WHERE id = ?')
  const setToken = db.prepare('UPDATE agents SET token_sha256 = ?, previous_token = ? WHERE id = ?')
  const setWake = db.prepare('UPDATE agents SET wake = ? WHERE id = ?')
  const setTags = db.prepare('UPDATE agents SET tags = ? WHERE id = ?')
  const fromRow = (row: Row): Agent => ({
    ...row,
    cidrs: JSON.parse(row.cidrs) as string[],
    tags: JSON.parse(row.tags) as string[],
    wake: row.wake === null ? null : (JSON.parse(row.wake) as WakeTarget),
    previous: row.previous === null ? null : (JSON.parse(row.previous) as Agent['previous']),
  })
  const optional = (row: Row | undefined): Agent | undefined => (row ? fromRow(row) : undefined)
  return {
    insert: (agent) =>
      void insert.run({
        ...agent,
        cidrs: JSON.stringify(agent.cidrs),
        tags: JSON.stringify(agent.tags),
        wake: agent.wake && JSON.stringify(agent.wake),
        previous: agent.previous && JSON.stringify(agent.previous),
      }),
    byTokenHash: (hash) => optional(byToken.get(hash) ?? byPrevious.get(hash)),
    byId: (id) => optional(byId.get(id)),
    byName: (name) => optional(byName.get(name)),
    list: () => list.all().map(fromRow),
    revoke: (id, at) => void revoke.run(at, id),
    setToken: (id, hash, previous) => void setToken.run(hash, previous && JSON.stringify(previous), id),
    setWake: (id, wake) => void setWake.run(wake && JSON.stringify(wake), id),
    setTags: (id, tags) => void setTags.run(JSON.stringify(tags), id),
  }
}

export function createCodeStore(db: Database): CodeRepository {
  const put = db.prepare(
    'INSERT INTO code (hash, text, created_at) VALUES (?, ?, ?) ON CONFLICT (hash) DO UPDATE SET text = excluded.text WHERE text <> excluded.text',
  )
  const get = db.prepare<[string], string>('SELECT text FROM code WHERE hash = ?').pluck()
  return { put: (hash, code, at) => void put.run(hash, code, at), get: (hash) => get.get(hash) }
}

export function createSecretStore(db: Database): SecretRepository {
  type Row = Omit<SecretRecord, 'hosts'> & { hosts: string | null }
  const columns =
    'name, version, hosts, encrypted_value AS sealed, created_at AS createdAt, updated_at AS updatedAt'
  const byName = db.prepare<[string], Row>(`SELECT ${columns} FROM secrets WHERE name = ?`)
  const list = db.prepare<[], Row>(`SELECT ${columns} FROM secrets ORDER BY name`)
  const upsert =
    db.prepare(`INSERT INTO secrets (name, encrypted_value, version, hosts, created_at, updated_at)
    VALUES (@name, @sealed, @version, @hosts, @createdAt, @updatedAt)
    ON CONFLICT (name) DO UPDATE SET encrypted_value = @sealed, version = @version, hosts = @hosts, updated_at = @updatedAt`)
  const remove = db.prepare('DELETE FROM secrets WHERE name = ?')
  const rename = db.prepare(`UPDATE secrets SET name = @name, encrypted_value = @sealed, version = @version,
    hosts = @hosts, updated_at = @updatedAt WHERE name = @from`)
  const keptHosts = db.prepare<[string], string>('SELECT hosts FROM kept_bindings WHERE name = ?').pluck()
  const keepHosts = db.prepare(
    'INSERT INTO kept_bindings (name, hosts) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET hosts = excluded.hosts',
  )
  const forgetHosts = db.prepare('DELETE FROM kept_bindings WHERE name = ?')
  const fromRow = (row: Row): SecretRecord => ({
    ...row,
    hosts: row.hosts === null ? null : (JSON.parse(row.hosts) as string[]),
  })
  const toRow = (record: SecretRecord): Row => ({
    ...record,
    hosts: record.hosts && JSON.stringify(record.hosts),
  })
  return {
    byName(name) {
      const row = byName.get(name)
      return row && fromRow(row)
    },
    list: () => list.all().map(fromRow),
    upsert: (record) => void upsert.run(toRow(record)),
    remove: (name) => void remove.run(name),
    rename: (from, record) => void rename.run({ ...toRow(record), from }),
    keptHosts(name) {
      const hosts = keptHosts.get(name)
      return hosts === undefined ? undefined : (JSON.parse(hosts) as string[])
    },
    keepHosts: (name, hosts) => void keepHosts.run(name, JSON.stringify(hosts)),
    forgetHosts: (name) => void forgetHosts.run(name),
  }
}

export function createDataKeyStore(db: Database): DataKeyRepository {
  const list = db.prepare<[], DataKeyRecord>(
    'SELECT id, wrapped, created_at AS createdAt FROM data_keys ORDER BY id',
  )
  const insert = db.prepare(
    'INSERT INTO data_keys (id, wrapped, created_at) VALUES (@id, @wrapped, @createdAt)',
  )
  const rewrap = db.prepare('UPDATE data_keys SET wrapped = ? WHERE id = ?')
  const remove = db.prepare('DELETE FROM data_keys WHERE id = ?')
  return {
    list: () => list.all(),
    insert: (record) => void insert.run(record),
    rewrap: (id, wrapped) => void rewrap.run(wrapped, id),
    remove: (id) => void remove.run(id),
  }
}

export function createCardStore(db: Database): CardRepository {
  const columns =
    'token, request_id AS requestId, chat_id AS chatId, consent_hash AS consentHash, message_id AS messageId, created_at AS createdAt'
  const byToken = db.prepare<[string], Card>(`SELECT ${columns} FROM cards WHERE token = ?`)
  const byRequest = db.prepare<[string, string], Card>(
    `SELECT ${columns} FROM cards WHERE request_id = ? AND chat_id = ?`,
  )
  const insert =
    db.prepare(`INSERT INTO cards (token, request_id, chat_id, consent_hash, message_id, created_at)
    VALUES (@token, @requestId, @chatId, @consentHash, @messageId, @createdAt)`)
  const delivered = db.prepare('UPDATE cards SET message_id = ? WHERE token = ?')
  const renew = db.prepare('UPDATE cards SET token = ?, consent_hash = ? WHERE token = ?')
  return {
    insert: (card) => void insert.run(card),
    byToken: (token) => byToken.get(token),
    byRequest: (requestId, chatId) => byRequest.get(requestId, chatId),
    delivered: (token, messageId) => void delivered.run(messageId, token),
    renew: (token, change) => void renew.run(change.token, change.consentHash, token),
  }
}

export function createOutboxStore(db: Database): OutboxRepository {
  type Row = Omit<OutboxMessage, 'payload'> & { payload: string }
  /** The oldest of each lane; a lane whose oldest must wait offers nothing, which keeps its order. */
  const heads = `SELECT min(id) AS id FROM outbox WHERE lane >= @prefix AND lane < @prefix || char(1114111) GROUP BY lane`
  const due = db.prepare<[{ prefix: string; now: number }], Row>(
    `SELECT id, lane, kind, payload, attempts, created_at AS createdAt FROM outbox
     WHERE id IN (${heads}) AND next_at <= @now ORDER BY id`,
  )
  const ofLane = db.prepare<[string, number], Row>(
    'SELECT id, lane, kind, payload, attempts, created_at AS createdAt FROM outbox WHERE lane = ? ORDER BY id LIMIT ?',
  )
  const insert = db.prepare(`INSERT INTO outbox (lane, kind, payload, next_at, created_at)
    VALUES (@lane, @kind, @payload, @createdAt, @createdAt)`)
  const remove = db.prepare('DELETE FROM outbox WHERE id = ?')
  const postpone = db.prepare(
    'UPDATE outbox SET attempts = attempts + 1, next_at = ?, last_error = ? WHERE id = ?',
  )
  const waiting = db
    .prepare<[{ prefix: string }], number>(
      'SELECT count(*) FROM outbox WHERE lane >= @prefix AND lane < @prefix || char(1114111)',
    )
    .pluck()
  return {
    insert: (message) => void insert.run(message),
    due: (prefix, now) =>
      due.all({ prefix, now }).map((row) => ({ ...row, payload: jsonOrUndefined(row.payload) })),
    remove: (id) => void remove.run(id),
    postpone: (id, nextAt, error) => void postpone.run(nextAt, error, id),
    waiting: (prefix) => waiting.get({ prefix }) ?? 0,
    ofLane: (lane, limit) =>
      ofLane.all(lane, limit).map((row) => ({ ...row, payload: jsonOrUndefined(row.payload) })),
  }
}

/** One row that cannot be read must not keep the others from being offered. */
function jsonOrUndefined(text: string): OutboxMessage['payload'] {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

export function createWakeStore(db: Database): WakeRepository {
  const unseen = 'FROM wakes JOIN executions USING (request_id) WHERE executions.seen_at IS NULL'
  const schedule = db.prepare(`INSERT INTO wakes (request_id, agent_id, next_at, created_at)
    VALUES (@requestId, @agentId, @dueAt, @dueAt)
    ON CONFLICT (request_id) DO UPDATE SET next_at = @dueAt, delivered = 0, last_error = NULL`)
  /** An index look-up for each agent, however many wakes are due; some of them may turn out to be seen. */
  const dueAgents = db
    .prepare<[number], AgentId>(
      `SELECT id FROM (SELECT agents.id, (SELECT min(next_at) FROM wakes WHERE agent_id = agents.id) AS first_at FROM agents)
       WHERE first_at <= ? ORDER BY first_at`,
    )
    .pluck()
  const due = db.prepare<[string, number, number], PendingWake>(
    `SELECT request_id AS requestId, wakes.agent_id AS agentId, skill_id AS skillId, status, delivered,
     last_error AS lastError, wakes.created_at AS createdAt
     ${unseen} AND wakes.agent_id = ? AND next_at <= ? ORDER BY next_at, request_id LIMIT ?`,
  )
  const nextDueAt = db
    .prepare<[number], number>(`SELECT next_at ${unseen} AND next_at > ? ORDER BY next_at LIMIT 1`)
    .pluck()
  const delivered = db.prepare(
    'UPDATE wakes SET delivered = delivered + 1, next_at = ?, last_error = NULL WHERE request_id = ?',
  )
  const postpone = db.prepare('UPDATE wakes SET next_at = ?, last_error = ? WHERE request_id = ?')
  const retryFailed = db.prepare(
    'UPDATE wakes SET next_at = @now WHERE last_error IS NOT NULL AND next_at > @now',
  )
  const close = db.prepare('DELETE FROM wakes WHERE request_id = ?')
  const closeOfAgent = db.prepare('DELETE FROM wakes WHERE agent_id = ?')
  const closeSeen = db.prepare(
    'DELETE FROM wakes WHERE request_id IN (SELECT request_id FROM executions WHERE seen_at IS NOT NULL AND request_id IN (SELECT request_id FROM wakes))',
  )
  return {
    schedule: (requestId, agentId, dueAt) => void schedule.run({ requestId, agentId, dueAt }),
    dueAgents: (now) => dueAgents.all(now),
    due: (agentId, now, limit) => due.all(agentId, now, limit),
    nextDueAt: (after) => nextDueAt.get(after),
    delivered: (requestId, remindAt) => void delivered.run(remindAt, requestId),
    postpone: (requestId, nextAt, error) => void postpone.run(nextAt, error, requestId),
    retryFailed: (now) => void retryFailed.run({ now }),
    close: (requestId) => void close.run(requestId),
    closeOfAgent: (agentId) => void closeOfAgent.run(agentId),
    closeSeen: () => void closeSeen.run(),
  }
}
