import { type HostPattern, hostPatternCovers, parseHostPattern } from '../../kernel/index.ts'
import { type Capability, capabilityTexts, hostCovers, uncoveredCapabilities } from '../capabilities/index.ts'
import type { Consent, ConsentSecret } from './consent.ts'

/**
 * How a request goes beyond a consent that was given before: one line a difference, for the head of the card.
 * Empty means that the given consent covers the request. `anyArgs` leaves the args out of the comparison.
 */
export function widerThan(
  given: Consent,
  asked: Consent,
  options: { readonly anyArgs: boolean },
): readonly string[] {
  const changes: string[] = []
  if (given.skill_id !== asked.skill_id) changes.push(`skill: ${given.skill_id} → ${asked.skill_id}`)
  if (given.code.sha256 !== asked.code.sha256) {
    changes.push(`code: ${short(given.code.sha256)} → ${short(asked.code.sha256)}`)
  }
  if (given.agent.id !== asked.agent.id) changes.push(`agent: ${given.agent.name} → ${asked.agent.name}`)
  changes.push(...runtimeChanges(given, asked))
  for (const secret of asked.secrets) changes.push(...secretChanges(given.secrets, secret))
  changes.push(...networkChanges(given.network, asked.network))
  if (asked.dynamic_code && !given.dynamic_code) changes.push('code made from text: + allowed')
  changes.push(...importChanges(given.imports, asked.imports))
  if (!options.anyArgs && given.args !== asked.args) changes.push('args: other than approved')
  changes.push(...limitChanges(given, asked))
  return changes
}

function runtimeChanges(given: Consent, asked: Consent): string[] {
  const changes: string[] = []
  if (given.runtime.name !== asked.runtime.name) {
    changes.push(`runtime: ${given.runtime.name} → ${asked.runtime.name}`)
  } else if (given.runtime.image !== asked.runtime.image) {
    changes.push(`runtime image: ${short(given.runtime.image)} → ${short(asked.runtime.image)}`)
  }
  if (given.runtime.isolation !== asked.runtime.isolation) {
    changes.push(`sandbox: ${given.runtime.isolation} → ${asked.runtime.isolation}`)
  }
  return changes
}

function secretChanges(given: readonly ConsentSecret[], asked: ConsentSecret): string[] {
  const before = given.find((secret) => secret.name === asked.name)
  if (!before) return [`secret: + ${asked.name}`]
  const changes: string[] = []
  if (before.mode !== asked.mode) changes.push(`${asked.name}: ${before.mode} → ${asked.mode}`)
  const hosts = uncovered(before.hosts, asked.hosts)
  if (hosts.length > 0) changes.push(`${asked.name}: + ${hosts.join(', ')}`)
  const surfaces = asked.in.filter((surface) => !before.in.includes(surface))
  if (surfaces.length > 0) changes.push(`${asked.name}: + in ${surfaces.join(', ')}`)
  if (JSON.stringify(before.bound_to) !== JSON.stringify(asked.bound_to)) {
    changes.push(`${asked.name}: its host binding was changed`)
  }
  return changes
}

/** Hosts first; then what is more at hosts that were approved before. */
function networkChanges(given: readonly Capability[], asked: readonly Capability[]): string[] {
  const wider = uncoveredCapabilities(given, asked)
  const isKnown = ({ host }: Capability): boolean => given.some((outer) => hostCovers(outer.host, host))
  const isMoreOften = (entry: Capability): boolean =>
    uncoveredCapabilities(given, [{ ...entry, requests: 1 }]).length === 0
  const said = (entry: Capability): string[] =>
    capabilityTexts(entry).map((text) =>
      isMoreOften(entry) && !text.includes('up to') ? `${text} (${entry.requests} requests)` : text,
    )
  const texts = (label: string, entries: readonly Capability[]): string[] =>
    entries.length === 0 ? [] : [`${label}: + ${entries.flatMap(said).join(', ')}`]
  return [
    ...texts(
      'network',
      wider.filter((entry) => !isKnown(entry)),
    ),
    ...texts('sends', wider.filter(isKnown).map(withoutKnown(given))),
  ]
}

/** The entry without the methods and paths that were approved already, as far as that tells the difference. */
const withoutKnown =
  (given: readonly Capability[]) =>
  (entry: Capability): Capability => {
    const fresh = entry.paths.filter(
      (path) => uncoveredCapabilities(given, [{ ...entry, paths: [path] }]).length > 0,
    )
    const paths = fresh.length === 0 ? entry.paths : fresh
    const methods = entry.methods.filter(
      (method) => uncoveredCapabilities(given, [{ ...entry, paths, methods: [method] }]).length > 0,
    )
    return { ...entry, paths, methods: methods.length === 0 ? entry.methods : methods }
  }

function importChanges(given: Consent['imports'], asked: Consent['imports']): string[] {
  if (asked === null || given?.lock === asked.lock) return []
  const before = new Set(given?.modules)
  const fresh = asked.modules.filter((module) => !before.has(module))
  if (fresh.length === 0) return ['imports: the same names with OTHER content, or fewer of them']
  const more = fresh.length > 3 ? ` and ${fresh.length - 3} more` : ''
  return [`imports: + ${fresh.slice(0, 3).join(', ')}${more}`]
}

const LIMITS = [
  ['timeout_ms', 'timeout', 1_000, 's'],
  ['memory_bytes', 'memory', 1_048_576, 'MiB'],
  ['cpu_millis', 'cpu', 1_000, 'cores'],
  ['pids', 'processes', 1, ''],
  ['tmp_bytes', 'scratch', 1_048_576, 'MiB'],
  ['output_bytes', 'output', 1_024, 'KiB'],
] as const

function limitChanges(given: Consent, asked: Consent): string[] {
  return LIMITS.filter(([key]) => asked.limits[key] > given.limits[key]).map(([key, label, unit, suffix]) =>
    `${label}: ${given.limits[key] / unit} → ${asked.limits[key] / unit} ${suffix}`.trimEnd(),
  )
}

/** Host patterns of `asked` that nothing in `given` covers. */
export function uncovered(given: readonly string[], asked: readonly string[]): readonly string[] {
  const parsed = given.map(parseHostPattern).filter((item): item is HostPattern => !('problem' in item))
  return asked.filter((text) => {
    const pattern = parseHostPattern(text)
    return 'problem' in pattern || !parsed.some((outer) => hostPatternCovers(outer, pattern))
  })
}

const short = (hash: string): string => hash.replace(/^sha256:/, '').slice(0, 12)
