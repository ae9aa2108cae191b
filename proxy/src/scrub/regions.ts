/** Joins overlapping matches, so that what they cover together is taken out and nothing of either stays. */

export interface Region {
  start: number
  end: number
  /** Secrets to name in place of the bytes; a match that another one covers whole is not named. */
  secrets: number[]
}

/**
 * Adds a match to regions that are in order and do not overlap. Matches come in order of their ends.
 * Matches that only touch stay apart.
 */
export function addMatch(regions: Region[], start: number, end: number, secret: number): void {
  let first = start
  let secrets = [secret]
  let last = regions.at(-1)
  while (last !== undefined && last.end > start) {
    regions.pop()
    if (last.start < start || (last.start === start && last.end === end)) {
      first = last.start
      secrets = last.end === end || last.secrets.includes(secret) ? last.secrets : [...last.secrets, secret]
    }
    last = regions.at(-1)
  }
  regions.push({ start: first, end, secrets })
}

export function markerOf(region: Region, names: readonly string[]): string {
  return region.secrets.map((secret) => `[secret:${names[secret] ?? ''}]`).join('')
}
