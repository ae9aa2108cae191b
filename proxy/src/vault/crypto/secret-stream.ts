import sodium from 'libsodium-wrappers'
import { AppError } from '../../kernel/index.ts'

/**
 * Bodies of any length, sealed piece by piece (libsodium's secretstream, XChaCha20-Poly1305): a piece that was changed, left out,
 * moved or cut off does not open. Both directions hold one piece in memory. `associatedData` says which body it is.
 */
export interface SecretStreams {
  newKey(): Uint8Array
  seal(key: Uint8Array, plain: AsyncIterable<Uint8Array>, associatedData: string): AsyncGenerator<Uint8Array>
  /** Throws `internal` where the bytes are not what was sealed under this key. */
  open(key: Uint8Array, sealed: AsyncIterable<Uint8Array>, associatedData: string): AsyncGenerator<Uint8Array>
}

/** Of plaintext, in every piece but the last. */
export const SEALED_PIECE_BYTES = 65_536

export async function createSecretStreams(): Promise<SecretStreams> {
  await sodium.ready
  const {
    crypto_secretstream_xchacha20poly1305_ABYTES: tagBytes,
    crypto_secretstream_xchacha20poly1305_HEADERBYTES: headerBytes,
    crypto_secretstream_xchacha20poly1305_TAG_MESSAGE: MESSAGE,
    crypto_secretstream_xchacha20poly1305_TAG_FINAL: FINAL,
  } = sodium
  return {
    newKey: () => sodium.crypto_secretstream_xchacha20poly1305_keygen(),

    async *seal(key, plain, associatedData) {
      const { state, header } = sodium.crypto_secretstream_xchacha20poly1305_init_push(key)
      try {
        yield header
        for await (const { bytes, isLast } of inPieces(plain, SEALED_PIECE_BYTES)) {
          yield sodium.crypto_secretstream_xchacha20poly1305_push(
            state,
            bytes,
            associatedData,
            isLast ? FINAL : MESSAGE,
          )
        }
      } finally {
        free(state)
      }
    },

    async *open(key, sealed, associatedData) {
      const source = sealed[Symbol.asyncIterator]()
      const { head, rest } = await takeHead(source, headerBytes)
      if (head.length < headerBytes) throw broken()
      const state = sodium.crypto_secretstream_xchacha20poly1305_init_pull(head, key)
      try {
        let isOver = false
        for await (const { bytes, isLast } of inPieces(rest, SEALED_PIECE_BYTES + tagBytes)) {
          const opened =
            bytes.length >= tagBytes &&
            sodium.crypto_secretstream_xchacha20poly1305_pull(state, bytes, associatedData)
          // A body that was cut off ends without the final tag.
          if (!opened || (opened.tag === FINAL) !== isLast) throw broken()
          isOver = isLast
          yield opened.message
        }
        if (!isOver) throw broken()
      } finally {
        free(state)
        await source.return?.()
      }
    },
  }
}

const broken = (): AppError => new AppError('internal', 'A sealed body is not what was stored.')

/** The wrapper takes the state from its own heap, and leaves it there. */
function free(state: unknown): void {
  const { libsodium } = sodium as unknown as { readonly libsodium?: { _free?(address: unknown): void } }
  libsodium?._free?.(state)
}

/** All but the last of `size`; the last one may be empty where nothing came at all. */
async function* inPieces(
  source: AsyncIterable<Uint8Array>,
  size: number,
): AsyncGenerator<{ readonly bytes: Uint8Array; readonly isLast: boolean }> {
  const piece = Buffer.alloc(size)
  let filled = 0
  for await (const chunk of source) {
    let at = 0
    while (at < chunk.length) {
      // One that is full goes only when more comes: whether it is the last is known by then.
      if (filled === size) {
        yield { bytes: piece, isLast: false }
        filled = 0
      }
      const taken = Math.min(size - filled, chunk.length - at)
      piece.set(chunk.subarray(at, at + taken), filled)
      filled += taken
      at += taken
    }
  }
  yield { bytes: piece.subarray(0, filled), isLast: true }
}

async function takeHead(
  source: AsyncIterator<Uint8Array>,
  size: number,
): Promise<{ readonly head: Uint8Array; readonly rest: AsyncIterable<Uint8Array> }> {
  let held = Buffer.alloc(0)
  while (held.length < size) {
    const next = await source.next()
    if (next.done) break
    held = Buffer.concat([held, next.value])
  }
  const rest = async function* (): AsyncGenerator<Uint8Array> {
    yield held.subarray(size)
    for (let next = await source.next(); !next.done; next = await source.next()) yield next.value
  }
  return { head: held.subarray(0, size), rest: rest() }
}
