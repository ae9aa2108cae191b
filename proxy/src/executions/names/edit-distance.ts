/**
 * Typosquatting, by the optimal string alignment distance: whether one insertion, deletion, substitution or swap of
 * neighbours turns one text into the other; false for equal texts. Linear: it compares what is left behind the first
 * difference.
 */
export function isOneEditApart(a: string, b: string): boolean {
  if (a === b || Math.abs(a.length - b.length) > 1) return false
  const [short, long] = a.length <= b.length ? [a, b] : [b, a]
  let at = 0
  while (at < short.length && short[at] === long[at]) at += 1
  if (short.length < long.length) return short.slice(at) === long.slice(at + 1)
  if (short.slice(at + 1) === long.slice(at + 1)) return true
  return (
    short[at] === long[at + 1] && short[at + 1] === long[at] && short.slice(at + 2) === long.slice(at + 2)
  )
}

/**
 * Symmetric deletion: the text, and the text without each one of its characters. Two texts one edit apart share at least one
 * of these, so an index by them finds neighbours without comparing with all.
 */
function neighbourKeys(text: string): readonly string[] {
  const keys = new Set([text])
  for (let at = 0; at < text.length; at += 1) keys.add(text.slice(0, at) + text.slice(at + 1))
  return [...keys]
}

/** Names by their neighbour keys. */
export interface NeighbourIndex {
  /** A name one edit away, the same text excluded; the first one added. */
  find(text: string, accept?: (name: string) => boolean): string | undefined
}

export function createNeighbourIndex(names: Iterable<string>): NeighbourIndex {
  const byKey = new Map<string, string[]>()
  for (const name of new Set(names)) {
    for (const key of neighbourKeys(name)) {
      const at = byKey.get(key)
      if (at === undefined) byKey.set(key, [name])
      else at.push(name)
    }
  }
  return {
    find(text, accept = () => true) {
      for (const key of neighbourKeys(text)) {
        const found = byKey.get(key)?.find((name) => isOneEditApart(name, text) && accept(name))
        if (found !== undefined) return found
      }
      return undefined
    },
  }
}
