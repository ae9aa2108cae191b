import type { AccountId, UnixMs } from '../../kernel/index.ts'
import type { SessionId } from '../index.ts'

/** Somebody who signed up, or was invited, and whose the tenant is. */
export interface Account {
  readonly id: AccountId
  /** In lower case; null for who signs in by other means. Nobody has verified that it is theirs. */
  readonly email: string | null
  readonly name: string
  /** PHC string of Argon2id; null: there is no password. */
  readonly password: string | null
  readonly createdAt: UnixMs
}

/** A key at a provider that signs its account in, as long as the tenant has it among its provider keys. */
export interface SignInKey {
  /** SHA-256 of provider and key. */
  readonly fingerprint: string
  readonly accountId: AccountId
  /** Of the provider key. */
  readonly keyId: number
  readonly last4: string
  readonly createdAt: UnixMs
}

/** What a program with the key may: read who it is of, manage the keys of providers, use machines. */
export type AccessScope = 'account' | 'keys' | 'machines'

/** A key of a program (`oc_…`) that acts for the account. */
export interface AccessKey {
  readonly id: string
  readonly accountId: AccountId
  readonly name: string
  /** SHA-256 of the key, in hex. */
  readonly hash: string
  readonly last4: string
  readonly scopes: readonly AccessScope[]
  readonly createdAt: UnixMs
  /** As of the row: the daemon's memory may know of a later use. */
  readonly lastUsedAt: UnixMs | null
}

/** Good once, for the tokens that come after it; all of one session are a family. */
interface RefreshToken {
  readonly hash: string
  readonly sessionId: SessionId
  readonly createdAt: UnixMs
  readonly usedAt: UnixMs | null
}

interface AccountReader {
  list(): Promise<readonly Account[]>
  signInKeys(): Promise<readonly SignInKey[]>
  /** The oldest first. */
  accessKeys(): Promise<readonly AccessKey[]>
}

export interface AccountStore extends AccountReader {
  insert(account: Account): Promise<void>
  setPassword(id: AccountId, password: string | null): Promise<void>
  insertSignInKey(key: SignInKey): Promise<void>
  removeSignInKey(keyId: number): Promise<boolean>
  insertAccessKey(key: AccessKey): Promise<void>
  setAccessKeyUsed(id: string, at: UnixMs): Promise<void>
  /** False where there is none. */
  removeAccessKey(id: string): Promise<boolean>
  insertRefreshToken(token: RefreshToken): Promise<void>
  /** Single use: compare and set. Undefined where it is none, or was used. */
  burnRefreshToken(hash: string, at: UnixMs): Promise<SessionId | undefined>
  /** Whose it was, whether or not it was used. */
  sessionOfRefreshToken(hash: string): Promise<SessionId | undefined>
  removeRefreshTokens(session: SessionId): Promise<void>
  /** Drops used ones of a session but for so many of the newest. */
  dropUsedRefreshTokens(session: SessionId, keep: number): Promise<void>
  /** Of sessions that are gone. */
  pruneRefreshTokens(): Promise<void>
}

declare module '../../kernel/unit-of-work.ts' {
  interface StorePorts {
    readonly accounts: StorePort<AccountReader, AccountStore>
  }
}
