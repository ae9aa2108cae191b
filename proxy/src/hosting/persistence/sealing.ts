/**
 * What leaves the host is noise to whoever keeps it: compressed, then sealed (XChaCha20-Poly1305) under a key of the machine's own, with
 * the name of the object, which says whose it is and of which snapshot, as associated data. A chunk is named by a keyed hash
 * (HMAC-SHA256) of its content, so that nobody can try whether a known file is among them.
 */
import { createHmac, hkdfSync } from 'node:crypto'
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { AppError } from '../../kernel/index.ts'
import type { Cipher } from '../../vault/index.ts'
import { gearTable } from './chunker.ts'

export interface Sealing {
  readonly gear: Uint32Array
  /** Of a chunk's content: 43 of A–Z a–z 0–9 _ -. */
  nameOf(content: Uint8Array): string
  /** `place`: which object of whose, and of which snapshot. */
  seal(place: string, content: Uint8Array): Buffer
  /** Throws `internal` where it is not what was sealed for this place, or opens to more than `maxBytes`. */
  open(place: string, sealed: Uint8Array, maxBytes: number): Buffer
  /** Ends its use. */
  wipe(): void
}

const LEVEL = { params: { [constants.ZSTD_c_compressionLevel]: 1 } }
export function createSealing(cipher: Cipher, root: Uint8Array, owner: string): Sealing {
  const derive = (purpose: string, bytes: number): Uint8Array =>
    new Uint8Array(hkdfSync('sha256', root, '', `oauth3 machine files v1\0${owner}\0${purpose}`, bytes))
  const sealKey = derive('seal', 32)
  const nameKey = derive('name', 32)
  const place = (of: string): string => `oauth3 machine files v1\0${of}`
  return {
    gear: gearTable(derive('boundaries', 1_024)),
    nameOf: (content) => createHmac('sha256', nameKey).update(content).digest('base64url'),
    seal: (of, content) => Buffer.from(cipher.seal(sealKey, zstdCompressSync(content, LEVEL), place(of))),
    open(of, sealed, maxBytes) {
      const packed = cipher.open(sealKey, sealed, place(of))
      if (packed === undefined) throw altered()
      return zstdDecompressSync(packed, { maxOutputLength: Math.max(1, maxBytes) })
    },
    wipe() {
      for (const key of [sealKey, nameKey]) cipher.wipe(key)
    },
  }
}

export const altered = (): AppError =>
  new AppError('internal', 'A kept file of a machine is not what was stored: it was altered, moved or lost.')
