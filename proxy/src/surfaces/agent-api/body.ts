import { AppError } from '../../kernel/index.ts'

export const MAX_BODY_BYTES = 2 * 1_048_576
const MAX_DEPTH = 64
const MAX_NODES = 200_000

/**
 * Bytes to JSON without a second reading: strict UTF-8, then JSON.parse, then a walk that refuses what cannot be shown,
 * hashed and run as one and the same text (lone surrogates, numbers that are not finite) and keys that could
 * reach an object's prototype.
 */
export function parseJsonBody(bytes: Uint8Array): unknown {
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw invalid([], 'The body is not UTF-8.')
  }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw invalid([], 'The body is not JSON.')
  }
  assertPlainJson(value)
  return value
}

export function assertPlainJson(root: unknown): void {
  const stack: { value: unknown; path: (string | number)[] }[] = [{ value: root, path: [] }]
  for (let nodes = 0; ; nodes++) {
    const next = stack.pop()
    if (!next) return
    if (nodes > MAX_NODES) throw invalid([], `The body holds more than ${MAX_NODES} values.`)
    const { value, path } = next
    if (typeof value === 'string' && !value.isWellFormed()) throw invalid(path, 'holds a lone surrogate')
    if (typeof value === 'number' && !Number.isFinite(value)) throw invalid(path, 'is not a finite number')
    if (typeof value !== 'object' || value === null) continue
    if (path.length >= MAX_DEPTH) throw invalid(path.slice(0, 4), `is nested deeper than ${MAX_DEPTH}`)
    const entries = Array.isArray(value) ? value.entries() : Object.entries(value)
    for (const [key, item] of entries) {
      if (typeof key === 'string' && (key === '__proto__' || !key.isWellFormed())) {
        throw invalid([...path], 'holds a key that is not allowed')
      }
      stack.push({ value: item, path: [...path, key] })
    }
  }
}

const invalid = (path: readonly (string | number)[], message: string): AppError =>
  new AppError('invalid_request', 'The body cannot be read; see details.', { details: [{ path, message }] })
