import { type KeyPair, keyIdOf, newKeys } from './issuer.ts'

/** For whoever knows the key by its fingerprint: nobody vouches for it. P-256, as PEM. */
export async function selfSignedCertificate(keys: KeyPair, subject: string): Promise<string> {
  const { signCertificate } = await import('./certificate.ts')
  const issuer = { name: subject, keyId: keyIdOf(keys.publicKey), key: keys.privateKey }
  return signCertificate({
    subject,
    publicKey: keys.publicKey,
    issuer,
    kind: 'server',
    validDays: VALID_DAYS,
  })
}

const VALID_DAYS = 3_650

/** A private key for it, as PEM of PKCS #8. */
export const newPrivateKey = async (): Promise<string> =>
  String((await newKeys()).privateKey.export({ type: 'pkcs8', format: 'pem' }))
