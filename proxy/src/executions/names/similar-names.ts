import { latinLook, skeleton } from '../facts/index.ts'
import { isOneEditApart } from './edit-distance.ts'

const SEPARATORS = /[^a-z0-9]+/
const joined = (name: string): string => name.replace(/[^a-z0-9]+/g, '')

/**
 * Confusable names (a secret or skill named like a trusted one): whether a reader could take one for the other. The same
 * but for case, separators, order of words or shape of letters, or one edit apart within a longer word. Names that differ
 * in a number or in a short code alone are a series (`API_KEY_1`, `API_KEY_2`; `UK_KEY`, `US_KEY`), not lookalikes. False
 * for equal names.
 */
export function areSimilar(one: string, other: string): boolean {
  if (one === other) return false
  const a = latinLook(one)
  const b = latinLook(other)
  if (a === b) return true
  if (isSeries(a, b)) return false
  if (joined(a) === joined(b) || skeleton(joined(a)) === skeleton(joined(b))) return true
  const words = a.split(SEPARATORS)
  const others = b.split(SEPARATORS)
  if (words.toSorted().join(' ') === others.toSorted().join(' ')) return true
  if (words.length !== others.length) return isOneEditApart(joined(a), joined(b)) && joined(a).length >= 8
  const pairs = words.map((word, at) => [word, others[at] ?? ''] as const).filter(([x, y]) => x !== y)
  const [pair] = pairs
  return pair !== undefined && pairs.length === 1 && isSlip(...pair)
}

/** Numbers apart, the same: one more of a kind. */
const isSeries = (a: string, b: string): boolean =>
  a.replace(/\d+/g, '#') === b.replace(/\d+/g, '#') || withoutNumber(a) === withoutNumber(b)

const withoutNumber = (name: string): string => name.replace(/[^a-z0-9]?v?\d{1,4}$/, '')

/** One edit within a word. Words of four letters that differ in one of them are other words: `test`, `rest`. */
function isSlip(a: string, b: string): boolean {
  const longer = Math.max(a.length, b.length)
  if (!isOneEditApart(a, b)) return false
  if (a.length !== b.length) return longer >= 4
  const swapped = [...a].sort().join('') === [...b].sort().join('')
  return swapped ? longer >= 3 : longer >= 5
}
