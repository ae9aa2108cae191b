import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'

/** A certificate authority made for one test: X.509 v3, P-256, ECDSA with SHA-256, written in DER by hand. */
export interface TestCa {
  readonly certificate: string
  /** A server's certificate for these DNS names and IPv4 addresses. */
  issue(
    names: readonly string[],
    options?: { readonly expired?: boolean },
  ): { readonly cert: string; readonly key: string }
}

const tlv = (tag: number, ...parts: readonly Uint8Array[]): Buffer => {
  const content = Buffer.concat(parts)
  const { length } = content
  const size =
    length < 128
      ? Buffer.from([length])
      : length < 256
        ? Buffer.from([0x81, length])
        : Buffer.from([0x82, length >> 8, length & 255])
  return Buffer.concat([Buffer.from([tag]), size, content])
}
const sequence = (...parts: readonly Uint8Array[]): Buffer => tlv(0x30, ...parts)
const octets = (content: Uint8Array): Buffer => tlv(0x04, content)
const boolean = (value: boolean): Buffer => tlv(0x01, Buffer.from([value ? 255 : 0]))
const bits = (content: Uint8Array, unused = 0): Buffer => tlv(0x03, Buffer.from([unused]), content)
const positive = (content: Uint8Array): Buffer => tlv(0x02, Buffer.from([0x00]), content)

function oid(text: string): Buffer {
  const [first = 0, second = 0, ...rest] = text.split('.').map(Number)
  const bytes = [first * 40 + second]
  for (const arc of rest) {
    const septets = [arc & 127]
    for (let left = arc >> 7; left > 0; left >>= 7) septets.unshift((left & 127) | 128)
    bytes.push(...septets)
  }
  return tlv(0x06, Buffer.from(bytes))
}

const time = (at: number): Buffer =>
  tlv(0x18, Buffer.from(`${new Date(at).toISOString().replace(/[-:T]/g, '').slice(0, 14)}Z`))
const commonName = (name: string): Buffer =>
  sequence(tlv(0x31, sequence(oid('2.5.4.3'), tlv(0x0c, Buffer.from(name)))))
const extension = (id: string, critical: boolean, value: Buffer): Buffer =>
  sequence(oid(id), ...(critical ? [boolean(true)] : []), octets(value))
const pem = (der: Buffer): string =>
  `-----BEGIN CERTIFICATE-----\n${der.toString('base64').replace(/.{64}(?=.)/g, '$&\n')}\n-----END CERTIFICATE-----\n`
const ECDSA_SHA256 = sequence(oid('1.2.840.10045.4.3.2'))
const DAY_MS = 86_400_000

function certificate(input: {
  readonly subject: string
  readonly issuer: string
  readonly publicKey: KeyObject
  readonly signer: KeyObject
  readonly extensions: readonly Buffer[]
  readonly from: number
  readonly to: number
}): string {
  const serial = randomBytes(12)
  serial[0] = (serial[0] ?? 0) | 0x80
  const body = sequence(
    tlv(0xa0, tlv(0x02, Buffer.from([2]))),
    positive(serial),
    ECDSA_SHA256,
    commonName(input.issuer),
    sequence(time(input.from), time(input.to)),
    commonName(input.subject),
    input.publicKey.export({ type: 'spki', format: 'der' }),
    tlv(0xa3, sequence(...input.extensions)),
  )
  return pem(sequence(body, ECDSA_SHA256, bits(sign('sha256', body, input.signer))))
}

export function createTestCa(name = 'OAuth3 test CA'): TestCa {
  const own = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const keyId = createHash('sha1')
    .update(own.publicKey.export({ type: 'spki', format: 'der' }))
    .digest()
  const now = Date.now()
  const ca = certificate({
    subject: name,
    issuer: name,
    publicKey: own.publicKey,
    signer: own.privateKey,
    from: now - DAY_MS,
    to: now + DAY_MS,
    extensions: [
      extension('2.5.29.19', true, sequence(boolean(true))),
      extension('2.5.29.15', true, bits(Buffer.from([0x06]), 1)),
      extension('2.5.29.14', false, octets(keyId)),
    ],
  })
  return {
    certificate: ca,
    issue(names, options = {}) {
      const leaf = generateKeyPairSync('ec', { namedCurve: 'P-256' })
      const alternatives = names.map((text) =>
        /^[0-9.]+$/.test(text)
          ? tlv(0x87, Buffer.from(text.split('.').map(Number)))
          : tlv(0x82, Buffer.from(text)),
      )
      const cert = certificate({
        subject: names[0] ?? 'nobody',
        issuer: name,
        publicKey: leaf.publicKey,
        signer: own.privateKey,
        from: now - 2 * DAY_MS,
        to: options.expired ? now - DAY_MS : now + DAY_MS,
        extensions: [
          extension('2.5.29.17', false, sequence(...alternatives)),
          extension('2.5.29.37', false, sequence(oid('1.3.6.1.5.5.7.3.1'))),
          extension('2.5.29.35', false, sequence(tlv(0x80, keyId))),
        ],
      })
      return { cert, key: leaf.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() }
    },
  }
}
