import { type HeaderField, valuesOf } from './header-fields.ts'

export type DeclaredBody =
  | { readonly kind: 'none' }
  | { readonly kind: 'length'; readonly bytes: number }
  | { readonly kind: 'chunked' }

/**
 * Against request smuggling: what a request says about its body. Null when two readers could take it differently: Content-Length
 * with Transfer-Encoding, either of them twice, or another coding than chunked.
 */
export function declaredBody(fields: readonly HeaderField[]): DeclaredBody | null {
  const lengths = valuesOf(fields, 'content-length')
  const codings = valuesOf(fields, 'transfer-encoding')
  if (lengths.length + codings.length > 1) return null
  const [length] = lengths
  if (length !== undefined) {
    const bytes = /^[0-9]{1,15}$/.test(length) ? Number(length) : -1
    return bytes < 0 ? null : { kind: 'length', bytes }
  }
  const [coding] = codings
  if (coding === undefined) return { kind: 'none' }
  return coding.toLowerCase() === 'chunked' ? { kind: 'chunked' } : null
}

/**
 * How the body goes upstream. `none`: there is none. `length`: exactly so many bytes; `headers` says so.
 * `buffer`: read whole, at most so many bytes, to be rewritten or looked into; the gateway then sends the result's length.
 * `chunked`: streamed without a length. Only for `length` is there a `content-length` in `headers`, and never a
 * `transfer-encoding`.
 */
export type BodyFraming =
  | { readonly kind: 'none' }
  | { readonly kind: 'length'; readonly bytes: number }
  | { readonly kind: 'buffer'; readonly maxBytes: number }
  | { readonly kind: 'chunked' }

const MAX_BUFFERED_BYTES = 256 * 1024
/** Larger bodies are not looked into, and so not sent where looking was the condition. */
const MAX_INSPECTED_BYTES = 16 * 1_048_576

export function framingOf(
  declared: DeclaredBody,
  { mayChange, isInspected }: { readonly mayChange: boolean; readonly isInspected: boolean },
): BodyFraming {
  if (declared.kind === 'none' || (declared.kind === 'length' && declared.bytes === 0)) return declared
  if (isInspected) return { kind: 'buffer', maxBytes: MAX_INSPECTED_BYTES }
  if (declared.kind !== 'length' || !mayChange) return declared
  const { bytes } = declared
  return bytes <= MAX_BUFFERED_BYTES ? { kind: 'buffer', maxBytes: bytes } : { kind: 'chunked' }
}
