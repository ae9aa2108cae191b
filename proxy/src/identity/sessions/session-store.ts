import type { Selectable } from 'kysely'
import type { TenantId, UnixMs } from '../../kernel/index.ts'
import type { Queries } from '../../storage/index.ts'
import type { ProofMethod, SessionId, SessionPerson } from '../index.ts'
import type { Session, SessionStore, SignInCode } from './ports.ts'

interface CodeTable {
  tenant_id: TenantId
  code_sha256: string
  /** JSON of `SessionPerson`. */
  person: string
  created_at: UnixMs
  expires_at: UnixMs
  used_at: UnixMs | null
}

interface SessionTable {
  tenant_id: TenantId
  id: SessionId
  cookie_sha256: string
  /** JSON of `SessionPerson`. */
  person: string
  method: ProofMethod
  signed_in_at: UnixMs
  proved_at: UnixMs
  proved_by: ProofMethod
  seen_at: UnixMs
  expires_at: UnixMs
}

declare module '../../storage/tables.ts' {
  interface Tables {
    sign_in_codes: CodeTable
    sessions: SessionTable
  }
}

export function createSessionStore({ db }: Queries, tenant: TenantId): SessionStore {
  const change = (id: SessionId) =>
    db.updateTable('sessions').where('tenant_id', '=', tenant).where('id', '=', id)
  return {
    async list() {
      const rows = await db
        .selectFrom('sessions')
        .selectAll()
        .where('tenant_id', '=', tenant)
        .orderBy('signed_in_at')
        .orderBy('id')
        .execute()
      return rows.map(sessionOf)
    },
    async codes() {
      const rows = await db
        .selectFrom('sign_in_codes')
        .selectAll()
        .where('tenant_id', '=', tenant)
        .where('used_at', 'is', null)
        .orderBy('created_at')
        .execute()
      return rows.map(codeOf)
    },
    async insertCode({ hash, person, createdAt, expiresAt }) {
      await db
        .insertInto('sign_in_codes')
        .values({
          ...{ tenant_id: tenant, code_sha256: hash, person: JSON.stringify(person) },
          ...{ created_at: createdAt, expires_at: expiresAt, used_at: null },
        })
        .execute()
    },
    async burnCode(hash, at) {
      const row = await db
        .updateTable('sign_in_codes')
        .set({ used_at: at })
        .where('tenant_id', '=', tenant)
        .where('code_sha256', '=', hash)
        .where('used_at', 'is', null)
        .where('expires_at', '>', at)
        .returningAll()
        .executeTakeFirst()
      return row && codeOf(row)
    },
    async deleteCodesBefore(at) {
      await db
        .deleteFrom('sign_in_codes')
        .where('tenant_id', '=', tenant)
        .where('expires_at', '<=', at)
        .execute()
    },
    async insert(session) {
      await db
        .insertInto('sessions')
        .values({
          tenant_id: tenant,
          id: session.id,
          cookie_sha256: session.cookieHash,
          person: JSON.stringify(session.person),
          method: session.method,
          signed_in_at: session.signedInAt,
          proved_at: session.provedAt,
          proved_by: session.provedBy,
          seen_at: session.seenAt,
          expires_at: session.expiresAt,
        })
        .execute()
    },
    async setProved(id, at, by) {
      await change(id).set({ proved_at: at, proved_by: by }).execute()
    },
    async setSeen(id, at) {
      await change(id).set({ seen_at: at }).execute()
    },
    async delete(id) {
      const row = await db
        .deleteFrom('sessions')
        .where('tenant_id', '=', tenant)
        .where('id', '=', id)
        .returning('id')
        .executeTakeFirst()
      return row !== undefined
    },
  }
}

const personOf = (text: string): SessionPerson => JSON.parse(text) as SessionPerson

const codeOf = (row: Selectable<CodeTable>): SignInCode => ({
  hash: row.code_sha256,
  person: personOf(row.person),
  createdAt: row.created_at,
  expiresAt: row.expires_at,
})

const sessionOf = (row: Selectable<SessionTable>): Session => ({
  id: row.id,
  cookieHash: row.cookie_sha256,
  person: personOf(row.person),
  method: row.method,
  signedInAt: row.signed_in_at,
  provedAt: row.proved_at,
  provedBy: row.proved_by,
  seenAt: row.seen_at,
  expiresAt: row.expires_at,
})
