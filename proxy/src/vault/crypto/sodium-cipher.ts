import sodium from 'libsodium-wrappers'
import type { Cipher } from '../index.ts'

/** XChaCha20-Poly1305-IETF with a random 24-byte nonce, from libsodium. */
export async function createSodiumCipher(): Promise<Cipher> {
  await sodium.ready
  const nonceBytes = sodium.crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
  const tagBytes = sodium.crypto_aead_xchacha20poly1305_ietf_ABYTES
  return {
    newKey: () => sodium.crypto_aead_xchacha20poly1305_ietf_keygen(),
    seal(key, plaintext, associatedData) {
      const nonce = sodium.randombytes_buf(nonceBytes)
      const sealed = sodium.crypto_aead_xchacha20poly1305_ietf_encrypt(
        plaintext,
        associatedData,
        null,
        nonce,
        key,
      )
      return Buffer.concat([nonce, sealed])
    },
    open(key, sealed, associatedData) {
      if (sealed.length < nonceBytes + tagBytes) return undefined
      try {
        return sodium.crypto_aead_xchacha20poly1305_ietf_decrypt(
          null,
          sealed.subarray(nonceBytes),
          associatedData,
          sealed.subarray(0, nonceBytes),
          key,
        )
      } catch {
        return undefined
      }
    },
    wipe: (bytes) => sodium.memzero(bytes),
  }
}
