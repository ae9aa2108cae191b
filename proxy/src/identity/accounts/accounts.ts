import { randomBytes } from 'node:crypto'
import type { AuditLog } from '../../audit/index.ts'
import {
  type AccountId,
  AppError,
  type Clock,
  createMirror,
  newRefreshToken,
  newToken,
  type ReadTx,
  type Storage,
  sessionOfRefreshToken,
  sha256Hex,
  type Tx,
  type UnixMs,
} from '../../kernel/index.ts'
import { type Actor, accountActor, type SessionId, type SessionPerson } from '../index.ts'
import type { Sessions } from '../sessions/index.ts'
import type { Members } from '../tenants/index.ts'
import type { AccessKey, AccessScope, Account, SignInKey } from './ports.ts'

/** Who signed up for one tenant, and what signs them and their programs in. Asked by each request, so it answers from memory. */
export interface Accounts {
  load(tx: ReadTx): Promise<void>
  list(): readonly Account[]
  byEmail(email: string): Account | undefined
  byId(id: string): Account | undefined
  /** In the unit that makes the tenant theirs. */
  insert(tx: Tx, account: Account, how: string, actor: Actor): Promise<void>
  /** Ends every other session of the person, in the same unit; how many. */
  setPassword(id: AccountId, hash: string, here: SessionId | null): Promise<number>

  signInKeys(): readonly SignInKey[]
  addSignInKey(tx: Tx, key: Omit<SignInKey, 'createdAt'>, actor: Actor): Promise<void>
  /** From the commit on it signs nobody in; the sessions that are open stay. */
  removeSignInKey(tx: Tx, keyId: number, actor: Actor): Promise<boolean>

  accessKeys(): readonly AccessKey[]
  /** The key is in this answer and nowhere else. Throws conflict where there are too many. */
  makeAccessKey(
    of: { readonly account: AccountId; readonly name: string; readonly scopes: readonly AccessScope[] },
    actor: Actor,
  ): Promise<{ readonly key: string; readonly row: AccessKey }>
  removeAccessKey(id: string, actor: Actor): Promise<boolean>
  /** By the SHA-256 of a key. */
  findAccessKey(hash: string): AccessKey | undefined
  accessKeyUsed(key: AccessKey): void
  lastUsed(key: AccessKey): UnixMs | null

  /** A refresh token for a session that was just opened, or in the place of one that was just burnt. */
  issueRefresh(tx: Tx, session: SessionId): Promise<string>
  /**
   * The session of the token, which is burnt, with its successor. One that was used before ends the whole family: either of the two
   * who hold it is a thief, and nobody knows which. Undefined for that, and for what is none.
   */
  refresh(token: string): Promise<{ readonly session: SessionId; readonly refresh: string } | undefined>
  /** Whether a refresh token names a session of this tenant; tells nothing of whether it is good. */
  hasFamily(token: string): boolean
}

const MAX_ACCESS_KEYS = 32
/** What a crash may take from the last use; each use would cost a write. */
const USED_EVERY_MS = 5 * 60_000
/** Used tokens of a session by which a theft is known; one that is older still signs nobody in. */
const KEPT_USED = 256

export const personOfAccount = ({ id, name }: Account): SessionPerson => ({ kind: 'account', id, name })

