import { CONTENT_LENGTH } from './head.ts'

/** RFC 9110, 5.1 and 5.5; the bytes of a head are those of latin1. */
const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/

/** Fields that the writer of a head sets itself (RFC 9112, 3.2, 6 and 9; RFC 9110, 7.8 and 10.1.1): a second one would be another framing. */
const WRITERS_OWN = new Set(['host', 'expect', 'trailer', 'upgrade', 'connection', 'transfer-encoding'])
const NAMES = [...WRITERS_OWN, 'content-length']
/** Most fields are none of these by the length of their name and its first letter, which is looked at in lower case. */
const MAY_BE_OWN = Array.from({ length: 32 }, (_, length) =>
  NAMES.filter((name) => name.length === length).map((name) => name.charCodeAt(0)),
)

export interface FieldLines {
  /** Each with its CRLF. */
  readonly text: string
  /** What `content-length` says; -1 without one. */
  readonly length: number
}

/**
 * Flat name, value … as lines of a head. Throws TypeError for what no head may hold, and for what says the framing in two ways or in
 * none that can be read, since behind such a field another message could follow.
 */
export function fieldLines(fields: readonly string[]): FieldLines {
  let text = ''
  let length = -1
  for (let at = 0; at + 1 < fields.length; at += 2) {
    const name = fields[at] as string
    const value = fields[at + 1] as string
    if (!NAME.test(name) || !VALUE.test(value)) throw unwritable(name)
    if (MAY_BE_OWN[name.length]?.includes(name.charCodeAt(0) | 0x20) === true) {
      // As a server of CGI variables reads a name: one with `_` is one with `-` (RFC 3875, 4.1.18).
      const lower = name.toLowerCase()
      const folded = lower.includes('_') ? lower.replaceAll('_', '-') : lower
      if (WRITERS_OWN.has(folded)) throw unwritable(name)
      if (folded === 'content-length') {
        if (length !== -1 || name.includes('_') || !CONTENT_LENGTH.test(value)) throw unwritable(name)
        length = Number(value)
      }
    }
    text += `${name}: ${value}\r\n`
  }
  return { text, length }
}

const unwritable = (name: string): TypeError =>
  new TypeError(`the field ${JSON.stringify(name)} cannot be written`)
