import { PASSKEY_ALGORITHMS } from '../../kernel/index.ts'
import type { Passkey } from './ports.ts'
import type { RelyingParty } from './relying-party.ts'

/** How long a person has for a ceremony, in milliseconds: as long as its challenge is good. */
export const CEREMONY_MS = 2 * 60_000

const named = ({ credentialId, transports }: Passkey) =>
  ({ type: 'public-key', id: credentialId, transports: [...transports] }) as const

/**
 * `PublicKeyCredentialCreationOptionsJSON` of WebAuthn: a passkey that signs in by itself (resident), of an algorithm that every Node
 * verifies. User verification is `required` in both ceremonies: with `preferred` an authenticator that can verify, but did not, fails.
 */
export const creationOptions = (
  relyingParty: RelyingParty,
  challenge: string,
  user: { readonly handle: string; readonly name: string },
  existing: readonly Passkey[],
) => ({
  rp: { id: relyingParty.id, name: 'OAuth3' },
  user: { id: user.handle, name: user.name, displayName: user.name },
  challenge,
  pubKeyCredParams: PASSKEY_ALGORITHMS.map((alg) => ({ type: 'public-key', alg }) as const),
  timeout: CEREMONY_MS,
  // Without it a browser silently replaces the resident passkey that is there.
  excludeCredentials: existing.map(named),
  authenticatorSelection: {
    residentKey: 'required',
    requireResidentKey: true,
    userVerification: 'required',
  } as const,
  attestation: 'none' as const,
})

/** `PublicKeyCredentialRequestOptionsJSON`. `of`: empty for a sign-in, which names nobody's passkeys. */
export const requestOptions = (relyingParty: RelyingParty, challenge: string, of: readonly Passkey[]) => ({
  challenge,
  rpId: relyingParty.id,
  timeout: CEREMONY_MS,
  allowCredentials: of.map(named),
  userVerification: 'required' as const,
})

export type CreationOptions = ReturnType<typeof creationOptions>
export type RequestOptions = ReturnType<typeof requestOptions>
