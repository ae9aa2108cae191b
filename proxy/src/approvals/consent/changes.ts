import {
  type Capability,
  capabilityTexts,
  hostCovers,
  uncoveredCapabilities,
} from '../../egress/capabilities/index.ts'
import {
  canonicalJson,
  type HostPattern,
  hostPatternCovers,
  type Json,
  parseHostPattern,
} from '../../kernel/index.ts'
import type { Consent, ConsentSecret } from './consent.ts'

/** What a request has more of than the consent that was given, and what it has less of: one line a difference. */
interface Differences {
  readonly wider: readonly string[]
  readonly narrower: readonly string[]
}

/**
 * How a request differs from a consent that was given before: one line a difference for the head of the card, what is
 * wider first. Empty means that the given consent covers the request. Less is a difference as well: code that misses a
 * secret, is refused at a host, or is ended early takes another branch than the one that was approved. Left out is only
 * what the run does not see: the description, the link, the agent's name. `anyArgs` leaves out the args.
 */
export function differencesFrom(
  given: Consent,
  asked: Consent,
  options: { readonly anyArgs: boolean },
): readonly string[] {
  const parts: Differences[] = [
    { wider: identityChanges(given, asked), narrower: [] },
    secretChanges(given.secrets, asked.secrets),
    networkChanges(given.network, asked.network),
    dynamicCodeChanges(given, asked),
    importChanges(given.imports, asked.imports),
    {
      wider: options.anyArgs || given.args === asked.args ? [] : ['args: other than approved'],
      narrower: [],
    },
    limitChanges(given, asked),
  ]
  return [...parts.flatMap(({ wider }) => wider), ...parts.flatMap(({ narrower }) => narrower)]
}

