import type { IncomingMessage } from 'node:http'
import type { AccountScope } from '../../contracts/accounts/index.ts'
import type { AccessTokens, Account, SignedInAccount } from '../../identity/accounts/index.ts'
import { accountOf } from '../../identity/authentication.ts'
import {
  type AccountPrincipal,
  type Action,
  type Actor,
  accountActor,
  assertAuthorized,
  resourceOf,
} from '../../identity/index.ts'
import type { Session } from '../../identity/sessions/index.ts'
import { AppError, sha256Hex } from '../../kernel/index.ts'
import type { ConsoleTenant } from '../console/index.ts'

export interface AccountCaller extends SignedInAccount<ConsoleTenant> {
  readonly principal: AccountPrincipal
  readonly actor: Actor
  /** Null for a program with an access key. */
  readonly session: Session | null
  /** By a cookie, which a page left open sends for days; programs send a token. */
  readonly isBrowser: boolean
}

/** How a request says whose it is. */
export type Credential =
  | { readonly kind: 'none' }
  | { readonly kind: 'bearer'; readonly token: string }
  | { readonly kind: 'cookie'; readonly hash: string }

const BEARER = /^Bearer ([\x21-\x7e]{1,2048})$/i

/** A header beats a cookie: a program says which it means. */
export function credentialOf(request: IncomingMessage, cookie: string | undefined): Credential {
  const { authorization } = request.headers
  if (authorization !== undefined) return { kind: 'bearer', token: BEARER.exec(authorization)?.[1] ?? '' }
  return cookie === undefined ? { kind: 'none' } : { kind: 'cookie', hash: sha256Hex(cookie) }
}

/** Who a request is from by now; undefined for nobody. Tokens are found by a hash or checked by their signature, so that the time tells nothing. */
export function callerOf(
  tenants: readonly ConsoleTenant[],
  accessTokens: AccessTokens,
  credential: Credential,
  scope: AccountScope,
): AccountCaller | undefined {
  if (credential.kind === 'none') return undefined
  if (credential.kind === 'cookie') return ofSession(tenants, (of) => of.sessions.find(credential.hash), true)
  const { token } = credential
  if (token.startsWith('oc_')) return ofAccessKey(tenants, sha256Hex(token), scope)
  const id = accessTokens.verify(token)
  return id === undefined ? undefined : ofSession(tenants, (of) => of.sessions.byId(id), false)
}

function ofSession(
  tenants: readonly ConsoleTenant[],
  find: (of: ConsoleTenant) => Session | undefined,
  isBrowser: boolean,
): AccountCaller | undefined {
  for (const of of tenants) {
    const session = find(of)
    if (session === undefined) continue
    // Owners and approvers have the console.
    if (session.person.kind !== 'account') return undefined
    of.sessions.seen(session)
    return admitted(of, of.accounts.byId(session.person.id), session, isBrowser)
  }
  return undefined
}

function ofAccessKey(
  tenants: readonly ConsoleTenant[],
  hash: string,
  scope: AccountScope,
): AccountCaller | undefined {
  for (const of of tenants) {
    const key = of.accounts.findAccessKey(hash)
    if (key === undefined) continue
    if (scope !== 'anyone' && !key.scopes.includes(scope))
      throw new AppError('refused', `This key has not the scope "${scope}".`)
    of.accounts.accessKeyUsed(key)
    return admitted(of, of.accounts.byId(key.accountId), null)
  }
  return undefined
}

function admitted(
  of: ConsoleTenant,
  account: Account | undefined,
  session: Session | null,
  isBrowser = false,
): AccountCaller | undefined {
  const principal = account && accountOf(of.memberships, of.tenant, account)
  if (account === undefined || principal === undefined) return undefined
  return { of, account, principal, session, isBrowser, actor: accountActor(account.id) }
}

export function assertMay({ of: { tenant }, principal }: AccountCaller, action: Action): void {
  assertAuthorized(principal, action, resourceOf(tenant, action))
}
