import {
  type AccountId,
  AppError,
  type Clock,
  createOneAtATime,
  networkOf,
  newAccountId,
  type SecretValue,
  sha256Hex,
  type Tx,
} from '../../kernel/index.ts'
import { type Actor, accountActor, isMember } from '../index.ts'
import type { Passkeys } from '../passkeys/index.ts'
import type { AccountTenant, SignedInAccount } from './account-tenant.ts'
import { assertEmail, canonicalEmail } from './email.ts'
import { fingerprintOf } from './fingerprint.ts'
import type { Passwords } from './passwords.ts'
import type { Account } from './ports.ts'
import { attachKey, createUserKeys, type UserKeys } from './user-keys.ts'

type SignUpMode = 'closed' | 'provider-key' | 'password' | 'passkey'

/** What the vendor says of a key. `unknown`: it could not be told, which is never taken for a yes. */
type KeyVerdict = 'valid' | 'refused' | 'unknown'

interface ByKey<T> extends SignedInAccount<T> {
  readonly isNew: boolean
  readonly last4: string
}

/** Everybody who signed up, whichever tenant is theirs. */
export interface AccountDirectory<T extends AccountTenant> {
  readonly mode: SignUpMode
  /** Throws conflict for an address that somebody has, or is invited by. */
  signUpByPassword(
    given: { readonly email: string; readonly password: SecretValue; readonly name: string | null },
    address: string,
  ): Promise<SignedInAccount<T>>
  /** Undefined: nobody, in the same time whatever was wrong. */
  signInByPassword(
    given: { readonly email: string; readonly password: SecretValue },
    address: string,
  ): Promise<SignedInAccount<T> | undefined>
  /** Signs in, and where the mode says so up. Undefined: the vendor refused the key. Throws where the vendor cannot tell. */
  signInByKey(
    given: { readonly provider: string; readonly key: SecretValue },
    address: string,
  ): Promise<ByKey<T> | undefined>
  readonly keys: UserKeys<T>
  passkeyOptions(origin: string, name: string, address: string): ReturnType<Passkeys['signUps']['options']>
  signUpByPasskey(
    given: { readonly origin: string; readonly label: string } & {
      readonly credential: Parameters<Passkeys['signUps']['verify']>[2]
    },
    address: string,
  ): Promise<SignedInAccount<T>>
  /** For the owner of the host: an account that only a link opens. */
  invite(email: string, actor: Actor): Promise<SignedInAccount<T>>
  all(): readonly SignedInAccount<T>[]
  find(emailOrId: string): SignedInAccount<T> | undefined
  /** Whose keys can sign in. */
  readonly providers: readonly string[]
  /** Throws rate_limited: ten sign-ins an address and minute. */
  takeSignIn(address: string): Promise<void>
}

interface DirectoryDeps<T extends AccountTenant> {
  readonly mode: SignUpMode
  /** The installation's own first; nobody has signed up for that one. */
  readonly tenants: () => readonly T[]
  /** `prepare` is done before anything of the tenant counts: one that a crash leaves half made is nobody's, and goes. */
  readonly makeTenant: (actor: Actor, prepare: (of: T) => Promise<void>) => Promise<T>
  /** Throws where there may be no more of them, or the disk is low. */
  readonly assertRoom: () => Promise<void>
  readonly checkKey: (provider: string, key: SecretValue) => Promise<KeyVerdict>
  readonly providers: readonly string[]
  readonly passwords: Passwords
  readonly limits: { take(limit: 'sign_in' | 'sign_up' | 'account', key: string): Promise<void> }
  readonly clock: Clock
}

const KEY = /^[\x21-\x7e]{8,512}$/

