import { createPublicKey, hash, type KeyObject, verify } from 'node:crypto'
import { canonicalJson, type Json } from './canonical-json.ts'

/** What a passkey signs when a person decides: its hash is the challenge of the ceremony. */
export type DecisionStatement = {
  /** The id of the request, which another request with the same consent does not have. */
  readonly approval: string
  /** Who decides, as the audit names them. */
  readonly by: string
  /** The word of the choice. */
  readonly choice: string
  /** Of the card that was shown. */
  readonly consent_hash: string
  /** base64url of 32 random bytes: two ceremonies about the same never have the same challenge. */
  readonly nonce: string
  /** What is given in place of what was asked; null: nothing. */
  readonly terms: Json
}

/** COSE algorithms (RFC 9053, RFC 8812) of the keys that are taken: ES256, Ed25519, RS256. ML-DSA is none: Node 22 cannot verify it. */
export const PASSKEY_ALGORITHMS = [-7, -8, -257] as const
export type PasskeyAlgorithm = (typeof PASSKEY_ALGORITHMS)[number]

/** An assertion of WebAuthn (level 3, 7.2) with all that its verification needs, and nothing of the daemon. Bytes as base64url. */
export type DecisionProof = {
  readonly v: 1
  readonly statement: DecisionStatement
  readonly credential_id: string
  readonly algorithm: PasskeyAlgorithm
  /** SubjectPublicKeyInfo, DER. */
  readonly public_key: string
  readonly rp_id: string
  readonly origin: string
  readonly authenticator_data: string
  readonly client_data_json: string
  readonly signature: string
}

type ProofFault =
  | 'malformed'
  | 'other_statement'
  | 'other_origin'
  | 'other_rp'
  | 'user_not_verified'
  | 'wrong_signature'

export type ProofVerdict = { readonly ok: true } | { readonly ok: false; readonly reason: ProofFault }

/** 32 bytes. The first line is the domain: no hash of anything else is a challenge of a decision. */
export const decisionChallenge = (statement: DecisionStatement): Buffer =>
  hash('sha256', `oauth3 decision v1\n${canonicalJson(statement)}`, 'buffer')

const FLAGS_AT = 32
const USER_PRESENT = 0x01
const USER_VERIFIED = 0x04

/** Whether the passkey signed just this statement, for this origin, with its person verified. Offline: by Node's own crypto alone; never throws. */
export function verifyDecisionProof(proof: DecisionProof): ProofVerdict {
  try {
    const reason = faultOf(proof)
    return reason === undefined ? { ok: true } : { ok: false, reason }
  } catch {
    return { ok: false, reason: 'malformed' }
  }
}

function faultOf(proof: DecisionProof): ProofFault | undefined {
  if (proof.v !== 1) return 'malformed'
  const clientData = bytesOf(proof.client_data_json)
  const authenticatorData = bytesOf(proof.authenticator_data)
  const client = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(clientData)) as Record<
    string,
    unknown
  >
  if (client.type !== 'webauthn.get' || client.challenge !== textOf(decisionChallenge(proof.statement)))
    return 'other_statement'
  if (client.origin !== proof.origin || (client.crossOrigin ?? false) !== false) return 'other_origin'
  if (authenticatorData.length <= FLAGS_AT) return 'malformed'
  if (!authenticatorData.subarray(0, FLAGS_AT).equals(hash('sha256', proof.rp_id, 'buffer')))
    return 'other_rp'
  const needed = USER_PRESENT | USER_VERIFIED
  if (((authenticatorData[FLAGS_AT] ?? 0) & needed) !== needed) return 'user_not_verified'
  const spki = bytesOf(proof.public_key)
  const key = createPublicKey({ key: spki, format: 'der', type: 'spki' })
  // OpenSSL reads more than DER has: the same key has one text.
  if (algorithmOf(key) !== proof.algorithm || !spki.equals(key.export({ format: 'der', type: 'spki' })))
    return 'malformed'
  const signed = Buffer.concat([authenticatorData, hash('sha256', clientData, 'buffer')])
  const isSigned = verify(
    key.asymmetricKeyType === 'ed25519' ? null : 'sha256',
    signed,
    key,
    bytesOf(proof.signature),
  )
  return isSigned ? undefined : 'wrong_signature'
}

/** Undefined for a key that is not of one of PASSKEY_ALGORITHMS, or too short. */
export function algorithmOf(key: KeyObject): PasskeyAlgorithm | undefined {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key
  if (type === 'ed25519') return -8
  if (type === 'ec' && details?.namedCurve === 'prime256v1') return -7
  return type === 'rsa' && (details?.modulusLength ?? 0) >= 2_048 ? -257 : undefined
}

const textOf = (bytes: Buffer): string => bytes.toString('base64url')

/** One text of base64url for the same bytes: whatever else Node would read, and stray bits at the end, are refused. */
function bytesOf(text: string): Buffer {
  const bytes = Buffer.from(text, 'base64url')
  if (textOf(bytes) !== text) throw new TypeError('not base64url')
  return bytes
}
