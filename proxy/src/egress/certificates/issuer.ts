import { createHash, generateKeyPair, type KeyObject } from 'node:crypto'
import { createSecureContext, type SecureContext } from 'node:tls'
import { promisify } from 'node:util'
import type { CertificateIssuer } from '../index.ts'

/**
 * The gateway's own certificate authority. Unless one is given its key is made at each start and lives in this closure alone: it is
 * never written down, and what sandboxes trusted in an earlier life of the daemon is worth nothing in the next. It may sign
 * leaves only (path length 0). One key serves all leaves; a leaf names one host.
 */
export async function createCertificateIssuer(
  options: {
    /** Contexts kept; the one that was used longest ago gives way. */
    readonly cacheSize?: number
    /** Key of the authority; made when left out. */
    readonly ca?: KeyPair
  } = {},
): Promise<CertificateIssuer> {
  const cacheSize = options.cacheSize ?? 512
  // The ASN.1 library is loaded here, so a program that never opens a gateway never loads it.
  const [{ signCertificate }, ca, leaf] = await Promise.all([
    import('./certificate.ts'),
    options.ca ?? newKeys(),
    newKeys(),
  ])
  // By its key: the authority of another life that has the same is the same to whoever trusts it.
  const name = `OAuth3 gateway ${keyIdOf(ca.publicKey).toString('hex').slice(0, 16)}`
  const authority = { name, keyId: keyIdOf(ca.publicKey), key: ca.privateKey }
  const caPem = signCertificate({
    subject: name,
    publicKey: ca.publicKey,
    issuer: authority,
    kind: 'authority',
    validDays: CA_DAYS,
  })
  const leafKey = leaf.privateKey.export({ type: 'pkcs8', format: 'pem' })
  const contexts = new Map<string, { readonly context: SecureContext; readonly renewAt: number }>()

  return {
    caPem,
    contextFor(host) {
      const known = contexts.get(host)
      // Taken out and put back: the map's order is the order of use.
      contexts.delete(host)
      if (known !== undefined && Date.now() < known.renewAt) {
        contexts.set(host, known)
        return known.context
      }
      const cert = signCertificate({
        subject: host,
        publicKey: leaf.publicKey,
        issuer: authority,
        kind: 'server',
        validDays: LEAF_DAYS,
      })
      const context = createSecureContext({ key: leafKey, cert, minVersion: 'TLSv1.2', ecdhCurve: CURVES })
      contexts.set(host, { context, renewAt: Date.now() + RENEW_MS })
      for (const oldest of contexts.keys()) {
        if (contexts.size <= cacheSize) break
        contexts.delete(oldest)
      }
      return context
    },
  }
}

const CA_DAYS = 3_650
/** Clients refuse server certificates that are valid for more than 398 days. */
const LEAF_DAYS = 30
const RENEW_MS = 20 * 86_400_000

/** Both ends stand on one machine: nothing is gained by the larger handshakes of hybrid groups. */
const CURVES = 'X25519:P-256'

const generate = promisify(generateKeyPair)
export interface KeyPair {
  readonly publicKey: KeyObject
  readonly privateKey: KeyObject
}
export const newKeys = (): Promise<KeyPair> => generate('ec', { namedCurve: 'P-256' })

/** Names a key within a chain (RFC 7093, method 1): says nothing about the key that the certificate does not. */
export const keyIdOf = (key: KeyObject): Buffer =>
  createHash('sha256')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest()
    .subarray(0, 20)
