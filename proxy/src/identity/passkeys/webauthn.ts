import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto'
import { algorithmOf, PASSKEY_ALGORITHMS } from '../../kernel/index.ts'
import type { Passkey } from './ports.ts'
import type { RelyingParty } from './relying-party.ts'

/**
 * WebAuthn's two ceremonies, level 3 of W3C's text, by @simplewebauthn/server, and what that library leaves to its caller: which
 * attestation may be looked at, that the credential is the one that was named, that no other origin's frame asked. Loaded at the
 * first ceremony, as it takes 25 MB. It keeps no state: whoever calls has burnt the challenge before.
 */

/** What a browser sends for `navigator.credentials.create`, as `toJSON()` has it; further members are dropped. */
export interface RegistrationJson {
  readonly id: string
  readonly rawId: string
  readonly type: 'public-key'
  readonly response: {
    readonly clientDataJSON: string
    readonly attestationObject: string
    readonly transports?: readonly string[] | undefined
  }
}

/** Of `navigator.credentials.get`. */
export interface AssertionJson {
  readonly id: string
  readonly rawId: string
  readonly type: 'public-key'
  readonly response: {
    readonly clientDataJSON: string
    readonly authenticatorData: string
    readonly signature: string
    readonly userHandle?: string | null | undefined
  }
}

interface Asked {
  /** base64url, as it was given out. */
  readonly challenge: string
  readonly relyingParty: RelyingParty
}

export interface NewCredential {
  readonly credentialId: string
  readonly publicKey: Uint8Array
  readonly counter: number
  readonly transports: readonly string[]
}

const CHALLENGE_BYTES = 32
/** `internal`, `hybrid`, `smart-card`: names that go back to a browser. */
const TRANSPORT = /^[a-z0-9-]{1,32}$/
const MAX_TRANSPORTS = 8

/** The challenge that a response says it answers; undefined for a response that says none of ours. Nothing is verified by it. */
export function challengeIn(clientDataJson: string): string | undefined {
  const { challenge } = clientDataOf(clientDataJson) ?? {}
  return typeof challenge === 'string' && isChallenge(challenge) ? challenge : undefined
}

/** The library takes any length for one, none among them. */
const isChallenge = (text: string): boolean =>
  /^[\w-]{43}$/.test(text) && Buffer.from(text, 'base64url').length === CHALLENGE_BYTES

function clientDataOf(text: string): Record<string, unknown> | undefined {
  try {
    const read: unknown = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'))
    return typeof read === 'object' && read !== null ? (read as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}

/** A frame of another origin's page is no place to ask in; the library lets it pass where the browser does not name the page. */
const isOfOnePage = (clientDataJson: string): boolean =>
  (clientDataOf(clientDataJson)?.crossOrigin ?? false) === false

/** Undefined for whatever is not a new credential for just this challenge, origin and relying party, with its person verified. */
export async function verifyRegistration(
  sent: RegistrationJson,
  { challenge, relyingParty }: Asked,
): Promise<NewCredential | undefined> {
  if (!isChallenge(challenge) || !isOfOnePage(sent.response.clientDataJSON)) return undefined
  const [{ verifyRegistrationResponse }, { decodeAttestationObject }] = await Promise.all([
    import('@simplewebauthn/server'),
    import('@simplewebauthn/server/helpers'),
  ])
  try {
    const attestation = decodeAttestationObject(Buffer.from(sent.response.attestationObject, 'base64url'))
    // Attestation was not asked for: X.509 from outside is not parsed, and no list of revoked certificates is fetched that one names.
    const isBare =
      attestation.get('fmt') === 'none' ||
      (attestation.get('fmt') === 'packed' && attestation.get('attStmt').get('x5c') === undefined)
    if (!isBare) return undefined
    const { verified, registrationInfo } = await verifyRegistrationResponse({
      response: { ...sent, response: withTransports(sent), clientExtensionResults: {} },
      expectedChallenge: challenge,
      expectedOrigin: relyingParty.origin,
      expectedRPID: relyingParty.id,
      requireUserVerification: true,
      supportedAlgorithmIDs: [...PASSKEY_ALGORITHMS],
    })
    if (!verified || registrationInfo.credential.id !== sent.id) return undefined
    const { id, publicKey, counter } = registrationInfo.credential
    if (algorithmOf(await publicKeyOf(publicKey)) === undefined) return undefined
    return { credentialId: id, publicKey, counter, transports: withTransports(sent).transports }
  } catch {
    return undefined
  }
}

const withTransports = ({ response }: RegistrationJson) => ({
  ...response,
  transports: [...new Set(response.transports ?? [])]
    .filter((name) => TRANSPORT.test(name))
    .slice(0, MAX_TRANSPORTS),
})

/**
 * The counter that the authenticator signed; undefined for whatever is not an assertion of this passkey for just this challenge, origin
 * and relying party, with its person verified. A wrong signature and a counter that did not grow are the same.
 */
export async function verifyAssertion(
  sent: AssertionJson,
  passkey: Pick<Passkey, 'credentialId' | 'publicKey' | 'counter' | 'userHandle'>,
  { challenge, relyingParty }: Asked,
): Promise<{ readonly counter: number } | undefined> {
  if (!isChallenge(challenge) || !isOfOnePage(sent.response.clientDataJSON)) return undefined
  const { userHandle } = sent.response
  if (sent.id !== passkey.credentialId || (userHandle ?? passkey.userHandle) !== passkey.userHandle)
    return undefined
  const { verifyAuthenticationResponse } = await import('@simplewebauthn/server')
  try {
    const { verified, authenticationInfo } = await verifyAuthenticationResponse({
      response: {
        ...sent,
        response: { ...sent.response, userHandle: passkey.userHandle },
        clientExtensionResults: {},
      },
      expectedChallenge: challenge,
      expectedOrigin: relyingParty.origin,
      expectedRPID: relyingParty.id,
      requireUserVerification: true,
      credential: {
        id: passkey.credentialId,
        publicKey: Uint8Array.from(passkey.publicKey),
        counter: passkey.counter,
      },
    })
    return verified && authenticationInfo.userVerified
      ? { counter: authenticationInfo.newCounter }
      : undefined
  } catch {
    return undefined
  }
}

/** Of a COSE_Key (RFC 9053, 7). Throws for one of another kind than WebAuthn's three usual ones. */
export async function publicKeyOf(coseKey: Uint8Array): Promise<KeyObject> {
  const { cose, decodeCredentialPublicKey } = await import('@simplewebauthn/server/helpers')
  const key = decodeCredentialPublicKey(Uint8Array.from(coseKey))
  const text = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString('base64url')
  let jwk: JsonWebKey
  if (cose.isCOSEPublicKeyEC2(key))
    jwk = { kty: 'EC', crv: 'P-256', x: text(key.get(cose.COSEKEYS.x)), y: text(key.get(cose.COSEKEYS.y)) }
  else if (cose.isCOSEPublicKeyOKP(key))
    jwk = { kty: 'OKP', crv: 'Ed25519', x: text(key.get(cose.COSEKEYS.x)) }
  else if (cose.isCOSEPublicKeyRSA(key))
    jwk = { kty: 'RSA', n: text(key.get(cose.COSEKEYS.n)), e: text(key.get(cose.COSEKEYS.e)) }
  else throw new TypeError('a public key of another kind')
  return createPublicKey({ key: jwk, format: 'jwk' })
}
