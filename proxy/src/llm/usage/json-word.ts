import { foldedKey } from './folded-key.ts'
import { stringAt } from './json-bytes.ts'

/** A short string of a body, decoded: a key, or a value that is compared with known ones. */
export interface Word {
  /** As it is written; '' where it is longer than any that is asked for. */
  readonly text: string
  /** As readers that fold letters' case may take it. */
  readonly folded: string
  /** Its escapes are none of JSON's: nobody can tell what it says. `text` is '' then. */
  readonly isBroken: boolean
}

/** Requests are written with the same few words: one that was read lately is not decoded again. Each has one place. */
const KEPT_WORDS = 1_024
const KEPT_BYTES = 32
/** Longer than any that is asked for, escapes included. */
const WORD_BYTES = 1_024
const BACKSLASH = 0x5c
/** With its bytes, which are compared faster than a text. */
interface Kept {
  readonly word: Word
  readonly bytes: Uint8Array
}
const kept: (Kept | undefined)[] = Array.from({ length: KEPT_WORDS })

const wordOf = (text: string | null): Word => ({
  text: text ?? '',
  folded: foldedKey(text ?? ''),
  isBroken: text === null,
})

const TOO_LONG = wordOf('')

/** The word of the string that stands there with its quotes, as `stringEnd` found it. */
export function wordAt(bytes: Buffer, start: number, end: number): Word {
  const length = end - start - 2
  if (length > KEPT_BYTES) return length > WORD_BYTES ? TOO_LONG : wordOf(stringAt(bytes, start, end))
  let hash = length
  for (let at = start + 1; at < end - 1; at += 1) {
    const byte = bytes[at] as number
    if (byte === BACKSLASH || byte >= 0x80) return wordOf(stringAt(bytes, start, end))
    hash = (hash * 31 + byte) | 0
  }
  const place = hash & (KEPT_WORDS - 1)
  const known = kept[place]
  if (known !== undefined && isAt(bytes, start + 1, known.bytes, length)) return known.word
  const word = wordOf(bytes.toString('latin1', start + 1, end - 1))
  kept[place] = { word, bytes: Uint8Array.from(bytes.subarray(start + 1, end - 1)) }
  return word
}

/** As `stringAt`, of a string that may be a word. */
export const textAt = (bytes: Buffer, start: number, end: number): string | null => {
  if (end - start > KEPT_BYTES) return stringAt(bytes, start, end)
  const { text, isBroken } = wordAt(bytes, start, end)
  return isBroken ? null : text
}

function isAt(bytes: Buffer, start: number, word: Uint8Array, length: number): boolean {
  if (word.length !== length) return false
  for (let at = 0; at < length; at += 1) if (word[at] !== bytes[start + at]) return false
  return true
}
