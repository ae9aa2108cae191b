import { AppError, type OneAtATime, type SecretValue, type Tx } from '../../kernel/index.ts'
import { accountActor } from '../index.ts'
import type { AccountTenant, SignedInAccount } from './account-tenant.ts'
import { fingerprintOf } from './fingerprint.ts'

export interface GivenKey {
  readonly provider: string
  readonly key: SecretValue
}

export interface StoredKey {
  readonly keyId: number
  readonly last4: string
  /** Somebody else here signs in with the same key, which shows access to an account at the vendor and not a person. */
  readonly shared: boolean
}

/** Who changes a key. */
interface KeyChanger {
  readonly address: string
  /** Whether they have just proved that they are the person: else what signs in stays as it is, whatever a program's key may do. */
  readonly isProved: boolean
}

/** Keys at providers that an account brought: they are its tenant's, and some sign it in. The account is none of them. */
export interface UserKeys<T> {
  /** One more key that signs this account in. */
  addSignInKey(of: SignedInAccount<T>, given: GivenKey, address: string): Promise<StoredKey>
  /** In the place of those of the same provider; where one of them signs in, this does from now on. Throws as `remove`. */
  put(of: SignedInAccount<T>, given: GivenKey, by: KeyChanger): Promise<StoredKey>
  /** Throws not_found, conflict for the last thing that signs the account in, refused for what signs in where nothing was proved. */
  remove(of: SignedInAccount<T>, provider: string, by: Pick<KeyChanger, 'isProved'>): Promise<void>
  /** That a key signs in, not the key. Throws as `remove`. */
  removeSignInKey(of: SignedInAccount<T>, keyId: number): Promise<void>
}

export function createUserKeys<T extends AccountTenant>(deps: {
  readonly inTurn: OneAtATime
  readonly takeSignIn: (address: string) => Promise<void>
  /** Throws where the vendor cannot tell. */
  readonly isGood: (given: GivenKey) => Promise<boolean>
  readonly byFingerprint: (fingerprint: string) => SignedInAccount<T> | undefined
}): UserKeys<T> {
  const assertGood = async (given: GivenKey, address: string): Promise<void> => {
    await deps.takeSignIn(address)
    if (await deps.isGood(given)) return
    throw new AppError('refused', 'The provider refuses this key.', { details: { reason: 'key_refused' } })
  }
  /** Inside `inTurn`. */
  const holderOf = ({ provider, key }: GivenKey, { account }: SignedInAccount<T>) => {
    const other = deps.byFingerprint(fingerprintOf(provider, key))
    return { isFree: other === undefined, shared: other !== undefined && other.account.id !== account.id }
  }
  const brought = ({ of }: SignedInAccount<T>, provider: string) =>
    of.providerKeys.list().filter((key) => key.provider === provider && key.isBrought)
  const signsIn = ({ of }: SignedInAccount<T>, keyId: number): boolean =>
    of.accounts.signInKeys().some((key) => key.keyId === keyId)
  /** Privilege escalation: a key that replaces one that signs in is a way in, which no program's scope is. */
  const signInAmong = (
    signed: SignedInAccount<T>,
    keys: readonly Held[],
    { isProved }: Pick<KeyChanger, 'isProved'>,
  ): boolean => {
    const isSignIn = keys.some(({ id }) => signsIn(signed, id))
    if (isSignIn && !isProved)
      throw new AppError('refused', 'This key signs you in: sign in again, then change it.', {
        details: { reason: 'step_up_required' },
      })
    return isSignIn
  }
  /** Whoever has no other way in would lose all that they have. */
  const assertOtherWay = async ({ of, account }: SignedInAccount<T>, gone: readonly number[]) => {
    const keys = of.accounts.signInKeys().filter(({ keyId }) => of.providerKeys.has(keyId))
    const isLast =
      account.password === null &&
      keys.every(({ keyId }) => gone.includes(keyId)) &&
      keys.length > 0 &&
      (await of.passkeys.list(accountActor(account.id))).length === 0
    if (isLast)
      throw new AppError(
        'conflict',
        'Nothing else signs you in: add a passkey, a password or another key first.',
      )
  }

  return {
    async addSignInKey(signed, given, address) {
      await assertGood(given, address)
      return await deps.inTurn(async () => {
        const { isFree, shared } = holderOf(given, signed)
        const stored = await signed.of.storage.transaction((tx) => attachKey(tx, signed, given, isFree))
        return { ...stored, shared }
      })
    },
    async put(signed, given, by) {
      const { of } = signed
      const isSignIn = signInAmong(signed, brought(signed, given.provider), by)
      if (isSignIn) await assertGood(given, by.address)
      return await deps.inTurn(async () => {
        const before = brought(signed, given.provider)
        // What signs in may have changed while the vendor was asked.
        if (signInAmong(signed, before, by) !== isSignIn)
          throw new AppError('conflict', 'The keys were changed meanwhile; try again.')
        const { isFree, shared } = holderOf(given, signed)
        const takesOver = isSignIn && (isFree || !shared)
        if (isSignIn && !takesOver) await assertOtherWay(signed, idsOf(before))
        const stored = await of.storage.transaction(async (tx) => {
          await dropKeys(tx, signed, before)
          return await attachKey(tx, signed, given, takesOver)
        })
        return { ...stored, shared }
      })
    },
    async remove(signed, provider, by) {
      await deps.inTurn(async () => {
        const keys = brought(signed, provider)
        if (keys.length === 0) throw new AppError('not_found', 'There is no key of this provider.')
        if (signInAmong(signed, keys, by)) await assertOtherWay(signed, idsOf(keys))
        await signed.of.storage.transaction((tx) => dropKeys(tx, signed, keys))
      })
    },
    async removeSignInKey(signed, keyId) {
      await deps.inTurn(async () => {
        const { of, account } = signed
        if (signsIn(signed, keyId)) await assertOtherWay(signed, [keyId])
        const removed = await of.storage.transaction((tx) =>
          of.accounts.removeSignInKey(tx, keyId, accountActor(account.id)),
        )
        if (!removed) throw new AppError('not_found', 'There is no such key that signs you in.')
      })
    },
  }
}

interface Held {
  readonly id: number
}

const idsOf = (keys: readonly Held[]): number[] => keys.map(({ id }) => id)

/** Into the tenant's provider keys, sealed; and by its fingerprint among what signs in. */
export async function attachKey<T extends AccountTenant>(
  tx: Tx,
  { of, account }: SignedInAccount<T>,
  { provider, key }: GivenKey,
  isSignIn: boolean,
): Promise<Omit<StoredKey, 'shared'>> {
  const actor = accountActor(account.id)
  const last4 = key.open().slice(-4)
  const { id: keyId } = await of.providerKeys.add(tx, provider, key, actor)
  if (isSignIn) {
    const fingerprint = fingerprintOf(provider, key)
    await of.accounts.addSignInKey(tx, { fingerprint, accountId: account.id, keyId, last4 }, actor)
  }
  return { keyId, last4 }
}

async function dropKeys<T extends AccountTenant>(
  tx: Tx,
  { of, account }: SignedInAccount<T>,
  keys: readonly Held[],
): Promise<void> {
  const actor = accountActor(account.id)
  for (const { id } of keys) {
    await of.accounts.removeSignInKey(tx, id, actor)
    await of.providerKeys.remove(tx, id, actor)
  }
}
