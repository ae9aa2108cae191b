import { createPublicKey, type KeyObject, sign as signBytes, verify } from 'node:crypto'

/**
 * Ed25519 (RFC 8032) as registries use it. A key is written `ed25519:` and its 32 bytes in base64url (RFC 4648 § 5, no padding): as
 * short as a fingerprint would be, so it is its own fingerprint.
 */
export const REGISTRY_KEY = /^ed25519:[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/

/** DER of a SubjectPublicKeyInfo for Ed25519 (RFC 8410), up to the 32 bytes of the key. */
const SPKI_HEAD = Buffer.from('302a300506032b6570032100', 'hex')

/** The written form of a public or private Ed25519 key; a TypeError for a key of another kind. */
export function keyOf(key: KeyObject): string {
  if (key.asymmetricKeyType !== 'ed25519') throw new TypeError('not an Ed25519 key')
  const open = key.type === 'private' ? createPublicKey(key) : key
  const bytes = open.export({ format: 'der', type: 'spki' }).subarray(SPKI_HEAD.length)
  return `ed25519:${bytes.toString('base64url')}`
}

export function publicKeyOf(text: string): KeyObject {
  if (!REGISTRY_KEY.test(text)) throw new TypeError('not a key as ed25519:…')
  const bytes = Buffer.from(text.slice('ed25519:'.length), 'base64url')
  return createPublicKey({ key: Buffer.concat([SPKI_HEAD, bytes]), format: 'der', type: 'spki' })
}

/** 64 bytes as 86 characters of base64url. */
export const sign = (message: string, key: KeyObject): string =>
  signBytes(null, Buffer.from(message), key).toString('base64url')

/** False for whatever is no signature of the message by this key, and for a key that is none. */
export function verifies(message: string, signature: string, key: string): boolean {
  try {
    return verify(null, Buffer.from(message), publicKeyOf(key), Buffer.from(signature, 'base64url'))
  } catch {
    return false
  }
}
