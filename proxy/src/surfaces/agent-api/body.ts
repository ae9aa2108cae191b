import { AppError } from '../../kernel/index.ts'

export const MAX_BODY_BYTES = 2 * 1_048_576
const MAX_DEPTH = 64
const MAX_NODES = 100_000

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

/** A value and its way back to the root; the path is put together only when it must be told. */
interface Place {
  readonly value: unknown
  readonly key: string | number
  readonly parent: Place | undefined
  readonly depth: number
}

function assertPlainJson(root: unknown): void {
  const stack: Place[] = [{ value: root, key: '', parent: undefined, depth: 0 }]
  let nodes = 1
  for (let place = stack.pop(); place; place = stack.pop()) {
    const { value, depth } = place
    if (typeof value === 'string' && !value.isWellFormed())
      throw invalid(pathOf(place), 'holds a lone surrogate')
    if (typeof value === 'number' && !Number.isFinite(value))
      throw invalid(pathOf(place), 'is not a finite number')
    if (typeof value !== 'object' || value === null) continue
    if (depth >= MAX_DEPTH) throw invalid(pathOf(place).slice(0, 4), `is nested deeper than ${MAX_DEPTH}`)
    const keys = Array.isArray(value) ? undefined : Object.keys(value)
    const size = keys?.length ?? (value as unknown[]).length
    nodes += size
    if (nodes > MAX_NODES) throw invalid([], `The body holds more than ${MAX_NODES} values.`)
    for (let index = 0; index < size; index++) {
      const key = keys?.[index] ?? index
      if (key === '__proto__' || (typeof key === 'string' && !key.isWellFormed())) {
        throw invalid(pathOf(place), 'holds a key that is not allowed')
      }
      stack.push({
        value: (value as Record<string | number, unknown>)[key],
        key,
        parent: place,
        depth: depth + 1,
      })
    }
  }
}

function pathOf(place: Place): (string | number)[] {
  const path: (string | number)[] = []
  for (let at: Place | undefined = place; at?.parent; at = at.parent) path.unshift(at.key)
  return path
}

const invalid = (path: readonly (string | number)[], message: string): AppError =>
  new AppError('invalid_request', 'The body cannot be read; see details.', { details: [{ path, message }] })
