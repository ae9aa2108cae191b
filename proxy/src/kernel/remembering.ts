/** So many answers are kept; once there are more, all are worked out anew. */
const MAX_KEPT = 500
/** Of a longer text the answer is worked out each time. */
const MAX_LENGTH = 200

/** Memoization: the same function of a text, with the answers to short texts kept: names and paths come again and again. */
export function remembering<T>(answer: (text: string) => T): (text: string) => T {
  const kept = new Map<string, T>()
  return (text) => {
    const known = kept.get(text)
    if (known !== undefined) return known
    const found = answer(text)
    if (text.length <= MAX_LENGTH) {
      if (kept.size >= MAX_KEPT) kept.clear()
      kept.set(text, found)
    }
    return found
  }
}
