import type { Generated, Kysely, Selectable } from 'kysely'
import type { CodeHash, ConsentHash, TenantId, UnixMs } from '../../kernel/index.ts'
import { type Queries, statement, type Tables } from '../../storage/index.ts'
import type { GrantLevel } from '../index.ts'
import type { Grant, GrantStore } from './trust.ts'

interface ApprovalTable {
  tenant_id: TenantId
  id: Generated<number>
  skill_id: string
  code_hash: CodeHash
  /** Of level limited stands as `forever`: its end is in the two columns for it. */
  trust_level: Exclude<GrantLevel, 'limited'>
  approved_at: UnixMs
  expires_at: UnixMs | null
  max_uses: number | null
  uses: number
  last_used_at: UnixMs | null
  any_args: number
  /** Of the consent and `any_args`: one grant of each stands at a time. */
  scope_hash: string
  /** Canonical JSON. */
  consent: string
  consent_hash: ConsentHash
  request_id: string
  approved_by: string
  ended_at: UnixMs | null
  ended_why: Grant['endedWhy']
}

declare module '../../storage/tables.ts' {
  interface Tables {
    approvals: ApprovalTable
  }
}

const grantsOf = (db: Kysely<Tables>, tenant: TenantId) =>
  db.selectFrom('approvals').selectAll().where('tenant_id', '=', tenant)
const activeOf = (db: Kysely<Tables>, tenant: TenantId) => grantsOf(db, tenant).where('ended_at', 'is', null)

const ofCode = statement(
  (db, { tenant, skillId, codeHash }: { tenant: TenantId; skillId: string; codeHash: CodeHash }) =>
    activeOf(db, tenant)
      .where('skill_id', '=', skillId)
      .where('code_hash', '=', codeHash)
      .orderBy('id', 'desc'),
)
const expired = statement((db, { tenant, now }: { tenant: TenantId; now: UnixMs }) =>
  activeOf(db, tenant).where('expires_at', '<=', now).orderBy('expires_at').orderBy('id'),
)
const use = statement((db, { tenant, id, at }: { tenant: TenantId; id: number; at: UnixMs }) =>
  db
    .updateTable('approvals')
    .set((of) => ({ uses: of('uses', '+', 1), last_used_at: at }))
    .where('tenant_id', '=', tenant)
    .where('id', '=', id)
    .where('ended_at', 'is', null)
    .where((of) => of.or([of('max_uses', 'is', null), of('uses', '<', of.ref('max_uses'))]))
    .returningAll(),
)

export function createGrantStore(queries: Queries, tenant: TenantId): GrantStore {
  const { db } = queries
  const grants = () => grantsOf(db, tenant)
  const active = () => activeOf(db, tenant)

  return {
    async activeGrants(skillId, codeHash) {
      return (await ofCode.all(queries, { tenant, skillId, codeHash })).map(fromRow)
    },
    async listActiveGrants() {
      return (await active().orderBy('id', 'desc').execute()).map(fromRow)
    },
    async listNewest(limit) {
      const found = await grants()
        .where('trust_level', '<>', 'once')
        .orderBy('id', 'desc')
        .limit(limit)
        .execute()
      return found.map(fromRow)
    },
    async newestOfSkill(skillId) {
      return optional(
        await active().where('skill_id', '=', skillId).orderBy('id', 'desc').limit(1).executeTakeFirst(),
      )
    },
    async byId(id) {
      return optional(await grants().where('id', '=', id).executeTakeFirst())
    },
    async byRequest(requestId) {
      return optional(await grants().where('request_id', '=', requestId).executeTakeFirst())
    },
    async activeByScope(scopeHash) {
      return optional(await active().where('scope_hash', '=', scopeHash).executeTakeFirst())
    },
    async expiredBy(now) {
      return (await expired.all(queries, { tenant, now })).map(fromRow)
    },
    async insert(grant, scopeHash) {
      const { id } = await db
        .insertInto('approvals')
        .values({
          tenant_id: tenant,
          skill_id: grant.skillId,
          code_hash: grant.codeHash,
          trust_level: grant.level === 'limited' ? 'forever' : grant.level,
          approved_at: grant.approvedAt,
          expires_at: grant.expiresAt,
          max_uses: grant.maxUses,
          uses: grant.uses,
          last_used_at: grant.lastUsedAt,
          any_args: grant.anyArgs ? 1 : 0,
          scope_hash: scopeHash,
          consent: grant.consentJson,
          consent_hash: grant.consentHash,
          request_id: grant.requestId,
          approved_by: grant.approvedBy,
          ended_at: grant.endedAt,
          ended_why: grant.endedWhy,
        })
        .returning('id')
        .executeTakeFirstOrThrow()
      return { ...grant, id }
    },
    /** What has ended keeps when and why. */
    async end(id, at, why) {
      await db
        .updateTable('approvals')
        .set({ ended_at: at, ended_why: why })
        .where('tenant_id', '=', tenant)
        .where('id', '=', id)
        .where('ended_at', 'is', null)
        .execute()
    },
    async use(id, at) {
      return optional(await use.first(queries, { tenant, id, at }))
    },
    async revokeUsedUp(id, at) {
      await db
        .updateTable('approvals')
        .set({ ended_at: at, ended_why: 'revoked' })
        .where('tenant_id', '=', tenant)
        .where('id', '=', id)
        .where('ended_why', '=', 'used')
        .where('max_uses', 'is not', null)
        .execute()
    },
  }
}

const optional = (row: Selectable<ApprovalTable> | undefined): Grant | undefined => row && fromRow(row)

const fromRow = (row: Selectable<ApprovalTable>): Grant => ({
  id: row.id,
  skillId: row.skill_id,
  codeHash: row.code_hash,
  level: levelOf(row),
  anyArgs: row.any_args === 1,
  consentJson: row.consent,
  consentHash: row.consent_hash,
  requestId: row.request_id,
  approvedBy: row.approved_by,
  approvedAt: row.approved_at,
  expiresAt: row.expires_at,
  maxUses: row.max_uses,
  uses: row.uses,
  lastUsedAt: row.last_used_at,
  endedAt: row.ended_at,
  endedWhy: row.ended_why,
})

const levelOf = (row: Selectable<ApprovalTable>): GrantLevel =>
  row.trust_level === 'forever' && (row.max_uses !== null || row.expires_at !== null)
    ? 'limited'
    : row.trust_level
