import type { ServerResponse } from 'node:http'
import type { AccountRoutes } from '../../contracts/accounts/index.ts'
import type { RouteHandlers } from '../../contracts/index.ts'
import {
  type AccessTokens,
  type AccountDirectory,
  personOfAccount,
  type SignedInAccount,
} from '../../identity/accounts/index.ts'
import { accountActor, type ProofMethod, type SessionId } from '../../identity/index.ts'
import { AppError, SecretValue, sessionOfRefreshToken } from '../../kernel/index.ts'
import type { ConsoleTenant, PageTicketDeps } from '../console/index.ts'
import { botHandlers } from './bot-handlers.ts'
import type { AccountCaller } from './caller.ts'
import { debugHandlers } from './debug-handlers.ts'
import { fileHandlers } from './file-handlers.ts'
import { instanceHandlers } from './instance-handlers.ts'
import type { ApiPlace } from './place.ts'

export interface HandlerDeps extends PageTicketDeps {
  readonly tenants: () => readonly ConsoleTenant[]
  readonly directory: AccountDirectory<ConsoleTenant>
  readonly accessTokens: AccessTokens
}

export interface AccountCall {
  readonly place: ApiPlace
  readonly caller: AccountCaller | undefined
  readonly response: ServerResponse
}

type Signed = SignedInAccount<ConsoleTenant>

const NOT_SIGNED_IN = 'The email address, the password or the key is not right.'

