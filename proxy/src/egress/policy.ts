import {
  type CONSENT_SURFACES,
  type HostPattern,
  hostPatternCovers,
  isIpLiteral,
  type SecretValue,
} from '../kernel/index.ts'
import type { Scrubber } from '../scrub/index.ts'
import { type Capability, hostsOf } from './capabilities/index.ts'
import { type CompiledCapability, compileCapability, parsedHost } from './compiled-capability.ts'
import { createPlaceholder, type Placeholder } from './placeholder.ts'

/** Parts of a request; `form` are the fields of a form in a body, which `body` holds as well. */
export type Surface = (typeof CONSENT_SURFACES)[number]

/** What was approved for whatever sends requests: all that the gateway has to know of it, whichever kind of approval it was. */
export interface EgressApproval {
  /** Id of the agent that the requests are made for. */
  readonly owner: string
  readonly network: readonly Capability[]
  readonly secrets: readonly ApprovedSecret[]
}

/** A secret that the gateway is to put in; values that the code holds itself are not among them. */
export interface ApprovedSecret {
  readonly name: string
  readonly value: SecretValue
  readonly hosts: readonly string[]
  /** Hosts that the owner bound it to; null when to none. */
  readonly boundTo: readonly string[] | null
  readonly surfaces: readonly Surface[]
}

/** A secret whose value the gateway puts in place of its placeholder. */
export interface EgressSecret extends Placeholder {
  readonly name: string
  /** Where it may go: approved hosts that the owner's binding covers too. */
  readonly hosts: readonly HostPattern[]
  readonly surfaces: ReadonlySet<Surface>
}

/** What one run may reach, and what may be put in on the way. Built from what was approved and the vault, never from the code. */
export interface EgressPolicy {
  /** Id of the agent that it is for: look-ups of its names are that agent's. */
  readonly owner: string
  readonly network: readonly HostPattern[]
  /** What it may do there. */
  readonly capabilities: readonly CompiledCapability[]
  readonly secrets: readonly EgressSecret[]
  /** Finds every secret of the run, those in raw mode too; compiled once, when it is first asked for. */
  readonly scrubber: () => Scrubber
}

/** A place as a request names it; the host in canonical form (see `parseHostPattern`). */
export interface EgressTarget {
  readonly scheme: 'https' | 'http'
  readonly host: string
  readonly port: number
}

export function createPolicy(
  { owner, network, secrets }: EgressApproval,
  scrubber: () => Scrubber,
): EgressPolicy {
  return {
    owner,
    scrubber,
    network: parsed(hostsOf(network)),
    capabilities: network.map(compileCapability),
    secrets: secrets.map(({ name, value, hosts, boundTo, surfaces }) => ({
      name,
      ...createPlaceholder(value),
      hosts: parsed(bothAllow(hosts, boundTo)),
      surfaces: new Set(surfaces),
    })),
  }
}

/** Compiled once for each list, so that what was spent of it is known wherever it stands. */
const compiled = new WeakMap<readonly Capability[], readonly CompiledCapability[]>()

/** The same with more that it may reach; no secret goes there. */
export function widened(policy: EgressPolicy, more: readonly (readonly Capability[])[]): EgressPolicy {
  const capabilities = more.flatMap((network) => {
    const known = compiled.get(network) ?? network.map(compileCapability)
    compiled.set(network, known)
    return known
  })
  return {
    ...policy,
    network: [...policy.network, ...parsed(hostsOf(more.flat()))],
    capabilities: [...policy.capabilities, ...capabilities],
  }
}

/**
 * Patterns that reach only what both lists reach; `null` stands for everything. Where a pattern of one list lies
 * within one of the other, the narrower of the two is taken.
 */
export function bothAllow(asked: readonly string[], bound: readonly string[] | null): readonly string[] {
  if (bound === null) return asked
  const narrower = (one: readonly string[], other: readonly string[]): string[] => {
    const outer = parsed(other)
    return one.filter((text) =>
      parsed([text]).every((pattern) => outer.some((wide) => hostPatternCovers(wide, pattern))),
    )
  }
  return [...new Set([...narrower(asked, bound), ...narrower(bound, asked)])].sort()
}

export const reaches = (patterns: readonly HostPattern[], target: EgressTarget): boolean =>
  patterns.some((pattern) => hostPatternCovers(pattern, { ...target, wildcard: false }))

/** Address literals that a person approved by themselves, for this port and scheme. */
export function approvedAddresses(policy: EgressPolicy, target: EgressTarget): ReadonlySet<string> {
  return new Set(
    policy.network
      .filter(
        (pattern) =>
          isIpLiteral(pattern.host) && pattern.port === target.port && pattern.scheme === target.scheme,
      )
      .map((pattern) => pattern.host),
  )
}

const parsed = (patterns: readonly string[]): HostPattern[] => patterns.map(parsedHost)
