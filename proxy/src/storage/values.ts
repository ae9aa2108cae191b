import { AppError } from '../kernel/index.ts'

/** What a parameter of a statement is for both engines. */
export type Value = string | number | Uint8Array | null

const refused = (what: string): AppError => new AppError('internal', `The database keeps no ${what}.`)

/**
 * What both engines take alike: texts, numbers that JavaScript holds exactly, bytes, NULL, and truth as 1 or 0. All else is refused
 * before either sees it, since each does something of its own with it: SQLite takes `undefined` and NaN for NULL and
 * keeps NUL, PostgreSQL refuses NUL, and both take a lone surrogate for U+FFFD. Throws `invalid_request` for such a text, which an
 * agent may have sent, `internal` for the rest.
 */
export function toValue(value: unknown): Value {
  switch (typeof value) {
    case 'string':
      if (value.includes('\0') || !value.isWellFormed()) {
        throw new AppError(
          'invalid_request',
          'A text with a NUL character or half of a surrogate pair cannot be kept.',
        )
      }
      return value
    case 'number':
      if (Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value))) return value
      throw refused(`number that is not exact (${value})`)
    case 'bigint': {
      const number = Number(value)
      if (Number.isSafeInteger(number)) return number
      throw refused('integer of more than 53 bits')
    }
    case 'boolean':
      return value ? 1 : 0
    case 'object':
      if (value === null || value instanceof Uint8Array) return value
      throw refused('object; a store writes it as text')
    default:
      throw refused(typeof value)
  }
}

/** An integer as read; throws `internal` where JavaScript would round it. */
export function exactInteger(value: number): number {
  if (Number.isSafeInteger(value)) return value
  throw new AppError('internal', 'The database has an integer of more than 53 bits.')
}