function identityChanges(given: Consent, asked: Consent): string[] {
  const changes: string[] = []
  if (given.skill_id !== asked.skill_id) changes.push(`skill: ${given.skill_id} → ${asked.skill_id}`)
  if (given.code.sha256 !== asked.code.sha256) {
    changes.push(`code: ${codeText(given)} → ${codeText(asked)}`, ...publisherChange(given, asked))
  }
  if (given.agent.id !== asked.agent.id) changes.push(`agent: ${given.agent.name} → ${asked.agent.name}`)
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

/** With its version, where a registry has one for it: the same version with other bytes shows. */
const codeText = ({ source, code }: Consent): string =>
  source?.relation === 'signed' ? `${source.skill} ${short(code.sha256)}` : short(code.sha256)

/** Of other code alone: what covers a request is its bytes, and another signature makes them no other. */
function publisherChange({ source: given }: Consent, { source: asked }: Consent): string[] {
  const [before, now] = [given, asked].map((source) =>
    source?.relation === 'signed' ? source.publisher : null,
  )
  return before === now ? [] : [`signed by: ${before ?? 'nobody'} → ${now ?? 'nobody'}`]
}

function secretChanges(given: readonly ConsentSecret[], asked: readonly ConsentSecret[]): Differences {
  const wider: string[] = []
  const narrower: string[] = []
  for (const secret of asked) {
    const before = given.find(({ name }) => name === secret.name)
    if (!before) {
      wider.push(`secret: + ${secret.name}`)
      continue
    }
    const { name } = secret
    if (before.mode !== secret.mode) wider.push(`${name}: ${before.mode} → ${secret.mode}`)
    const more = uncovered(before.hosts, secret.hosts)
    const fewer = uncovered(secret.hosts, before.hosts)
    if (more.length > 0) wider.push(`${name}: + ${more.join(', ')}`)
    if (fewer.length > 0) narrower.push(`${name}: − ${fewer.join(', ')}`)
    if (more.length + fewer.length === 0 && !isSame(before.hosts, secret.hosts)) {
      narrower.push(`${name}: the same hosts in other words`)
    }
    const surfaces = secret.in.filter((surface) => !before.in.includes(surface))
    if (surfaces.length > 0) wider.push(`${name}: + in ${surfaces.join(', ')}`)
    const missed = before.in.filter((surface) => !secret.in.includes(surface))
    if (missed.length > 0) narrower.push(`${name}: − in ${missed.join(', ')}`)
    if (!isSameBinding(before, secret)) wider.push(`${name}: its host binding was changed`)
  }
  for (const { name } of given) {
    if (!asked.some((secret) => secret.name === name)) narrower.push(`secret: − ${name}`)
  }
  return { wider, narrower }
}

/**
 * A secret that was not stored yet when it was approved is bound, once it is, to the hosts that its card and the cards of
 * others who waited for it showed. A binding that allows every host of this card changes nothing for the run: where the
 * value may go is compared by itself.
 */
const isSameBinding = (given: ConsentSecret, asked: ConsentSecret): boolean =>
  isSame(given.bound_to, asked.bound_to) ||
  (given.bound_to === null && asked.bound_to !== null && uncovered(asked.bound_to, given.hosts).length === 0)

function networkChanges(given: readonly Capability[], asked: readonly Capability[]): Differences {
  if (isSame(plain(given), plain(asked))) return { wider: [], narrower: [] }
  const wider = beyond(given, asked, '+')
  const narrower = beyond(asked, given, '−')
  return wider.length + narrower.length > 0
    ? { wider, narrower }
    : { wider, narrower: ['sends: the same in other entries'] }
}

/** What of `others` goes beyond `base`. Hosts first; then what is more at hosts that `base` has as well. */
function beyond(base: readonly Capability[], others: readonly Capability[], sign: '+' | '−'): string[] {
  const more = uncoveredCapabilities(base, others)
  const isKnown = ({ host }: Capability): boolean => base.some((outer) => hostCovers(outer.host, host))
  const isMoreOften = (entry: Capability): boolean =>
    uncoveredCapabilities(base, [{ ...entry, requests: 1 }]).length === 0
  const describeEntry = (entry: Capability): string[] =>
    capabilityTexts(entry).map((text) =>
      isMoreOften(entry) && !text.includes('up to') ? `${text} (${entry.requests} requests)` : text,
    )
  const texts = (label: string, entries: readonly Capability[]): string[] =>
    entries.length === 0 ? [] : [`${label}: ${sign} ${entries.flatMap(describeEntry).join(', ')}`]
  return [
    ...texts(
      'network',
      more.filter((entry) => !isKnown(entry)),
    ),
    ...texts('sends', more.filter(isKnown).map(withoutKnown(base))),
  ]
}

/** The entry without the methods and paths that `base` has already, as far as that tells the difference. */
const withoutKnown =
  (base: readonly Capability[]) =>
  (entry: Capability): Capability => {
    const fresh = entry.paths.filter(
      (path) => uncoveredCapabilities(base, [{ ...entry, paths: [path] }]).length > 0,
    )
    const paths = fresh.length === 0 ? entry.paths : fresh
    const methods = entry.methods.filter(
      (method) => uncoveredCapabilities(base, [{ ...entry, paths, methods: [method] }]).length > 0,
    )
    return { ...entry, paths, methods: methods.length === 0 ? entry.methods : methods }
  }

function dynamicCodeChanges(given: Consent, asked: Consent): Differences {
  if (given.dynamic_code === asked.dynamic_code) return { wider: [], narrower: [] }
  return asked.dynamic_code
    ? { wider: ['code made from text: + allowed'], narrower: [] }
    : { wider: [], narrower: ['code made from text: − allowed'] }
}

function importChanges(given: Consent['imports'], asked: Consent['imports']): Differences {
  if (given?.lock === asked?.lock) return { wider: [], narrower: [] }
  if (asked === null) return { wider: [], narrower: ['imports: − all of them'] }
  const before = new Set(given?.modules)
  const fresh = asked.modules.filter((module) => !before.has(module))
  if (fresh.length === 0) {
    return { wider: ['imports: the same names with OTHER content, or fewer of them'], narrower: [] }
  }
  const more = fresh.length > 3 ? ` and ${fresh.length - 3} more` : ''
  return { wider: [`imports: + ${fresh.slice(0, 3).join(', ')}${more}`], narrower: [] }
}

const LIMITS = [
  ['timeout_ms', 'timeout', 1_000, 's'],
  ['memory_bytes', 'memory', 1_048_576, 'MiB'],
  ['cpu_millis', 'cpu', 1_000, 'cores'],
  ['pids', 'processes', 1, ''],
  ['tmp_bytes', 'scratch', 1_048_576, 'MiB'],
  ['output_bytes', 'output', 1_024, 'KiB'],
] as const

function limitChanges(given: Consent, asked: Consent): Differences {
  const texts = (differs: (given: number, asked: number) => boolean): string[] =>
    LIMITS.filter(([key]) => differs(given.limits[key], asked.limits[key])).map(
      ([key, label, unit, suffix]) =>
        `${label}: ${given.limits[key] / unit} → ${asked.limits[key] / unit} ${suffix}`.trimEnd(),
    )
  return { wider: texts((before, now) => now > before), narrower: texts((before, now) => now < before) }
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

const isSame = (one: Json, other: Json): boolean => canonicalJson(one) === canonicalJson(other)
const plain = (network: readonly Capability[]): Json => network.map((entry) => ({ ...entry }))
