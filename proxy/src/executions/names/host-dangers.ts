import { nameParts } from '../../egress/capabilities/index.ts'
import { isIpLiteral, parseHostPattern } from '../../kernel/index.ts'
import type { Danger } from '../facts/index.ts'
import { type Brands, createBrands } from './brands.ts'
import { KNOWN_HOSTS } from './lists/known-hosts.ts'
import { OWNERS_SUFFIXES } from './lists/shared-suffixes.ts'
import { lookalikeOf } from './lookalike-hosts.ts'
import { sharedSuffix, suspicion } from './suspicious-hosts.ts'

/** Made for the first host that is asked about: it is a hundredth of what an idle daemon takes. */
let wellKnown: Brands | undefined
const wellKnownHosts = (): Brands => {
  wellKnown ??= createBrands(KNOWN_HOSTS)
  return wellKnown
}

/** Of the last list that came: the same daemon asks with the same list again and again. */
let ownKey = ''
let own: Brands = createBrands([])

function brandsOf(hosts: readonly string[]): Brands {
  const key = hosts.join('\n')
  if (key !== ownKey) {
    own = createBrands(hosts.flatMap(plainHost))
    ownKey = key
  }
  return own
}

function plainHost(text: string): readonly string[] {
  const pattern = parseHostPattern(text)
  return 'problem' in pattern || isIpLiteral(pattern.host) ? [] : [pattern.host]
}

/**
 * Phishing and exfiltration by the choice of a host. What a person should know of the hosts of a request: endings that
 * strangers register under, services for anybody's data, and names that resemble known ones. `known.hosts` are the hosts
 * that this daemon has to do with already: providers, bindings of secrets, earlier grants; patterns are taken, what is no
 * pattern is left out. In the order of the hosts; each text begins with the host.
 */
export function hostDangers(
  hosts: readonly string[],
  known: { readonly hosts: readonly string[] },
): readonly Danger[] {
  const brands = brandsOf(known.hosts)
  const dangers = hosts.flatMap((text) => dangersOf(text, brands))
  return [...new Map(dangers.map((danger) => [`${danger.kind} ${danger.text}`, danger])).values()]
}

function dangersOf(text: string, own: Brands): readonly Danger[] {
  const pattern = parseHostPattern(text)
  if ('problem' in pattern) return []
  const { host, wildcard } = pattern
  const shared = wildcard ? sharedSuffix(host) : undefined
  if (shared !== undefined) return [{ kind: 'public_suffix', text: `${text}: ${shared}` }]
  const dangers: Danger[] = []
  const what = suspicion(host, wildcard)
  if (what !== undefined) dangers.push({ kind: 'suspicious_host', text: `${text} is ${what}` })
  if (isIpLiteral(host) || !host.includes('.')) return dangers
  const imitated = lookalike(host, own)
  if (imitated !== undefined)
    dangers.push({ kind: 'lookalike_host', text: `${text} looks like ${imitated} but is another` })
  return dangers
}

function lookalike(host: string, own: Brands): string | undefined {
  if (OWNERS_SUFFIXES.some((suffix) => host.endsWith(`.${suffix}`))) return undefined
  const name = nameParts(host)
  const known = wellKnownHosts()
  // What the daemon knows already is no lookalike of what is merely well known, and the other way round.
  if (own.domains.has(name.domain) || known.domains.has(name.domain)) return undefined
  return lookalikeOf(name, known) ?? lookalikeOf(name, own)
}
