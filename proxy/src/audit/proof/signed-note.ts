import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto'

/**
 * Signed notes of C2SP (c2sp.org/signed-note): a text, an empty line, and a line `— NAME BASE64` whose bytes are the first four of a
 * hash over name and key, then an Ed25519 signature (RFC 8032) over the text. One signature, and one form of every note: what
 * could be written in another way is refused, so that no byte of a note can be changed unseen.
 */
export interface SignedNote {
  /** Ends with a line break, which is signed too. */
  readonly text: string
  readonly keyName: string
  readonly keyId: Buffer
  readonly signature: Buffer
}

const ED25519 = 0x01
const KEY_ID_BYTES = 4
const SIGNATURE_BYTES = 64
const KEY_BYTES = 32
/** What stands before the 32 bytes of a key in its DER form (RFC 8410). */
const SPKI = Buffer.from('302a300506032b6570032100', 'hex')
const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex')

export const privateKeyOf = (seed: Uint8Array): KeyObject =>
  createPrivateKey({ key: Buffer.concat([PKCS8, seed]), format: 'der', type: 'pkcs8' })

/** Throws for what is not 32 bytes. */
export function publicKeyOf(bytes: Uint8Array): KeyObject {
  if (bytes.length !== KEY_BYTES) throw new RangeError('an Ed25519 key has 32 bytes')
  return createPublicKey({ key: Buffer.concat([SPKI, bytes]), format: 'der', type: 'spki' })
}

/** The 32 bytes of a public key. */
export const bytesOfKey = (key: KeyObject): Buffer =>
  Buffer.from(key.export({ format: 'der', type: 'spki' }).subarray(SPKI.length))

const keyIdOf = (name: string, publicKey: Uint8Array): Buffer =>
  createHash('sha256')
    .update(name)
    .update(Buffer.from([0x0a, ED25519]))
    .update(publicKey)
    .digest()
    .subarray(0, KEY_ID_BYTES)

/** `NAME+KEYID+BASE64`, as verifiers of signed notes take a key. */
export const verifierKey = (name: string, publicKey: Uint8Array): string =>
  `${name}+${keyIdOf(name, publicKey).toString('hex')}+${Buffer.from([ED25519, ...publicKey]).toString('base64')}`

/** The 32 bytes of a verifier key; undefined for what is none of that name. */
export function parseVerifierKey(name: string, text: string): Buffer | undefined {
  const [, encoded = ''] = /^[^+\s]+\+[0-9a-f]{8}\+([A-Za-z0-9+/=]+)$/.exec(text) ?? []
  const publicKey = Buffer.from(encoded, 'base64').subarray(1)
  return publicKey.length === KEY_BYTES && verifierKey(name, publicKey) === text ? publicKey : undefined
}

export function signNote(text: string, keyName: string, privateKey: KeyObject): string {
  const publicKey = bytesOfKey(createPublicKey(privateKey))
  const signature = sign(null, Buffer.from(text, 'utf8'), privateKey)
  return write({ text, keyName, keyId: keyIdOf(keyName, publicKey), signature })
}

const write = ({ text, keyName, keyId, signature }: SignedNote): string =>
  `${text}\n— ${keyName} ${Buffer.concat([keyId, signature]).toString('base64')}\n`

/** Undefined for what is no note with one signature, or is written in another form than ours. */
export function readNote(note: string): SignedNote | undefined {
  const at = note.lastIndexOf('\n\n— ')
  const [, keyName = '', encoded = ''] = /^— ([^\s+]+) ([A-Za-z0-9+/=]+)\n$/.exec(note.slice(at + 2)) ?? []
  const bytes = Buffer.from(encoded, 'base64')
  if (at === -1 || bytes.length !== KEY_ID_BYTES + SIGNATURE_BYTES) return undefined
  const keyId = bytes.subarray(0, KEY_ID_BYTES)
  const read = { text: note.slice(0, at + 1), keyName, keyId, signature: bytes.subarray(KEY_ID_BYTES) }
  return write(read) === note ? read : undefined
}

/** Whether this key has made the signature. */
export const isSignedBy = (note: SignedNote, publicKey: Uint8Array): boolean =>
  note.keyId.equals(keyIdOf(note.keyName, publicKey)) &&
  verify(null, Buffer.from(note.text, 'utf8'), publicKeyOf(publicKey), note.signature)
