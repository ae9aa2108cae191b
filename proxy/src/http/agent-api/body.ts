import { AppError } from '../../kernel/index.ts'

/** Body size limit of the agents' API; more is `too_large`. */
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
  assertFewValues(bytes)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw invalid([], 'The body is not JSON.')
  }
  assertPlainJson(value)
  return value
}

const [QUOTE, BACKSLASH, COMMA, OPEN_LIST, OPEN_OBJECT] = [0x22, 0x5c, 0x2c, 0x5b, 0x7b] as const

/**
 * Before anything is made of them: two MiB of empty lists take JSON.parse 50 to 80 ms and a hundred MiB. Each value but the
 * first of a list or object has a comma before it.
 */
function assertFewValues(bytes: Uint8Array): void {
  if (bytes.length <= MAX_NODES) return
  let values = 1
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at]
    if (byte === QUOTE) at = stringEnd(bytes, at)
    else if (byte === COMMA || byte === OPEN_LIST || byte === OPEN_OBJECT) values += 1
  }
  // A list or object is a value itself, and its opening stands for its first one: at most twice as many.
  if (values > 2 * MAX_NODES) throw tooManyValues()
}

/** Of the closing quote, or of the end. */
function stringEnd(bytes: Uint8Array, start: number): number {
  let at = start + 1
  while (at < bytes.length && bytes[at] !== QUOTE) at += bytes[at] === BACKSLASH ? 2 : 1
  return at
}

const tooManyValues = (): AppError => invalid([], `The body holds more than ${MAX_NODES} values.`)

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
    if (nodes > MAX_NODES) throw tooManyValues()
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
