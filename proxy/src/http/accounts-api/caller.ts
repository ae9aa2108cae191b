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
  type Principal,
  resourceOf,
} from '../../identity/index.ts'
import type { Session } from '../../identity/sessions/index.ts'
import type { TicketHolder } from '../../identity/tickets/index.ts'
import { AppError, sha256Hex, TOKEN_PREFIX } from '../../kernel/index.ts'
import { type ConsoleTenant, callerNow } from '../console/index.ts'

export interface AccountCaller extends SignedInAccount<ConsoleTenant> {
  readonly principal: AccountPrincipal
  readonly actor: Actor
  /** Null for a program with an access key. */
  readonly session: Session | null
  /** The id of that key; null for a session. */
  readonly accessKey: string | null
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
  if (token.startsWith(TOKEN_PREFIX.access_key)) return ofAccessKey(tenants, sha256Hex(token), scope)
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
    return admitted(of, of.accounts.byId(session.person.id), { session, accessKey: null, isBrowser })
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
    return admitted(of, of.accounts.byId(key.accountId), byKey(key.id))
  }
  return undefined
}

const byKey = (accessKey: string) => ({ session: null, accessKey, isBrowser: false })

function admitted(
  of: ConsoleTenant,
  account: Account | undefined,
  by: Pick<AccountCaller, 'session' | 'accessKey' | 'isBrowser'>,
): AccountCaller | undefined {
  const principal = account && accountOf(of.memberships, of.tenant, account)
  if (account === undefined || principal === undefined) return undefined
  return { of, account, principal, ...by, actor: accountActor(account.id) }
}

export interface SignedIn<T> {
  readonly of: T
  readonly principal: Principal
  readonly actor: Actor
}

/** Whose a ticket is by now, an owner's or approver's session too; undefined for nobody's. */
export function signedInNow(
  of: ConsoleTenant,
  holder: TicketHolder,
  scope: AccountScope,
): SignedIn<ConsoleTenant> | undefined {
  if (holder.kind === 'session') {
    const session = of.sessions.byId(holder.session)
    const by = session && callerNow({ of, session }, null)?.by
    return by && { of, principal: by.principal, actor: by.actor }
  }
  if (holder.kind !== 'access_key') return undefined
  const key = of.accounts.accessKeys().find(({ id }) => id === holder.accessKey)
  if (key === undefined || (scope !== 'anyone' && !key.scopes.includes(scope))) return undefined
  return admitted(of, of.accounts.byId(key.accountId), byKey(key.id))
}

/** Throws where whoever has a ticket is not that account any more, or may not by now. */
export function assertStill(
  tenants: readonly ConsoleTenant[],
  holder: TicketHolder,
  {
    actor,
    scope,
    action,
  }: Pick<AccountCaller, 'actor'> & { readonly scope: AccountScope; readonly action: Action },
): void {
  const of = tenants.find(({ tenant }) => tenant === holder.tenant)
  const now = of && signedInNow(of, holder, scope)
  if (now === undefined || now.actor !== actor)
    throw new AppError('unauthenticated', 'You are not signed in any more.')
  assertAuthorized(now.principal, action, resourceOf(now.of.tenant, action))
}

/** By what it would take a ticket; of an access token it is the session behind it: what ends that, ends what a ticket opened. */
export function holderOf({ of: { tenant }, session, accessKey }: AccountCaller): TicketHolder {
  if (session !== null) return { kind: 'session', tenant, session: session.id }
  return { kind: 'access_key', tenant, accessKey: accessKey ?? '' }
}

export function assertMay({ of: { tenant }, principal }: AccountCaller, action: Action): void {
  assertAuthorized(principal, action, resourceOf(tenant, action))
}