export function createAccounts(deps: {
  readonly storage: Storage
  readonly audit: Pick<AuditLog, 'append'>
  readonly clock: Clock
  readonly memberships: Pick<Members, 'addAccount'>
  readonly sessions: Sessions
  readonly log: { error(details: object, message: string): void }
}): Accounts {
  const { storage, audit, clock, sessions } = deps
  const rows = createMirror(async (tx) => ({
    accounts: await tx.accounts.list(),
    signInKeys: await tx.accounts.signInKeys(),
    accessKeys: new Map((await tx.accounts.accessKeys()).map((key) => [key.hash, key])),
  }))
  const uses = new Map<string, UnixMs>()
  const lastUsed = ({ id, lastUsedAt }: AccessKey): UnixMs | null => uses.get(id) ?? lastUsedAt

  const issueRefresh = async (tx: Tx, sessionId: SessionId): Promise<string> => {
    const token = newRefreshToken(sessionId)
    await tx.accounts.insertRefreshToken({
      ...{ hash: sha256Hex(token), sessionId },
      ...{ createdAt: clock.now(), usedAt: null },
    })
    return token
  }

  return {
    load: (tx) => rows.load(tx),
    list: () => rows.value.accounts,
    byEmail: (email) => rows.value.accounts.find((account) => account.email === email),
    byId: (id) => rows.value.accounts.find((account) => account.id === id),
    async insert(tx, account, how, actor) {
      await tx.accounts.insert(account)
      await deps.memberships.addAccount(tx, account.id, actor)
      await audit.append(tx, 'account.added', actor, null, { account: account.id, how })
      await rows.refresh(tx)
    },
    setPassword: (id, hash, here) =>
      storage.transaction(async (tx) => {
        await tx.accounts.setPassword(id, hash)
        const actor = accountActor(id)
        await audit.append(tx, 'account.password_set', actor, null, { account: id })
        await rows.refresh(tx)
        return await sessions.endOthers(tx, actor, here, actor, 'password_set')
      }),

    signInKeys: () => rows.value.signInKeys,
    async addSignInKey(tx, key, actor) {
      await tx.accounts.insertSignInKey({ ...key, createdAt: clock.now() })
      const { accountId, keyId, last4 } = key
      await audit.append(tx, 'account.sign_in_key_added', actor, null, {
        ...{ account: accountId, key_id: keyId, last4 },
      })
      await rows.refresh(tx)
    },
    async removeSignInKey(tx, keyId, actor) {
      if (!(await tx.accounts.removeSignInKey(keyId))) return false
      await audit.append(tx, 'account.sign_in_key_removed', actor, null, { key_id: keyId })
      await rows.refresh(tx)
      return true
    },

    accessKeys: () => [...rows.value.accessKeys.values()],
    async makeAccessKey({ account, name, scopes }, actor) {
      const key = newToken('access_key')
      const row: AccessKey = {
        ...{ id: `key_${randomBytes(8).toString('hex')}`, accountId: account, name, scopes },
        ...{ hash: sha256Hex(key), last4: key.slice(-4), createdAt: clock.now(), lastUsedAt: null },
      }
      await storage.transaction(async (tx) => {
        if ((await tx.accounts.accessKeys()).length >= MAX_ACCESS_KEYS)
          throw new AppError('conflict', `There are ${MAX_ACCESS_KEYS} access keys; revoke one first.`)
        await tx.accounts.insertAccessKey(row)
        await audit.append(tx, 'account.access_key_added', actor, null, { key: row.id, name, scopes })
        await rows.refresh(tx)
      })
      return { key, row }
    },
    removeAccessKey: (id, actor) =>
      storage.transaction(async (tx) => {
        if (!(await tx.accounts.removeAccessKey(id))) return false
        await audit.append(tx, 'account.access_key_revoked', actor, null, { key: id })
        await rows.refresh(tx)
        tx.onCommit(() => void uses.delete(id))
        return true
      }),
    findAccessKey: (hash) => rows.value.accessKeys.get(hash),
    accessKeyUsed(key) {
      const now = clock.now()
      const before = lastUsed(key)
      if (before !== null && now < before + USED_EVERY_MS) return
      uses.set(key.id, now)
      const written = storage.transaction((tx) => tx.accounts.setAccessKeyUsed(key.id, now), 'grouped')
      // The request that it was used by goes on.
      written.catch((error: unknown) => deps.log.error({ err: error }, 'the use of a key was not stored'))
    },
    lastUsed,

    issueRefresh,
    async refresh(token) {
      if (sessionOfRefreshToken(token) === undefined) return undefined
      const hash = sha256Hex(token)
      const next = await storage.transaction(async (tx) => {
        const session = await tx.accounts.burnRefreshToken(hash, clock.now())
        if (session === undefined) {
          const stolen = await tx.accounts.sessionOfRefreshToken(hash)
          if (stolen !== undefined) {
            await tx.accounts.removeRefreshTokens(stolen)
            await sessions.endIn(tx, stolen, 'daemon', 'refresh_reused')
          }
          return undefined
        }
        if (sessions.byId(session) === undefined) return undefined
        await tx.accounts.dropUsedRefreshTokens(session, KEPT_USED)
        return { session, refresh: await issueRefresh(tx, session) }
      })
      const open = next && sessions.byId(next.session)
      if (open !== undefined) sessions.seen(open)
      return next
    },
    hasFamily: (token) => sessions.byId((sessionOfRefreshToken(token) ?? '') as SessionId) !== undefined,
  }
}
