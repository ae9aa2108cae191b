import { CONFUSABLES } from './confusables.ts'

const LOOKS_LIKE = new Map(
  Object.entries(CONFUSABLES).flatMap(([shape, points]) =>
    points.split(' ').map((point) => [String.fromCodePoint(Number.parseInt(point, 16)), shape] as const),
  ),
)
const NOT_ASCII = /[^\0-\x7f]/
const UNSEEN = /(?![\t\n])[\p{M}\p{Default_Ignorable_Code_Point}\p{Cc}\p{Bidi_Control}]/gu

/**
 * Homoglyph folding (UTS 39 skeletons, Latin targets alone): the text as a reader sees it, in lower-case Latin.
 * Compatibility forms and marks taken apart, unseen characters left out, letters of other scripts replaced by the Latin
 * ones that they look like. Letters without a Latin lookalike stay.
 */
export function latinLook(text: string): string {
  if (!NOT_ASCII.test(text)) return text.toLowerCase()
  const plain = text.normalize('NFKD').replace(UNSEEN, '')
  if (!NOT_ASCII.test(plain)) return plain.toLowerCase()
  return Array.from(plain, (char) => LOOKS_LIKE.get(char) ?? char)
    .join('')
    .toLowerCase()
}

/** Digits and strokes that pass for a letter, in small letters: what a hurried reader does not tell apart. */
const STROKES: Readonly<Record<string, string>> = {
  '0': 'o',
  '1': 'l',
  '2': 'z',
  '3': 'e',
  '4': 'a',
  '5': 's',
  '6': 'b',
  '7': 't',
  '8': 'b',
  '9': 'g',
  i: 'l',
  '|': 'l',
  '!': 'l',
  j: 'l',
  q: 'g',
}
const PAIRS: Readonly<Record<string, string>> = { rn: 'm', nn: 'm', vv: 'w', uu: 'w', cl: 'd', ci: 'd' }
const FOLDED = /rn|nn|vv|uu|cl|ci|[0-9i|!jq]/g

/**
 * The skeleton of a short name: two names with one skeleton look the same at a glance (`paypal` and `paypa1`, `modern`
 * and `modem`). Coarser than that of UTS 39, whose digits 0 and 1 alone are folded.
 */
export const skeleton = (name: string): string =>
  latinLook(name)
    .replace(FOLDED, (part) => PAIRS[part] ?? STROKES[part] ?? part)
    .replace(/cl/g, 'd')
