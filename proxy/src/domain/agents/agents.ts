import ipaddr from 'ipaddr.js'
import {
  type AgentId,
  AppError,
  type Clock,
  type EventPublisher,
  equalInConstantTime,
  newAgentId,
  randomToken,
  sha256Hex,
  type UnixMs,
} from '../../kernel/index.ts'
import type { AuditLog, Transactor } from '../audit/index.ts'
import { createTokenOverlaps, isPreviousGood, type PreviousToken } from './token-overlap.ts'

/** Who may ask. A token lets its holder ask and read its own results, and nothing more. */
export interface Agent {
  readonly id: AgentId
  readonly name: string
  readonly tokenSha256: string
  /** The token before this one, while both are good. */
  readonly previous: PreviousToken | null
  /** Empty: any address. */
  readonly cidrs: readonly string[]
  /** Which keys of providers it may be served with: those that ask for no other tag. */
  readonly tags: readonly string[]
  readonly wake: WakeTarget | null
  readonly createdAt: UnixMs
  readonly revokedAt: UnixMs | null
}

/** Where an agent is told of outcomes; its token is sealed in the vault under the agent's id. */
export interface WakeTarget {
  readonly kind: 'openclaw-hook' | 'openclaw-cli' | 'webhook'
  /** Hook address, or the path of the CLI. */
  readonly target: string
  readonly sessionKey: string | null
  /** Sealed with the vault; null when the kind needs none. */
  readonly sealedToken: string | null
}

export interface AgentRepository {
  insert(agent: Agent): void
  /** By its present token, or by the one before. */
  byTokenHash(tokenSha256: string): Agent | undefined
  byId(id: AgentId): Agent | undefined
  byName(name: string): Agent | undefined
  list(): readonly Agent[]
  revoke(id: AgentId, at: UnixMs): void
  setToken(id: AgentId, tokenSha256: string, previous: PreviousToken | null): void
  setWake(id: AgentId, wake: WakeTarget | null): void
  setTags(id: AgentId, tags: readonly string[]): void
}

export interface Agents {
  /** The token is in the answer and nowhere else. */
  add(input: NewAgent, actor: string): { agent: Agent; token: string }
  /** Throws `unauthenticated` or `address_not_allowed`. */
  authenticate(authorization: string | undefined, remoteAddress: string): Agent
  revoke(name: string, actor: string): Agent
  /** A new token for the same agent, with all that was granted to it. The old one is refused at once, or after so many milliseconds. */
  rotate(name: string, overlapMs: number, actor: string): { agent: Agent; token: string }
  /** In place of those it had. */
  setTags(name: string, tags: readonly string[], actor: string): Agent
  list(): readonly Agent[]
  byId(id: AgentId): Agent | undefined
  /** Ends old tokens whose time is over. */
  tick(): void
  /** Grows with every change, so that what was derived can be kept until then. */
  readonly revision: number
}

export interface NewAgent {
  readonly name: string
  readonly cidrs?: readonly string[]
  readonly tags?: readonly string[]
  /** A function when it holds a token, which is sealed under the new agent's id. */
  readonly wake?: WakeTarget | ((id: AgentId) => WakeTarget | null) | null
}

const AGENT_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/
const TAG = /^[a-z0-9][a-z0-9-]{0,31}$/
const MAX_TAGS = 16
/** Longer, and nobody remembers that the old token is still good. */
const MAX_OVERLAP_MS = 7 * 24 * 3_600_000
const TOKEN_FORM = /^Bearer (oa3_[A-Za-z0-9_-]{43})$/i

/** The agent's token is good no more: nothing of it that waits or stands does so any longer. */
export interface AgentEvent {
  readonly type: 'agent.revoked'
  readonly agentId: AgentId
  readonly actor: string
}