/** `current`: known once the caller is. */
export function accountHandlers(deps: HandlerDeps, current: () => AccountCall): RouteHandlers<AccountRoutes> {
  const { directory } = deps
  const address = (): string => current().place.address
  const signedIn = (): AccountCaller => {
    const { caller } = current()
    if (caller === undefined) throw new AppError('unauthenticated', 'Sign in: POST /api/auth/login.')
    return caller
  }
  /** Starvation: changes wait in one line with every sign-up, and each is a row of the audit. */
  const takeWrite = ({ of, account }: AccountCaller, what: string): Promise<void> =>
    of.gate.take('account', `${what} of ${account.id}`)
  const changer = ({ of, session }: AccountCaller) => ({
    address: address(),
    isProved: session !== null && of.sessions.steppedUpBy(session) !== null,
  })
  const machinesChanger = async (): Promise<AccountCaller> => {
    const caller = signedIn()
    const { of, session, isBrowser } = caller
    // As for the same acts in the console (`hosted_agent.manage`).
    if (isBrowser && (session === null || of.sessions.steppedUpBy(session) === null))
      throw new AppError('refused', 'Prove again who you are, then repeat it.', {
        details: { reason: 'step_up_required' },
      })
    await takeWrite(caller, 'machines')
    return caller
  }
  /** A session of its own for each sign-in (session fixation): none that the browser had goes on. */
  const opened = async ({ of, account }: Signed, method: ProofMethod) => {
    const call = current()
    const { place } = call
    const { session, cookie, refresh } = await of.storage.transaction(async (tx) => {
      await tx.accounts.pruneRefreshTokens()
      const made = await of.sessions.open(tx, {
        ...{ person: personOfAccount(account), method, address: place.address },
        replaces: replacedBy(call, of),
      })
      return { ...made, refresh: await of.accounts.issueRefresh(tx, made.session.id) }
    })
    place.setCookie(call.response, cookie)
    return tokensOf({ of, account }, session.id, refresh)
  }
  const tokensOf = (signed: Signed, session: SessionId, refresh: string) => {
    const subject = signed.account.id
    const { token, seconds } = deps.accessTokens.sign({ session, subject })
    return {
      ...{ access_token: token, refresh_token: refresh, token_type: 'bearer' as const },
      ...{ expires_in: seconds, user: userOf(signed) },
    }
  }
  const sessionView = ({ of, account }: Signed) => ({
    userHash: account.id,
    keyLast4: of.accounts.signInKeys().findLast(({ accountId }) => accountId === account.id)?.last4 ?? null,
    models: [],
  })
  const stored = async (provider: string, key: string, mustBeThere: boolean) => {
    const caller = signedIn()
    if (mustBeThere && !keysOf(caller).some((one) => one.provider === provider))
      throw new AppError('not_found', 'There is no key of this provider.')
    await takeWrite(caller, 'keys')
    const { shared } = await directory.keys.put(
      caller,
      { provider, key: new SecretValue(key) },
      changer(caller),
    )
    const view = keysOf(caller).find((one) => one.provider === provider)
    if (view === undefined) throw new AppError('conflict', 'The key was removed meanwhile.')
    return { ...view, shared }
  }

  return {
    ...instanceHandlers(signedIn, machinesChanger, deps),
    ...botHandlers(signedIn, machinesChanger),
    ...debugHandlers(signedIn, takeWrite),
    ...fileHandlers(signedIn, takeWrite),
    async signUp({ body: { email, password, name } }) {
      const given = { email, password: new SecretValue(password), name: name ?? null }
      return await opened(await directory.signUpByPassword(given, address()), 'password')
    },
    async logIn({ body }) {
      const signed =
        'email' in body
          ? await directory.signInByPassword(
              { email: body.email, password: new SecretValue(body.password) },
              address(),
            )
          : await directory.signInByKey(
              {
                provider: body.provider,
                key: new SecretValue(('apiKey' in body ? body.apiKey : body.api_key).trim()),
              },
              address(),
            )
      if (signed === undefined) throw new AppError('unauthenticated', NOT_SIGNED_IN)
      const tokens = await opened(signed, 'email' in body ? 'password' : 'key')
      return { ok: true as const, ...tokens, ...sessionView(signed) }
    },
    async refresh({ body: { refresh_token: token } }) {
      const of = deps.tenants().find(({ accounts }) => accounts.hasFamily(token))
      // Each leaves a row as long as its session is.
      await of?.gate.take('account', `refresh of ${sessionOfRefreshToken(token)}`)
      const next = await of?.accounts.refresh(token)
      const session = next && of?.sessions.byId(next.session)
      const account = session?.person.kind === 'account' ? of?.accounts.byId(session.person.id) : undefined
      if (of === undefined || next === undefined || account === undefined)
        throw new AppError('unauthenticated', 'The refresh token is over; sign in again.')
      return tokensOf({ of, account }, next.session, next.refresh)
    },
    me() {
      const caller = signedIn()
      return { ...userOf(caller), authenticated: true as const, ...sessionView(caller) }
    },
    async logOut({ body: { refresh_token: token } }) {
      const { caller, place, response } = current()
      if (caller?.session) await caller.of.sessions.end(caller.session.id, caller.actor, 'signed_out')
      const of =
        token === undefined ? undefined : deps.tenants().find(({ accounts }) => accounts.hasFamily(token))
      // Burnt like any other: who holds a token that was used before ends the family by it too.
      const next = token === undefined ? undefined : await of?.accounts.refresh(token)
      const session = next && of?.sessions.byId(next.session)
      if (session?.person.kind === 'account')
        await of?.sessions.end(session.id, accountActor(session.person.id), 'signed_out')
      place.setCookie(response, '')
      return { ok: true as const }
    },
    listKeys() {
      const keys = keysOf(signedIn())
      return { api_keys: keys, providers: keys.map(({ provider }) => provider) }
    },
    storeKey: ({ body: { provider, api_key } }) => stored(provider, api_key, false),
    replaceKey: ({ params: { provider }, body: { api_key } }) => stored(provider, api_key, true),
    async removeKey({ params: { provider } }) {
      const caller = signedIn()
      await takeWrite(caller, 'keys')
      await directory.keys.remove(caller, provider, changer(caller))
      return { ok: true as const }
    },
  }
}

const userOf = ({ of, account }: Signed) => ({
  ...{ id: account.id, email: account.email, name: account.name, tenant: of.name },
  created_at: new Date(account.createdAt).toISOString(),
})

const keysOf = ({ of }: Signed) =>
  of.providerKeys
    .list()
    .filter(({ isBrought }) => isBrought)
    .map(({ id, provider, last4, createdAt }) => ({
      ...{ provider, last4, created_at: new Date(createdAt).toISOString() },
      signs_in: of.accounts.signInKeys().some(({ keyId }) => keyId === id),
    }))

/** The session that the browser had, if it is of the same tenant. */
const replacedBy = ({ caller, place }: AccountCall, of: ConsoleTenant): SessionId | null =>
  place.hasCookies && caller?.of === of ? (caller.session?.id ?? null) : null
