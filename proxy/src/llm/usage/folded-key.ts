/** A key as vendors' readers may take it: those written in Go ignore letters' case, and read ſ as s and K as k. */
export function foldedKey(key: string): string {
  const lower = key.toLowerCase()
  return lower.includes('ſ') ? lower.replaceAll('ſ', 's') : lower
}