export function createAccountDirectory<T extends AccountTenant>(deps: DirectoryDeps<T>): AccountDirectory<T> {
  const { mode, passwords, limits, clock } = deps
  /** Uniqueness over tenants: one daemon has the database, and in it one sign-up comes after the other. */
  const inTurn = createOneAtATime()

  const first = (): T => deps.tenants()[0] as T
  const found = (of: T, account: Account | undefined): SignedInAccount<T> | undefined =>
    account && { of, account }
  const byEmail = (email: string): SignedInAccount<T> | undefined =>
    deps.tenants().flatMap((of) => found(of, of.accounts.byEmail(email)) ?? [])[0]
  const byFingerprint = (fingerprint: string): SignedInAccount<T> | undefined =>
    deps.tenants().flatMap((of) => {
      const key = of.accounts.signInKeys().find((one) => one.fingerprint === fingerprint)
      // A provider key that was removed signs in nobody.
      if (key === undefined || !of.providerKeys.has(key.keyId)) return []
      return found(of, of.accounts.byId(key.accountId)) ?? []
    })[0]
  const assertMode = (wanted: SignUpMode): void => {
    if (mode !== wanted)
      throw new AppError('refused', 'Nobody signs up here this way; ask the owner for an invitation.')
  }
  const takeSignIn = (address: string): Promise<void> => limits.take('sign_in', networkOf(address))

  /** Inside `inTurn`. */
  const make = async (
    account: Account,
    how: string,
    actor: Actor,
    also: (tx: Tx, of: T) => Promise<void> = async () => {},
  ): Promise<SignedInAccount<T>> => {
    await deps.assertRoom()
    const of = await deps.makeTenant(actor, (tenant) =>
      tenant.storage.transaction(async (tx) => {
        await tenant.accounts.insert(tx, account, how, actor)
        await also(tx, tenant)
      }),
    )
    return { of, account }
  }
  const newAccount = (of: Partial<Account> & Pick<Account, 'name'>): Account => ({
    ...{ id: newAccountId(), email: null, password: null, createdAt: clock.now() },
    ...of,
  })
  const checked = async (provider: string, key: SecretValue): Promise<boolean> => {
    if (!KEY.test(key.open())) return false
    const verdict = await deps.checkKey(provider, key)
    if (verdict === 'unknown')
      throw new AppError(
        'provider_unavailable',
        `${provider} cannot say now whether the key is good: try again later, or see that it is a key of ${provider}.`,
        {
          retryAfterSeconds: 30,
        },
      )
    return verdict === 'valid'
  }
  return {
    mode,
    providers: deps.providers,
    all: () => deps.tenants().flatMap((of) => of.accounts.list().map((account) => ({ of, account }))),
    takeSignIn,
    async signUpByPassword({ email: given, password, name }, address) {
      assertMode('password')
      await takeSignIn(address)
      const email = assertEmail(given)
      // Costly whether or not the address is taken.
      const hash = await passwords.hash(password, { network: networkOf(address), email })
      return await inTurn(async () => {
        if (byEmail(email) !== undefined)
          throw new AppError(
            'conflict',
            'This address cannot sign up: it has an account here, or an invitation.',
          )
        await limits.take('sign_up', networkOf(address))
        const account = newAccount({ email, password: hash, name: name ?? email })
        return await make(account, 'password', accountActor(account.id))
      })
    },
    async signInByPassword({ email: given, password }, address) {
      await takeSignIn(address)
      const email = canonicalEmail(given)
      await limits.take('account', sha256Hex(email ?? given))
      const known = email === undefined ? undefined : byEmail(email)
      const matches = await passwords.matches(password, known?.account.password ?? null, networkOf(address))
      if (!matches || known === undefined) return undefined
      const { of, account } = known
      return isMember(of.memberships, of.tenant, accountActor(account.id)) ? known : undefined
    },
    async signInByKey({ provider, key }, address) {
      await takeSignIn(address)
      if (!(await checked(provider, key))) return undefined
      const fingerprint = fingerprintOf(provider, key)
      const last4 = key.open().slice(-4)
      const known = byFingerprint(fingerprint)
      if (known !== undefined) return { ...known, last4, isNew: false }
      assertMode('provider-key')
      return await inTurn(async () => {
        const meanwhile = byFingerprint(fingerprint)
        if (meanwhile !== undefined) return { ...meanwhile, last4, isNew: false }
        await limits.take('sign_up', networkOf(address))
        const account = newAccount({ name: `${provider} …${last4}` })
        const made = await make(account, 'provider-key', accountActor(account.id), async (tx, of) => {
          await attachKey(tx, { of, account }, { provider, key }, true)
        })
        return { ...made, last4, isNew: true }
      })
    },
    keys: createUserKeys<T>({
      ...{ inTurn, takeSignIn, byFingerprint },
      isGood: ({ provider, key }) => checked(provider, key),
    }),
    async passkeyOptions(origin, name, address) {
      assertMode('passkey')
      await takeSignIn(address)
      return await first().passkeys.signUps.options(origin, accountActor(newAccountId()), name)
    },
    async signUpByPasskey({ origin, label, credential }, address) {
      assertMode('passkey')
      const passkey = await first().passkeys.signUps.verify(origin, label, credential)
      return await inTurn(async () => {
        await limits.take('sign_up', networkOf(address))
        const id = passkey.person.slice('account:'.length) as AccountId
        const account = newAccount({ id, name: passkey.name })
        return await make(account, 'passkey', accountActor(id), (tx, of) =>
          of.passkeys.signUps.keep(tx, passkey),
        )
      })
    },
    invite: (given, actor) =>
      inTurn(async () => {
        const email = assertEmail(given)
        if (byEmail(email) !== undefined)
          throw new AppError(
            'conflict',
            'This address has an account. If you invited it, oauth3 account link gives another link. If it signed up by itself, nobody has verified whose it is: invite another address, or remove its tenant first.',
          )
        return await make(newAccount({ email, name: email }), 'invitation', actor)
      }),
    find(emailOrId) {
      const email = canonicalEmail(emailOrId)
      if (email !== undefined) return byEmail(email)
      return deps.tenants().flatMap((of) => found(of, of.accounts.byId(emailOrId)) ?? [])[0]
    },
  }
}
