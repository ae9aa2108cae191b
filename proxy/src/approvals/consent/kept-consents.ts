import type { ConsentHash } from '../../kernel/index.ts'

/** Of longer texts none is kept, so that all together hold 1 MiB of text at most. */
const MAX_LENGTH = 16_384
const MAX_KEPT = 64

/**
 * Memoization: what opening a stored text came to. Each trusted run opens the consent of its grant several times, and checking
 * hash and form is most of that. A text is known by all of its characters, never by its hash alone: one that was altered
 * is another, and is checked. What is kept is frozen, since it has many holders.
 */
export function keepingConsents<T extends object>(
  open: (json: string, hash: ConsentHash) => T,
): (json: string, hash: ConsentHash) => T {
  const kept = new Map<ConsentHash, { readonly json: string; readonly opened: T }>()
  return (json, hash) => {
    const known = kept.get(hash)
    if (known?.json === json) return known.opened
    const opened = open(json, hash)
    if (json.length > MAX_LENGTH) return opened
    if (kept.size >= MAX_KEPT) kept.clear()
    kept.set(hash, { json, opened: frozen(opened) })
    return opened
  }
}

function frozen<T extends object>(value: T): T {
  for (const part of Object.values(value)) {
    if (typeof part === 'object' && part !== null) frozen(part)
  }
  return Object.freeze(value)
}
