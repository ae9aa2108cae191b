import { hkdfSync } from 'node:crypto'
import { existsSync, writeFileSync } from 'node:fs'
import sodium from 'libsodium-wrappers'

await sodium.ready

const filled = (length: number, first: number): Uint8Array =>
  Uint8Array.from({ length }, (_, index) => (first + index) % 256)
const base64url = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64url')

function seal(key: Uint8Array, nonce: Uint8Array, plaintext: Uint8Array, associatedData: string): string {
  const sealed = sodium.crypto_aead_xchacha20poly1305_ietf_encrypt(
    plaintext,
    associatedData,
    null,
    nonce,
    key,
  )
  return base64url(Buffer.concat([nonce, sealed]))
}

const masterKey = filled(32, 0)
const dataKeys = [
  { id: 1, key: filled(32, 32), nonce: filled(24, 64) },
  { id: 2, key: filled(32, 96), nonce: filled(24, 128) },
]
const values = [
  { keyId: 1, context: 'secret:DEMO_KEY:1', plaintext: 'demo-value-one' },
  { keyId: 1, context: 'secret:DEMO_KEY:2', plaintext: 'Grüße, 日本, 😀\r\n' },
  { keyId: 2, context: 'secret:LONG_KEY:7', plaintext: 'x'.repeat(300) },
  { keyId: 2, context: 'for:audit-key', plaintext: '00'.repeat(32) },
]
const TENANT = 'ten_0123456789abcdef'

/** As the docstring of proxy/src/vault/envelope-format.ts says; not by its code. */
const VERSIONS = {
  v1: {
    tenant: 'default',
    wrappingKey: masterKey,
    scope: 'oauth3:v1',
    wrapped: (id: number) => `data-key:${id}`,
  },
  v2: {
    tenant: TENANT,
    wrappingKey: new Uint8Array(hkdfSync('sha256', masterKey, '', `oauth3:v2:tenant-key:${TENANT}`, 32)),
    scope: `oauth3:v2:${TENANT}`,
    wrapped: (id: number) => `${id}:data-key`,
  },
}

for (const [version, { tenant, wrappingKey, scope, wrapped }] of Object.entries(VERSIONS)) {
  const target = new URL(`../test/vectors/envelope-${version}.json`, import.meta.url)
  // Frozen once it is there.
  if (existsSync(target)) continue
  const vectors = {
    envelope: `oa3${version}.<data key id>.<base64url of nonce || ciphertext>`,
    tenant,
    masterKeyHex: Buffer.from(masterKey).toString('hex'),
    dataKeys: dataKeys.map(({ id, key, nonce }) => ({
      id,
      keyHex: Buffer.from(key).toString('hex'),
      wrapped: seal(wrappingKey, nonce, key, `${scope}:${wrapped(id)}`),
    })),
    envelopes: values.map(({ keyId, context, plaintext }, index) => {
      const key = dataKeys.find(({ id }) => id === keyId)?.key ?? new Uint8Array(32)
      const sealed = seal(
        key,
        filled(24, 160 + index),
        Buffer.from(plaintext),
        `${scope}:${keyId}:${context}`,
      )
      return { context, plaintext, envelope: `oa3${version}.${keyId}.${sealed}` }
    }),
  }
  writeFileSync(target, `${JSON.stringify(vectors, null, 2)}\n`, { flag: 'wx' })
}
