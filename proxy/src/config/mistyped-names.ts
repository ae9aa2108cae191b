import { wordSet } from '../kernel/index.ts'
import { SETTINGS } from './settings.ts'

/** Read by tests and clients, not by the daemon. */
const TOOL_VARIABLES = wordSet(`
  OAUTH3_REQUIRE_BOTOCORE OAUTH3_REQUIRE_CHROMIUM OAUTH3_REQUIRE_DOCKER OAUTH3_REQUIRE_POSTGRES OAUTH3_REQUIRE_SWIFT OAUTH3_URL OAUTH3_TOKEN OAUTH3_SOCKET OAUTH3_TENANT`)

const OWN_PREFIX = 'OAUTH3'
/** Of settings; the programs that they belong to read variables of their own. */
const SHARED_PREFIXES = ['TELEGRAM', 'OPENCLAW', 'CLAWDFORGE']
/** One edit from ours, and what everybody calls a setting of OAuth. */
const OTHERS_PREFIXES = new Set(['OAUTH', 'OAUTH1', 'OAUTH2'])
/** A shorter name has neighbours that mean something else (`DB_PASS` and `DB_PATH`). */
const LONG_NAME = 10

/** A line for each name that is no setting, but was meant for one. */
export interface MistypedNames {
  /** Names that the owner's own file sets. */
  readonly written: readonly string[]
  /**
   * Names in the environment, where the lines of a compose `env_file` come to stand as well. Most are other programs':
   * short ones that are near a setting, and those below a shared prefix, may be meant for these.
   */
  readonly environment: readonly string[]
}

export function mistypedNames({ written, environment }: MistypedNames): string[] {
  const problems = new Set<string>()
  for (const name of environment) {
    if (isKnown(name)) continue
    const near = nearest(name, LONG_NAME)
    if (prefixOf(name) === OWN_PREFIX || isNearPrefix(name) || near !== null) problems.add(complaint(name))
  }
  for (const name of written) {
    if (isKnown(name)) continue
    const typed = name.toUpperCase()
    const isOurs = [OWN_PREFIX, ...SHARED_PREFIXES].includes(prefixOf(typed)) || isNearPrefix(typed)
    if (isOurs || nearest(typed, 0) !== null) problems.add(complaint(name))
  }
  return [...problems]
}

const isKnown = (name: string): boolean => Object.hasOwn(SETTINGS, name) || TOOL_VARIABLES.has(name)

function complaint(name: string): string {
  const meant = meantBy(name.toUpperCase())
  const question = meant === null ? '' : ` Did you mean ${meant}?`
  return `${name} is not a setting of this daemon.${question} See docs/reference/configuration.md.`
}

/** Also where a prefix was put before a name that has none. */
function meantBy(typed: string): string | null {
  const rest = typed.slice(prefixOf(typed).length + 1)
  return nearest(typed, 0) ?? (Object.hasOwn(SETTINGS, rest) ? rest : null)
}

const prefixOf = (name: string): string => name.split('_', 1)[0] as string

function isNearPrefix(name: string): boolean {
  const prefix = prefixOf(name)
  if (prefix === name || OTHERS_PREFIXES.has(prefix)) return false
  return [OWN_PREFIX, ...SHARED_PREFIXES].some((own) => editDistance(own, prefix, 1) === 1)
}

/** The setting of at least so many characters that a few slips of the hand lead to, or letter case alone; null where none is. */
function nearest(typed: string, minLength: number): string | null {
  let best: { name: string; distance: number } | null = null
  for (const name of Object.keys(SETTINGS)) {
    if (name.length < minLength) continue
    const most = name.length < LONG_NAME ? 1 : 2
    const distance = editDistance(name, typed, most)
    if (distance <= most && distance < (best?.distance ?? Number.POSITIVE_INFINITY)) best = { name, distance }
  }
  return best?.name ?? null
}

/** Insertions, deletions, substitutions and swaps of neighbours (optimal string alignment); above `most` any greater number. */
function editDistance(a: string, b: string, most: number): number {
  if (Math.abs(a.length - b.length) > most) return most + 1
  let before: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, at) => at)
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i]
    for (let j = 1; j <= b.length; j += 1) {
      const isSame = a[i - 1] === b[j - 1]
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      row[j] = Math.min(
        (last[j] as number) + 1,
        (row[j - 1] as number) + 1,
        (last[j - 1] as number) + (isSame ? 0 : 1),
        ...(swapped ? [(before[j - 2] as number) + 1] : []),
      )
    }
    // What comes is no less than this row, or than the one before it and a swap.
    if (Math.min(...row) > most && Math.min(...last) >= most) return most + 1
    before = last
    last = row
  }
  return last[b.length] as number
}
