/** An authenticator of WebAuthn in a few lines: what a browser would send, and every way of it that a browser would not. */
import { createPublicKey, generateKeyPairSync, hash, type KeyObject, randomBytes, sign } from 'node:crypto'

export interface SoftPasskey {
  readonly id: string
  readonly userHandle: string
  readonly privateKey: KeyObject
  readonly cose: Buffer
  counter: number
}

/** What an attestation signs. */
interface Attested {
  readonly rpIdHash: Buffer
  readonly clientDataHash: Buffer
  readonly credentialId: Buffer
  /** Of ES256: uncompressed. */
  readonly point: Buffer
}

/** What differs from an honest ceremony. */
export interface Deviation {
  readonly origin?: string
  readonly rpId?: string
  readonly challenge?: string
  readonly type?: string
  /** Default: present and verified. */
  readonly flags?: number
  readonly counter?: number
  readonly id?: string
  readonly userHandle?: string | null
  readonly key?: KeyObject
  /** More members of clientDataJSON. */
  readonly client?: object
  readonly attestation?: (of: Attested) => { readonly fmt: string; readonly attStmt: Map<string, unknown> }
}

export const PRESENT_AND_VERIFIED = 0x05
const ATTESTED = 0x40

type Cbor = number | string | Buffer | readonly unknown[] | Map<unknown, unknown>

/** As much of RFC 8949 as WebAuthn needs. */
function cbor(value: unknown): Buffer {
  const head = (major: number, length: number): Buffer => {
    if (length < 24) return Buffer.from([(major << 5) | length])
    if (length < 256) return Buffer.from([(major << 5) | 24, length])
    return Buffer.from([(major << 5) | 25, length >> 8, length & 255])
  }
  const one = value as Cbor
  if (typeof one === 'number') return one < 0 ? head(1, -1 - one) : head(0, one)
  if (typeof one === 'string') return Buffer.concat([head(3, Buffer.byteLength(one)), Buffer.from(one)])
  if (Buffer.isBuffer(one)) return Buffer.concat([head(2, one.length), one])
  if (one instanceof Map)
    return Buffer.concat([head(5, one.size), ...[...one].flatMap(([key, held]) => [cbor(key), cbor(held)])])
  return Buffer.concat([head(4, one.length), ...one.map(cbor)])
}

export type KeyKind = 'ES256' | 'Ed25519' | 'RS256' | 'RS256-1024'

function newKey(kind: KeyKind): { privateKey: KeyObject; cose: Buffer } {
  const bytes = (text: string | undefined): Buffer => Buffer.from(text ?? '', 'base64url')
  if (kind === 'ES256') {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const { x, y } = publicKey.export({ format: 'jwk' })
    return {
      privateKey,
      cose: cbor(
        new Map<number, unknown>([
          [1, 2],
          [3, -7],
          [-1, 1],
          [-2, bytes(x)],
          [-3, bytes(y)],
        ]),
      ),
    }
  }
  if (kind === 'Ed25519') {
    const { privateKey, publicKey } = generateKeyPairSync('ed25519')
    const { x } = publicKey.export({ format: 'jwk' })
    return {
      privateKey,
      cose: cbor(
        new Map<number, unknown>([
          [1, 1],
          [3, -8],
          [-1, 6],
          [-2, bytes(x)],
        ]),
      ),
    }
  }
  const { privateKey, publicKey } = generateKeyPairSync('rsa', {
    modulusLength: kind === 'RS256' ? 2_048 : 1_024,
  })
  const { n, e } = publicKey.export({ format: 'jwk' })
  return {
    privateKey,
    cose: cbor(
      new Map<number, unknown>([
        [1, 3],
        [3, -257],
        [-1, bytes(n)],
        [-2, bytes(e)],
      ]),
    ),
  }
}

const clientData = (type: string, challenge: string, origin: string, more: object = {}): Buffer =>
  Buffer.from(JSON.stringify({ type, challenge, origin, crossOrigin: false, ...more }))

function authenticatorData(rpId: string, flags: number, counter: number, more = Buffer.alloc(0)): Buffer {
  const count = Buffer.alloc(4)
  count.writeUInt32BE(counter)
  return Buffer.concat([hash('sha256', rpId, 'buffer'), Buffer.from([flags]), count, more])
}

/** `navigator.credentials.create`: the passkey, and what is sent. */
export function registerSoft(
  options: {
    readonly rp: { readonly id: string }
    readonly user: { readonly id: string }
    readonly challenge: string
  },
  origin: string,
  how: Deviation & { readonly kind?: KeyKind } = {},
) {
  const passkey: SoftPasskey = {
    ...newKey(how.kind ?? 'ES256'),
    id: how.id ?? randomBytes(16).toString('base64url'),
    userHandle: options.user.id,
    counter: how.counter ?? 1,
  }
  const credentialId = Buffer.from(passkey.id, 'base64url')
  const length = Buffer.from([credentialId.length >> 8, credentialId.length & 255])
  const attested = Buffer.concat([Buffer.alloc(16), length, credentialId, passkey.cose])
  const flags = (how.flags ?? PRESENT_AND_VERIFIED) | ATTESTED
  const authData = authenticatorData(how.rpId ?? options.rp.id, flags, passkey.counter, attested)
  const client = clientData(
    how.type ?? 'webauthn.create',
    how.challenge ?? options.challenge,
    how.origin ?? origin,
    how.client,
  )
  const { x = '', y = '' } = createPublicKey(passkey.privateKey).export({ format: 'jwk' })
  const { fmt, attStmt } = how.attestation?.({
    rpIdHash: authData.subarray(0, 32),
    clientDataHash: hash('sha256', client, 'buffer'),
    credentialId,
    point: Buffer.concat([Buffer.from([4]), Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')]),
  }) ?? { fmt: 'none', attStmt: new Map() }
  const sent = {
    id: passkey.id,
    rawId: passkey.id,
    type: 'public-key' as const,
    response: {
      clientDataJSON: client.toString('base64url'),
      attestationObject: cbor(
        new Map<string, unknown>([
          ['fmt', fmt],
          ['attStmt', attStmt],
          ['authData', authData],
        ]),
      ).toString('base64url'),
      transports: ['internal'],
    },
  }
  return { passkey, sent }
}

/** `navigator.credentials.get`: counts one further, unless told. */
export function assertSoft(
  passkey: SoftPasskey,
  options: { readonly rpId: string; readonly challenge: string },
  origin: string,
  how: Deviation = {},
) {
  if (how.counter === undefined) passkey.counter += 1
  const data = authenticatorData(
    how.rpId ?? options.rpId,
    how.flags ?? PRESENT_AND_VERIFIED,
    how.counter ?? passkey.counter,
  )
  const client = clientData(
    how.type ?? 'webauthn.get',
    how.challenge ?? options.challenge,
    how.origin ?? origin,
    how.client,
  )
  const key = how.key ?? passkey.privateKey
  const digest = key.asymmetricKeyType === 'ed25519' ? null : 'sha256'
  const id = how.id ?? passkey.id
  return {
    id,
    rawId: id,
    type: 'public-key' as const,
    response: {
      clientDataJSON: client.toString('base64url'),
      authenticatorData: data.toString('base64url'),
      signature: sign(digest, Buffer.concat([data, hash('sha256', client, 'buffer')]), key).toString(
        'base64url',
      ),
      userHandle: how.userHandle === undefined ? passkey.userHandle : how.userHandle,
    },
  }
}
