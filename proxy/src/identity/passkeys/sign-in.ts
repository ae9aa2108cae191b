import type { AccountId } from '../../kernel/index.ts'
import { parseActor, type SessionPerson } from '../index.ts'
import type { RequestOptions } from './options.ts'
import type { Passkeys, VerifiedAssertion } from './passkeys.ts'
import type { Passkey } from './ports.ts'
import type { AssertionJson } from './webauthn.ts'

/** Those who sign in with a passkey say neither name nor tenant: both are found by the passkey. */
export interface PasskeySignIn<T> {
  options(origin: string): Promise<RequestOptions>
  /** Undefined: nobody, for whichever reason. The assertion is not accepted yet. */
  verify(
    sent: AssertionJson,
    origin: string,
  ): Promise<
    { readonly of: T; readonly person: SessionPerson; readonly assertion: VerifiedAssertion } | undefined
  >
}

interface WithPasskeys {
  readonly passkeys: Passkeys
}

/** `tenants`: those that are served; the challenges are the first one's. */
export function createPasskeySignIn<T extends WithPasskeys>(tenants: () => readonly T[]): PasskeySignIn<T> {
  const first = (): Passkeys => (tenants()[0] as T).passkeys
  return {
    options: (origin) => first().signInOptions(origin),
    async verify(sent, origin) {
      const challenge = await first().signIns.burn(sent)
      if (challenge === undefined) return undefined
      const found = await Promise.all(
        tenants().map(async (of) => ({ of, passkey: await of.passkeys.signIns.find(sent.id) })),
      )
      const known = found.flatMap(({ of, passkey }) => (passkey === undefined ? [] : [{ of, passkey }]))
      // Enumeration: an unknown passkey takes the work, and so the time, of a known one.
      if (known.length === 0) await first().signIns.verify({ challenge, origin }, nobody(sent), sent)
      // An authenticator chooses its ids: one of another tenant's may have the same, and holds nobody up by it.
      for (const { of, passkey } of known) {
        const assertion = await of.passkeys.signIns.verify({ challenge, origin }, passkey, sent)
        const person = personOf(passkey)
        if (assertion && person) return { of, assertion, person }
      }
      return undefined
    },
  }
}

function personOf({ person, name }: Passkey): SessionPerson | undefined {
  const parsed = parseActor(person)
  if (parsed?.kind === 'cli') return { kind: 'owner', uid: parsed.id, name }
  if (parsed?.kind === 'account') return { kind: 'account', id: parsed.id as AccountId, name }
  return parsed?.kind === 'telegram' ? { kind: 'approver', id: parsed.id, name } : undefined
}

/** The base point of P-256 as a COSE_Key: whatever it would verify counts for nothing. */
const NOBODYS_KEY = Buffer.from(
  `a5010203262001215820${'6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296'}225820${'4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5'}`,
  'hex',
)

const nobody = ({ id, response }: AssertionJson): Passkey => ({
  ...{
    credentialId: id,
    person: 'daemon',
    name: '',
    userHandle: response.userHandle ?? '',
    publicKey: NOBODYS_KEY,
  },
  ...{ counter: 0, transports: [], label: '', createdAt: 0, lastUsedAt: null },
})
