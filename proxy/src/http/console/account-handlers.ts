import type { ConsoleRoutes, SessionView } from '../../contracts/console/index.ts'
import type { RouteHandlers } from '../../contracts/index.ts'
import {
  type AccessKey,
  type AccountDirectory,
  type AccountTenant,
  type Passwords,
  personOfAccount,
  type SignedInAccount,
  viewAccount,
} from '../../identity/accounts/index.ts'
import {
  type Action,
  assertAuthorized,
  type ProofMethod,
  resourceOf,
  type SessionId,
} from '../../identity/index.ts'
import { AppError, SecretValue } from '../../kernel/index.ts'
import { assertSignedIn, type ConsoleCall, type SessionAnswers } from './session-answers.ts'
import type { ConsoleTenant } from './tenant.ts'

export interface AccountDeps {
  readonly directory: AccountDirectory<ConsoleTenant>
  readonly passwords: Passwords
}

type Handled = Pick<
  RouteHandlers<ConsoleRoutes>,
  | (
      | 'readSignUp'
      | 'signUpByPassword'
      | 'signInByPassword'
      | 'signInByKey'
      | 'signUpOptions'
      | 'signUpByPasskey'
    )
  | ('stepUpByPassword' | 'readAccount' | 'setPassword' | 'addSignInKey' | 'removeSignInKey')
  | ('makeAccessKey' | 'revokeAccessKey')
>

const NOT_SIGNED_IN = 'The email address, the password or the key is not right.'

/** Ways in by an account, and what its person changes of it. */
export function accountHandlers(
  { directory, passwords }: AccountDeps,
  { place, caller }: ConsoleCall,
  { opened, refused, view }: SessionAnswers,
): Handled {
  const assertOpen = (): void => {
    if (directory.mode === 'closed')
      throw new AppError('refused', 'Accounts are closed here: OAUTH3_SIGNUP opens them.')
  }
  const sessionOf = async (
    signed: SignedInAccount<ConsoleTenant> | undefined,
    method: ProofMethod,
  ): Promise<SessionView> => {
    if (signed === undefined) throw await refused(NOT_SIGNED_IN)
    const { of, account } = signed
    const signIn = { person: personOfAccount(account), method, address: place.address }
    const session = await opened(of, (replaces) =>
      of.storage.transaction((tx) => of.sessions.open(tx, { ...signIn, replaces })),
    )
    if (session === undefined) throw await refused(NOT_SIGNED_IN)
    return session
  }
  /** Whose session it is, and whether they may. */
  const own = (action: Action): SignedInAccount<ConsoleTenant> & { readonly session: SessionId } => {
    const { of, by, session } = assertSignedIn(caller)
    assertAuthorized(by.principal, action, resourceOf(of.tenant, action))
    const account = session.person.kind === 'account' ? of.accounts.byId(session.person.id) : undefined
    if (account === undefined)
      throw new AppError(
        'not_found',
        'You are not signed in to an account; this console is of another person.',
      )
    return { of, account, session: session.id }
  }

  return {
    readSignUp: () => ({ mode: directory.mode, providers: [...directory.providers] }),
    async signUpByPassword({ body: { email, password, name } }) {
      const given = { email, password: new SecretValue(password), name: name ?? null }
      return await sessionOf(await directory.signUpByPassword(given, place.address), 'password')
    },
    async signInByPassword({ body: { email, password } }) {
      assertOpen()
      const given = { email, password: new SecretValue(password) }
      return await sessionOf(await directory.signInByPassword(given, place.address), 'password')
    },
    async signInByKey({ body: { provider, value } }) {
      assertOpen()
      const given = { provider, key: new SecretValue(value.trim()) }
      return await sessionOf(await directory.signInByKey(given, place.address), 'key')
    },
    signUpOptions: ({ body: { name } }) => directory.passkeyOptions(place.origin, name, place.address),
    async signUpByPasskey({ body: { credential } }) {
      const given = { origin: place.origin, label: 'sign-up', credential }
      return await sessionOf(await directory.signUpByPasskey(given, place.address), 'passkey')
    },

    async stepUpByPassword({ body: { password } }) {
      assertOpen()
      const { of, account, session } = own('account.read')
      const given = { email: account.email ?? '', password: new SecretValue(password) }
      if ((await directory.signInByPassword(given, place.address)) === undefined)
        throw await refused(NOT_SIGNED_IN)
      await of.storage.transaction((tx) => of.sessions.prove(tx, session, 'password'))
      const now = of.sessions.byId(session)
      if (now === undefined) throw new AppError('unauthenticated', 'The session is over.')
      return await view(of, now)
    },
    readAccount() {
      const { of, account } = own('account.read')
      const providerOf = new Map(of.providerKeys.list().map(({ id, provider }) => [id, provider]))
      return {
        ...viewAccount({ of, account }),
        sign_in_keys: of.accounts.signInKeys().flatMap(({ keyId, last4, createdAt }) => {
          const provider = providerOf.get(keyId)
          return provider === undefined ? [] : [{ key_id: keyId, provider, last4, created_at: createdAt }]
        }),
        access_keys: of.accounts.accessKeys().map((key) => viewKey(key, of)),
        providers: [...directory.providers],
      }
    },
    async setPassword({ body: { password } }) {
      const { of, account, session } = own('account.manage')
      if (account.email === null)
        throw new AppError(
          'conflict',
          'This account has no email address, by which a password would sign in.',
        )
      const hash = await passwords.hash(new SecretValue(password), {
        ...{ network: account.id, email: account.email },
      })
      return { ok: true as const, sessions: await of.accounts.setPassword(account.id, hash, session) }
    },
    async addSignInKey({ body: { provider, value } }) {
      const given = { provider, key: new SecretValue(value.trim()) }
      const { keyId, last4, shared } = await directory.keys.addSignInKey(
        own('account.manage'),
        given,
        place.address,
      )
      return { key_id: keyId, last4, shared }
    },
    async removeSignInKey({ params: { id } }) {
      await directory.keys.removeSignInKey(own('account.manage'), id)
      return { ok: true as const }
    },
    async makeAccessKey({ body: { name, scopes } }) {
      const { of, account } = own('account.manage')
      const wanted = { account: account.id, name, scopes: [...new Set(scopes)] }
      const { key, row } = await of.accounts.makeAccessKey(wanted, assertSignedIn(caller).by.actor)
      return { ...viewKey(row, of), key }
    },
    async revokeAccessKey({ params: { id } }) {
      const { of } = own('account.manage')
      if (!(await of.accounts.removeAccessKey(id, assertSignedIn(caller).by.actor)))
        throw new AppError('not_found', `No access key ${id}.`)
      return { ok: true as const }
    },
  }
}

const viewKey = (key: AccessKey, { accounts }: AccountTenant) => ({
  ...{ id: key.id, name: key.name, last4: key.last4, scopes: [...key.scopes] },
  ...{ created_at: key.createdAt, last_used_at: accounts.lastUsed(key) },
})