export function createAgents(deps: {
  readonly repository: AgentRepository
  readonly audit: AuditLog
  readonly transactor: Transactor
  readonly clock: Clock
  readonly events: EventPublisher<AgentEvent>
}): Agents {
  const { repository, audit, transactor, events, clock } = deps
  let revision = 1
  const changing = <T>(work: () => T): T => {
    try {
      return transactor.transact(work)
    } finally {
      revision += 1
    }
  }
  const activeAgent = (name: string): Agent => {
    const agent = repository.byName(name)
    if (!agent || agent.revokedAt !== null) throw new AppError('not_found', `No agent named ${name}.`)
    return agent
  }
  const overlaps = createTokenOverlaps({
    list: () => repository.list(),
    clock,
    end: (ids) =>
      changing(() => {
        for (const id of ids) {
          const agent = repository.byId(id)
          if (!agent) continue
          repository.setToken(id, agent.tokenSha256, null)
          audit.append('agent.token_ended', 'daemon', null, { agent_id: id, name: agent.name })
        }
      }),
  })
  return {
    get revision() {
      overlaps.endPast()
      return revision
    },
    tick: () => overlaps.tick(),

    add(input, actor) {
      if (!AGENT_NAME.test(input.name)) {
        throw new AppError('invalid_request', 'An agent name is 1–64 of A–Z a–z 0–9 . _ -')
      }
      for (const cidr of input.cidrs ?? []) assertCidr(cidr)
      const token = `oa3_${randomToken(256)}`
      const id = newAgentId()
      const agent: Agent = {
        id,
        name: input.name,
        tokenSha256: sha256Hex(token),
        previous: null,
        cidrs: input.cidrs ?? [],
        tags: canonicalTags(input.tags ?? []),
        wake: (typeof input.wake === 'function' ? input.wake(id) : input.wake) ?? null,
        createdAt: clock.now(),
        revokedAt: null,
      }
      changing(() => {
        const existing = repository.byName(input.name)
        if (existing && existing.revokedAt === null) {
          throw new AppError(
            'conflict',
            `There is an agent named ${input.name}. A new token for it: oauth3 agent rotate ${input.name}; revoke it first for another agent of this name.`,
          )
        }
        repository.insert(agent)
        audit.append('agent.added', actor, null, {
          agent_id: agent.id,
          name: agent.name,
          cidrs: agent.cidrs,
          tags: agent.tags,
          wake: agent.wake?.kind ?? null,
        })
      })
      return { agent, token }
    },

    authenticate(authorization, remoteAddress) {
      const token = TOKEN_FORM.exec(authorization ?? '')?.[1]
      overlaps.endPast()
      const presented = token === undefined ? undefined : sha256Hex(token)
      const agent = presented === undefined ? undefined : repository.byTokenHash(presented)
      if (!agent || !presented || agent.revokedAt !== null || !holds(agent, presented, clock.now())) {
        throw new AppError('unauthenticated', 'Send "Authorization: Bearer oa3_…" with a valid agent token.')
      }
      if (agent.cidrs.length > 0 && !agent.cidrs.some((cidr) => addressInCidr(remoteAddress, cidr))) {
        throw new AppError('address_not_allowed', 'This token may not be used from this address.')
      }
      return agent
    },

    revoke(name, actor) {
      return changing(() => {
        const agent = activeAgent(name)
        repository.revoke(agent.id, clock.now())
        audit.append('agent.revoked', actor, null, { agent_id: agent.id, name })
        events.publish({ type: 'agent.revoked', agentId: agent.id, actor })
        return agent
      })
    },

    rotate(name, overlapMs, actor) {
      if (!Number.isInteger(overlapMs) || overlapMs < 0 || overlapMs > MAX_OVERLAP_MS) {
        throw new AppError('invalid_request', 'The old token is good for 7 more days at most.')
      }
      const token = `oa3_${randomToken(256)}`
      return changing(() => {
        const before = activeAgent(name)
        const since = clock.now()
        const previous =
          overlapMs === 0 ? null : { sha256: before.tokenSha256, since, until: since + overlapMs }
        const agent: Agent = { ...before, tokenSha256: sha256Hex(token), previous }
        repository.setToken(agent.id, agent.tokenSha256, previous)
        overlaps.touch()
        audit.append('agent.token_rotated', actor, null, {
          agent_id: agent.id,
          name,
          old_until: previous?.until ?? null,
        })
        return { agent, token }
      })
    },

    setTags(name, tags, actor) {
      const canonical = canonicalTags(tags)
      return changing(() => {
        const agent = activeAgent(name)
        repository.setTags(agent.id, canonical)
        audit.append('agent.tagged', actor, null, { agent_id: agent.id, name, tags: canonical })
        return { ...agent, tags: canonical }
      })
    },

    list: () => repository.list(),
    byId: (id) => repository.byId(id),
  }
}

/** Sorted, each once; throws invalid_request. */
export function canonicalTags(tags: readonly string[]): readonly string[] {
  const canonical = [...new Set(tags)].sort()
  if (canonical.length > MAX_TAGS)
    throw new AppError('invalid_request', `There are at most ${MAX_TAGS} tags.`)
  if (!canonical.every((tag) => TAG.test(tag))) {
    throw new AppError('invalid_request', 'A tag is 1–32 of a–z 0–9 - and does not begin with -.')
  }
  return canonical
}

const holds = ({ tokenSha256, previous }: Agent, presented: string, now: UnixMs): boolean =>
  equalInConstantTime(tokenSha256, presented) ||
  (previous !== null && isPreviousGood(previous, now) && equalInConstantTime(previous.sha256, presented))

function assertCidr(cidr: string): void {
  const address = cidr.slice(0, Math.max(0, cidr.lastIndexOf('/')))
  // Short, octal and mapped forms are read differently by different people.
  const plain =
    ipaddr.IPv4.isValidFourPartDecimal(address) ||
    (ipaddr.IPv6.isValid(address) && !ipaddr.IPv6.parse(address).isIPv4MappedAddress())
  if (!plain || !ipaddr.isValidCIDR(cidr)) {
    throw new AppError('invalid_request', `"${cidr}" is not a CIDR such as 10.0.0.0/24 or fd00::/64`)
  }
}

/** IPv4-mapped IPv6 addresses count as the IPv4 address that they carry. */
function addressInCidr(address: string, cidr: string): boolean {
  if (!ipaddr.isValid(address)) return false
  const parsed = ipaddr.process(address)
  const [network, bits] = ipaddr.parseCIDR(cidr)
  return parsed.kind() === network.kind() && parsed.match(network, bits)
}
