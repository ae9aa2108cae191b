import { type NameParts, nameParts } from '../../egress/capabilities/index.ts'
import { latinLook, skeleton } from '../facts/index.ts'
import { createNeighbourIndex, type NeighbourIndex } from './edit-distance.ts'
import { EVERYDAY_BRANDS } from './lists/known-hosts.ts'
import { OWNERS_SUFFIXES } from './lists/shared-suffixes.ts'

/** Labels of this length and more are compared by one edit; shorter ones collide with honest names by chance. */
export const LONG_LABEL = 5

/**
 * An index of known hosts for finding impersonation (typosquatting, combosquatting, homographs): arranged so that one host is
 * compared with all of them in a few look-ups.
 */
export interface Brands {
  readonly hosts: ReadonlySet<string>
  /** Registrable domains; hosts of these are quiet. */
  readonly domains: ReadonlySet<string>
  /** Label of a registrable domain to the host that a text names. */
  readonly labels: ReadonlyMap<string, string>
  /** Skeleton of such a label to the label; of long ones alone. */
  readonly skeletons: ReadonlyMap<string, string>
  /** Skeleton in the narrow sense, letters of other scripts alone, of labels of any length. */
  readonly looks: ReadonlyMap<string, string>
  /** Labels without their hyphens to the label. */
  readonly joined: ReadonlyMap<string, string>
  readonly neighbours: NeighbourIndex
  /** A host without its last label, when that has two labels and more, to the host: `api.github` to `api.github.com`. */
  readonly stems: ReadonlyMap<string, string>
  /** The label as it stands tells an owner; false for words that name a kind of service. */
  isOwners(label: string): boolean
  /** It is nobody's word but its owner's. */
  isDistinctive(label: string): boolean
}

function ownSuffix(host: string): Pick<NameParts, 'domain' | 'label' | 'suffix'> {
  const dot = host.indexOf('.')
  return { domain: host, label: host.slice(0, dot), suffix: host.slice(dot + 1) }
}

/** Labels that name a kind of service rather than its owner. */
const GENERIC: ReadonlySet<string> = new Set(
  `api apis www data cloud mail open line live me my id app apps web dev test docs status office bill kit make cash
  circle close front signal target public internal example localhost local server auth login account redirect
  windows force modal together medium monday tomorrow quay archive elastic service-now booking outlook mega
  weather newsapi data datos dados opendata geodata transport exchangerate openexchangerates postman-echo httpbin google-analytics usps deno`.split(
    /\s+/,
  ),
)

export function createBrands(hosts: Iterable<string>): Brands {
  const all = [...new Set(hosts)]
  const domains = new Set<string>()
  const labels = new Map<string, string>()
  const stems = new Map<string, string>()
  for (const host of all) {
    const { domain, label, suffix } = OWNERS_SUFFIXES.includes(host) ? ownSuffix(host) : nameParts(host)
    if (domain === '') continue
    domains.add(domain)
    if (label.length > 1 && !labels.has(label)) labels.set(label, host)
    const stem = host.slice(0, -suffix.length - 1)
    if (stem.includes('.') && label.length >= 3) stems.set(stem, host)
  }
  const long = [...labels.keys()].filter((label) => label.length >= LONG_LABEL)
  return {
    hosts: new Set(all),
    domains,
    labels,
    skeletons: new Map(long.map((label) => [skeleton(label), label])),
    looks: new Map([...labels.keys()].map((label) => [latinLook(label), label])),
    joined: new Map(long.map((label) => [label.replaceAll('-', ''), label])),
    neighbours: createNeighbourIndex(long),
    stems,
    isOwners: (label) => labels.has(label) && !GENERIC.has(label),
    isDistinctive: (label) =>
      label.length >= LONG_LABEL && !EVERYDAY_BRANDS.has(label) && !GENERIC.has(label),
  }
}
