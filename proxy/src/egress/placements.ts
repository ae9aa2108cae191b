import type { EgressRule } from '../kernel/index.ts'
import { type EgressPolicy, type EgressSecret, type EgressTarget, reaches, type Surface } from './policy.ts'

/** How a value is written where its placeholder stood; null when it cannot stand there. */
type Rendering = (value: string) => string | null

/** Placeholder substitution in the head of a request: where placeholders stand, and whether each may be replaced there. */
export interface Placements {
  /**
   * The text with every placeholder replaced that is approved for the surface; others stay and are noted. `null` is a
   * part of the head that no secret is approved for.
   */
  replace(text: string, surface: Surface | null, render: Rendering): string
  /** The same where the client may have percent-encoded any of the placeholder's characters. */
  replacePercent(text: string, surface: Surface | null, render: Rendering): string
  readonly used: Set<string>
  /** The rule that was broken, with the secrets; null while every placeholder stood where it may. */
  violation(): { readonly refused: EgressRule; readonly secrets: string[] } | null
}

export function createPlacements(policy: EgressPolicy, target: EgressTarget): Placements {
  const used = new Set<string>()
  const rejected = new Set<string>()
  let isForeign = false

  const placed = (secret: EgressSecret, surface: Surface | null, render: Rendering): string | null => {
    if (!reaches(secret.hosts, target)) isForeign = true
    else if (surface !== null && secret.surfaces.has(surface)) {
      const text = render(secret.replacement.open())
      if (text !== null) {
        used.add(secret.name)
        return text
      }
    }
    rejected.add(secret.name)
    return null
  }

  /** `text` is what placeholders are looked for in; `at` leads from its indexes to those of `written`. */
  const replaceIn = (
    text: string,
    written: string,
    at: (index: number) => number,
    surface: Surface | null,
    render: Rendering,
  ): string => {
    let out = ''
    let done = 0
    for (const { secret, start, end } of placeholdersIn(policy, text)) {
      const value = placed(secret, surface, render)
      if (value === null) continue
      out += written.slice(done, at(start)) + value
      done = at(end)
    }
    return out + written.slice(done)
  }

  return {
    replace: (text, surface, render) => replaceIn(text, text, (index) => index, surface, render),
    replacePercent(text, surface, render) {
      if (!text.includes('%')) return replaceIn(text, text, (index) => index, surface, render)
      const { decoded, starts } = percentDecoded(text)
      return replaceIn(decoded, text, (index) => starts[index] ?? text.length, surface, render)
    },
    used,
    violation() {
      if (rejected.size === 0) return null
      const refused = isForeign ? 'secret_not_for_host' : 'secret_not_for_surface'
      return { refused, secrets: [...rejected].sort() }
    },
  }
}

interface Found {
  readonly secret: EgressSecret
  readonly start: number
  readonly end: number
}

interface Search {
  /** One expression for all placeholders of a policy, so that a value put in is never searched itself. */
  readonly expression: RegExp
  readonly byStem: ReadonlyMap<string, EgressSecret>
  /** Length of the shortest; most headers are shorter still. */
  readonly shortest: number
}

const searches = new WeakMap<EgressPolicy, Search>()

function searchOf(policy: EgressPolicy): Search {
  const known = searches.get(policy)
  if (known !== undefined) return known
  const stems = policy.secrets.map(({ stem }) => stem)
  const escaped = stems.map((stem) => stem.replace(/[^A-Za-z0-9]/g, '\\$&'))
  const search = {
    expression: new RegExp(escaped.join('|'), 'g'),
    byStem: new Map(policy.secrets.map((secret) => [secret.stem, secret])),
    shortest: Math.min(...stems.map(({ length }) => length)),
  }
  searches.set(policy, search)
  return search
}

function placeholdersIn(policy: EgressPolicy, text: string): Found[] {
  if (policy.secrets.length === 0) return []
  const { expression, byStem, shortest } = searchOf(policy)
  if (text.length < shortest) return []
  const found: Found[] = []
  for (const { 0: stem, index } of text.matchAll(expression)) {
    const secret = byStem.get(stem)
    if (secret !== undefined) found.push({ secret, start: index, end: index + stem.length })
  }
  return found
}

/** Each `%XX` as one character; `starts[i]` is where character i stands in the text. */
function percentDecoded(text: string): { decoded: string; starts: number[] } {
  let decoded = ''
  const starts: number[] = []
  for (const { 0: unit, index } of text.matchAll(/%[0-9a-f]{2}|./gis)) {
    starts.push(index)
    decoded += unit.length === 3 ? String.fromCharCode(Number.parseInt(unit.slice(1), 16)) : unit
  }
  return { decoded, starts }
}
