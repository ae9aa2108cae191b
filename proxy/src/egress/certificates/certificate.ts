import { type KeyObject, randomBytes, sign } from 'node:crypto'
import { AsnConvert, OctetString } from '@peculiar/asn1-schema'
import {
  AlgorithmIdentifier,
  AttributeTypeAndValue,
  AttributeValue,
  AuthorityKeyIdentifier,
  BasicConstraints,
  Certificate,
  ExtendedKeyUsage,
  Extension,
  Extensions,
  GeneralName,
  id_ce_authorityKeyIdentifier,
  id_ce_basicConstraints,
  id_ce_extKeyUsage,
  id_ce_keyUsage,
  id_ce_subjectAltName,
  id_ce_subjectKeyIdentifier,
  id_kp_serverAuth,
  KeyIdentifier,
  KeyUsage,
  KeyUsageFlags,
  Name,
  RelativeDistinguishedName,
  SubjectAlternativeName,
  SubjectKeyIdentifier,
  SubjectPublicKeyInfo,
  TBSCertificate,
  Validity,
  Version,
} from '@peculiar/asn1-x509'
import { isIpLiteral } from '../../kernel/index.ts'

export interface CertificateOrder {
  /** The authority's name, or the one host that the certificate is for. */
  readonly subject: string
  readonly publicKey: KeyObject
  readonly issuer: { readonly name: string; readonly keyId: Uint8Array; readonly key: KeyObject }
  readonly kind: 'authority' | 'server'
  readonly validDays: number
}

const ECDSA_SHA256 = new AlgorithmIdentifier({ algorithm: '1.2.840.10045.4.3.2' })
const COMMON_NAME = '2.5.4.3'
const MAX_COMMON_NAME = 64
const DAY_MS = 86_400_000

/** An X.509 v3 certificate (RFC 5280) over P-256, signed with ECDSA and SHA-256, as PEM. */
export function signCertificate(order: CertificateOrder): string {
  const now = Date.now()
  const body = new TBSCertificate({
    version: Version.v3,
    serialNumber: bytes(serialNumber()),
    signature: ECDSA_SHA256,
    issuer: nameOf(order.issuer.name),
    // A clock that is a little behind must not make it invalid.
    validity: new Validity({
      notBefore: new Date(now - DAY_MS),
      notAfter: new Date(now + (order.validDays - 1) * DAY_MS),
    }),
    subject: nameOf(order.subject),
    subjectPublicKeyInfo: AsnConvert.parse(
      order.publicKey.export({ type: 'spki', format: 'der' }),
      SubjectPublicKeyInfo,
    ),
    extensions: new Extensions(
      order.kind === 'authority' ? authorityExtensions(order) : serverExtensions(order),
    ),
  })
  const signed = new Certificate({
    tbsCertificate: body,
    signatureAlgorithm: ECDSA_SHA256,
    signatureValue: bytes(sign('sha256', Buffer.from(AsnConvert.serialize(body)), order.issuer.key)),
  })
  return pem(Buffer.from(AsnConvert.serialize(signed)))
}

const authorityExtensions = (order: CertificateOrder): Extension[] => [
  extension(id_ce_basicConstraints, true, new BasicConstraints({ cA: true, pathLenConstraint: 0 })),
  extension(id_ce_keyUsage, true, new KeyUsage(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign)),
  extension(id_ce_subjectKeyIdentifier, false, new SubjectKeyIdentifier(bytes(order.issuer.keyId))),
]

const serverExtensions = (order: CertificateOrder): Extension[] => [
  extension(id_ce_basicConstraints, true, new BasicConstraints({ cA: false })),
  extension(id_ce_keyUsage, true, new KeyUsage(KeyUsageFlags.digitalSignature)),
  extension(id_ce_extKeyUsage, false, new ExtendedKeyUsage([id_kp_serverAuth])),
  extension(
    id_ce_subjectAltName,
    false,
    new SubjectAlternativeName([
      new GeneralName(isIpLiteral(order.subject) ? { iPAddress: order.subject } : { dNSName: order.subject }),
    ]),
  ),
  extension(
    id_ce_authorityKeyIdentifier,
    false,
    new AuthorityKeyIdentifier({ keyIdentifier: new KeyIdentifier(bytes(order.issuer.keyId)) }),
  ),
]

const extension = (extnID: string, critical: boolean, value: unknown): Extension =>
  new Extension({ extnID, critical, extnValue: new OctetString(AsnConvert.serialize(value)) })

/** A common name holds 64 characters at most; a longer host is told by the alternative name alone, as it is anyway. */
const nameOf = (text: string): Name =>
  new Name([
    new RelativeDistinguishedName([
      new AttributeTypeAndValue({
        type: COMMON_NAME,
        value: new AttributeValue({ utf8String: text.slice(0, MAX_COMMON_NAME) }),
      }),
    ]),
  ])

/** Positive, never zero, 127 random bits. */
function serialNumber(): Buffer {
  const serial = randomBytes(16)
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x40
  return serial
}

/** The library takes array buffers of exactly the content. */
const bytes = (content: Uint8Array): ArrayBuffer => new Uint8Array(content).buffer

const pem = (der: Buffer): string =>
  `-----BEGIN CERTIFICATE-----\n${der.toString('base64').replace(/.{64}(?=.)/g, '$&\n')}\n-----END CERTIFICATE-----\n`
