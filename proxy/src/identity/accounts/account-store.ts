import type { AccountId, TenantId, UnixMs } from '../../kernel/index.ts'
import type { Queries } from '../../storage/index.ts'
import type { SessionId } from '../index.ts'
import type { AccessScope, AccountStore } from './ports.ts'

interface AccountTable {
  tenant_id: TenantId
  id: AccountId
  email: string | null
  name: string
  password: string | null
  created_at: UnixMs
}

interface SignInKeyTable {
  tenant_id: TenantId
  fingerprint: string
  account_id: AccountId
  key_id: number
  last4: string
  created_at: UnixMs
}

interface AccessKeyTable {
  tenant_id: TenantId
  id: string
  account_id: AccountId
  name: string
  key_sha256: string
  last4: string
  /** Separated by spaces. */
  scopes: string
  created_at: UnixMs
  last_used_at: UnixMs | null
}

interface RefreshTokenTable {
  tenant_id: TenantId
  token_sha256: string
  session_id: SessionId
  created_at: UnixMs
  used_at: UnixMs | null
}

declare module '../../storage/tables.ts' {
  interface Tables {
    accounts: AccountTable
    sign_in_keys: SignInKeyTable
    access_keys: AccessKeyTable
    refresh_tokens: RefreshTokenTable
  }
}

const DROPPED_AT_ONCE = 1_000

export function createAccountStore({ db }: Queries, tenant: TenantId): AccountStore {
  const tokens = () => db.deleteFrom('refresh_tokens').where('tenant_id', '=', tenant)
  return {
    async list() {
      const rows = await db
        .selectFrom('accounts')
        .selectAll()
        .where('tenant_id', '=', tenant)
        .orderBy('created_at')
        .orderBy('id')
        .execute()
      return rows.map(({ id, email, name, password, created_at }) => ({
        ...{ id, email, name, password },
        createdAt: created_at,
      }))
    },
    async signInKeys() {
      const rows = await db
        .selectFrom('sign_in_keys')
        .selectAll()
        .where('tenant_id', '=', tenant)
        .orderBy('fingerprint')
        .execute()
      return rows.map(({ fingerprint, last4, account_id, key_id, created_at }) => ({
        ...{ fingerprint, last4 },
        ...{ accountId: account_id, keyId: key_id, createdAt: created_at },
      }))
    },
    async accessKeys() {
      const rows = await db
        .selectFrom('access_keys')
        .selectAll()
        .where('tenant_id', '=', tenant)
        .orderBy('created_at')
        .orderBy('id')
        .execute()
      return rows.map(({ id, name, last4, scopes, account_id, key_sha256, created_at, last_used_at }) => ({
        ...{ id, name, last4, accountId: account_id, hash: key_sha256 },
        scopes: scopes.split(' ').filter((scope) => scope !== '') as AccessScope[],
        ...{ createdAt: created_at, lastUsedAt: last_used_at },
      }))
    },
    async insert({ id, email, name, password, createdAt }) {
      await db
        .insertInto('accounts')
        .values({ ...{ tenant_id: tenant, id, email, name, password }, created_at: createdAt })
        .execute()
    },
    async setPassword(id, password) {
      await db
        .updateTable('accounts')
        .set({ password })
        .where('tenant_id', '=', tenant)
        .where('id', '=', id)
        .execute()
    },
    async insertSignInKey({ fingerprint, accountId, keyId, last4, createdAt }) {
      await db
        .insertInto('sign_in_keys')
        .values({
          ...{ tenant_id: tenant, fingerprint, account_id: accountId, key_id: keyId, last4 },
          created_at: createdAt,
        })
        .execute()
    },
    async removeSignInKey(keyId) {
      const { numDeletedRows } = await db
        .deleteFrom('sign_in_keys')
        .where('tenant_id', '=', tenant)
        .where('key_id', '=', keyId)
        .executeTakeFirst()
      return numDeletedRows > 0n
    },
    async insertAccessKey({ id, accountId, name, hash, last4, scopes, createdAt, lastUsedAt }) {
      await db
        .insertInto('access_keys')
        .values({
          ...{ tenant_id: tenant, id, account_id: accountId, name, key_sha256: hash, last4 },
          ...{ scopes: scopes.join(' '), created_at: createdAt, last_used_at: lastUsedAt },
        })
        .execute()
    },
    async setAccessKeyUsed(id, at) {
      await db
        .updateTable('access_keys')
        .set({ last_used_at: at })
        .where('tenant_id', '=', tenant)
        .where('id', '=', id)
        .execute()
    },
    async removeAccessKey(id) {
      const { numDeletedRows } = await db
        .deleteFrom('access_keys')
        .where('tenant_id', '=', tenant)
        .where('id', '=', id)
        .executeTakeFirst()
      return numDeletedRows > 0n
    },
    async insertRefreshToken({ hash, sessionId, createdAt, usedAt }) {
      await db
        .insertInto('refresh_tokens')
        .values({
          ...{ tenant_id: tenant, token_sha256: hash, session_id: sessionId },
          ...{ created_at: createdAt, used_at: usedAt },
        })
        .execute()
    },
    async burnRefreshToken(hash, at) {
      const row = await db
        .updateTable('refresh_tokens')
        .set({ used_at: at })
        .where('tenant_id', '=', tenant)
        .where('token_sha256', '=', hash)
        .where('used_at', 'is', null)
        .returning('session_id')
        .executeTakeFirst()
      return row?.session_id
    },
    async sessionOfRefreshToken(hash) {
      const row = await db
        .selectFrom('refresh_tokens')
        .select('session_id')
        .where('tenant_id', '=', tenant)
        .where('token_sha256', '=', hash)
        .executeTakeFirst()
      return row?.session_id
    },
    async removeRefreshTokens(session) {
      await tokens().where('session_id', '=', session).execute()
    },
    async dropUsedRefreshTokens(session, keep) {
      const old = db
        .selectFrom('refresh_tokens')
        .select('token_sha256')
        .where('tenant_id', '=', tenant)
        .where('session_id', '=', session)
        .where('used_at', 'is not', null)
        .orderBy('used_at', 'desc')
        .orderBy('created_at', 'desc')
        .limit(DROPPED_AT_ONCE)
        .offset(keep)
      await tokens().where('token_sha256', 'in', old).execute()
    },
    async pruneRefreshTokens() {
      const sessions = db.selectFrom('sessions').select('id').where('tenant_id', '=', tenant)
      await tokens().where('session_id', 'not in', sessions).execute()
    },
  }
}
