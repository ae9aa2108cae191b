/**
 * Whether lists and objects stand in each other at most so deep; a scalar has depth 0. Without recursion: JSON.parse takes any depth, and
 * whatever walks the value after it (JSON.stringify too) exhausts the stack some thousand levels down.
 */
export function isNestedWithin(value: unknown, maxDepth: number): boolean {
  let level: unknown[] = [value]
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > maxDepth) return false
    level = level.flatMap((one) => (typeof one === 'object' && one !== null ? Object.values(one) : []))
  }
  return true
}
