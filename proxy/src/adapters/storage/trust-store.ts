import type { Database } from 'better-sqlite3'
import type { Grant, GrantRepository } from '../../domain/trust/index.ts'

interface Row {
  id: number
  skill_id: string
  code_hash: string
  trust_level: string
  any_args: number
  consent: string
  consent_hash: string
  request_id: string
  approved_by: string
  approved_at: number
  expires_at: number | null
  ended_at: number | null
  ended_why: string | null
}

export function createTrustStore(db: Database): GrantRepository {
  const insert =
    db.prepare(`INSERT INTO approvals (skill_id, code_hash, trust_level, approved_at, expires_at, any_args,
    scope_hash, consent, consent_hash, request_id, approved_by, ended_at, ended_why)
    VALUES (@skillId, @codeHash, @level, @approvedAt, @expiresAt, @anyArgs, @scopeHash, @consentJson, @consentHash,
    @requestId, @approvedBy, @endedAt, @endedWhy)`)
  const activeGrants = db.prepare<[string, string], Row>(
    'SELECT * FROM approvals WHERE skill_id = ? AND code_hash = ? AND ended_at IS NULL ORDER BY id DESC',
  )
  const listActiveGrants = db.prepare<[], Row>(
    'SELECT * FROM approvals WHERE ended_at IS NULL ORDER BY id DESC',
  )
  const newestOfSkill = db.prepare<[string], Row>(
    'SELECT * FROM approvals WHERE skill_id = ? AND ended_at IS NULL ORDER BY id DESC LIMIT 1',
  )
  const byId = db.prepare<[number], Row>('SELECT * FROM approvals WHERE id = ?')
  const byScope = db.prepare<[string], Row>(
    'SELECT * FROM approvals WHERE scope_hash = ? AND ended_at IS NULL',
  )
  const end = db.prepare('UPDATE approvals SET ended_at = ?, ended_why = ? WHERE id = ? AND ended_at IS NULL')
  const expiredBy = db.prepare<[number], Row>(
    'SELECT * FROM approvals WHERE ended_at IS NULL AND expires_at <= ? ORDER BY expires_at',
  )
  return {
    insert(grant, scopeHash) {
      const { lastInsertRowid } = insert.run({ ...grant, scopeHash, anyArgs: grant.anyArgs ? 1 : 0 })
      return { ...grant, id: Number(lastInsertRowid) }
    },
    activeGrants: (skillId, codeHash) => activeGrants.all(skillId, codeHash).map(fromRow),
    listActiveGrants: () => listActiveGrants.all().map(fromRow),
    newestOfSkill: (skillId) => optional(newestOfSkill.get(skillId)),
    byId: (id) => optional(byId.get(id)),
    activeByScope: (scopeHash) => optional(byScope.get(scopeHash)),
    end: (id, at, why) => void end.run(at, why, id),
    expiredBy: (now) => expiredBy.all(now).map(fromRow),
  }
}

const optional = (row: Row | undefined): Grant | undefined => (row ? fromRow(row) : undefined)

const fromRow = (row: Row): Grant =>
  ({
    id: row.id,
    skillId: row.skill_id,
    codeHash: row.code_hash,
    level: row.trust_level,
    anyArgs: row.any_args === 1,
    consentJson: row.consent,
    consentHash: row.consent_hash,
    requestId: row.request_id,
    approvedBy: row.approved_by,
    approvedAt: row.approved_at,
    expiresAt: row.expires_at,
    endedAt: row.ended_at,
    endedWhy: row.ended_why,
  }) as Grant
