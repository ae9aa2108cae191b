import { timingSafeEqual } from 'node:crypto'

/**
 * Constant-time compare: whether two secrets are the same, in a time that tells nothing of where they differ (a timing attack). Their lengths show:
 * compare hashes where a length is a secret itself.
 */
export function equalInConstantTime(a: string | Uint8Array, b: string | Uint8Array): boolean {
  const [left, right] = [bytesOf(a), bytesOf(b)]
  return left.length === right.length && timingSafeEqual(left, right)
}

const bytesOf = (secret: string | Uint8Array): Uint8Array =>
  typeof secret === 'string' ? Buffer.from(secret) : secret
