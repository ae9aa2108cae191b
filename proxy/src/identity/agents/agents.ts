import type { AuditLog } from '../../audit/index.ts'
import {
  type AgentId,
  AppError,
  bearerTokenOf,
  type Clock,
  createMirror,
  type EventPublisher,
  equalInConstantTime,
  newAgentId,
  newToken,
  type ReadTx,
  type Storage,
  sha256Hex,
  type Tx,
  type UnixMs,
} from '../../kernel/index.ts'
import { type Actor, addressInCidr, assertCidr, variableInToken } from '../index.ts'
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
  readonly kind: 'openclaw-hook' | 'openclaw-cli' | 'webhook' | 'machine'
  /** Hook address, the path of the CLI, or the name of a hosted agent. */
  readonly target: string
  readonly sessionKey: string | null
  /** Sealed with the vault; null when the kind needs none. */
  readonly sealedToken: string | null
}

interface AgentReader {
  /** By its present token, or by the one before. */
  byTokenHash(tokenSha256: string): Promise<Agent | undefined>
  byId(id: AgentId): Promise<Agent | undefined>
  byName(name: string): Promise<Agent | undefined>
  list(): Promise<readonly Agent[]>
}

export interface AgentStore extends AgentReader {
  insert(agent: Agent): Promise<void>
  revoke(id: AgentId, at: UnixMs): Promise<void>
  setToken(id: AgentId, tokenSha256: string, previous: PreviousToken | null): Promise<void>
  setWake(id: AgentId, wake: WakeTarget | null): Promise<void>
  setTags(id: AgentId, tags: readonly string[]): Promise<void>
}

declare module '../../kernel/unit-of-work.ts' {
  interface StorePorts {
    readonly agents: StorePort<AgentReader, AgentStore>
  }
}

export interface Agents {
  /** Once, before anything is asked. */
  load(tx: ReadTx): Promise<void>
  /** On a rotation of the data key, inside the vault's unit: the tokens of wake targets are sealed with it. */
  resealWakes(tx: Tx, reseal: (purpose: string, sealed: string) => string): Promise<void>
  /** The token is in the answer and nowhere else. */
  add(input: NewAgent, actor: Actor): Promise<{ agent: Agent; token: string }>
  /** In the unit of what it is made for: where that is undone there was no agent. */
  addIn(tx: Tx, input: NewAgent, actor: Actor): Promise<{ agent: Agent; token: string }>
  /** Throws `unauthenticated` or `address_not_allowed`. */
  authenticate(authorization: string | undefined, remoteAddress: string): Agent
  /**
   * What was opened by the token with this hash, whether it may still be: throws `unauthenticated` where the token is refused by now, and
   * `address_not_allowed`.
   */
  assertStill(id: AgentId, tokenSha256: string, remoteAddress: string): void
  /** Whether the token with this hash was given to an agent here; it need not be good any more. */
  hasIssued(tokenSha256: string): boolean
  revoke(name: string, actor: Actor): Promise<Agent>
  /** A new token for the same agent, with all that was granted to it. The old one is refused at once, or after so many milliseconds. */
  rotate(name: string, overlapMs: number, actor: Actor): Promise<{ agent: Agent; token: string }>
  /** In place of those it had. */
  setTags(name: string, tags: readonly string[], actor: Actor): Promise<Agent>
  list(): readonly Agent[]
  byId(id: AgentId): Agent | undefined
  /** Ends old tokens whose time is over; rejects when that cannot be written yet. */
  tick(): Promise<void>
  /** Grows with every change, so that what was derived can be kept until then. */
  readonly revision: number
}

export interface NewAgent {
  readonly name: string
  readonly cidrs?: readonly string[]
  readonly tags?: readonly string[]
  /**
   * A function when it holds a token, which is sealed under the new agent's id; called inside the unit that stores it, since what is
   * sealed before a rotation of the data key and stored after it could never be opened.
   */
  readonly wake?: WakeTarget | ((id: AgentId) => WakeTarget | null) | null
}

const AGENT_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/
const MAX_TAG_CHARS = 32
const TAG = new RegExp(`^[a-z0-9][a-z0-9-]{0,${MAX_TAG_CHARS - 1}}$`)
const MAX_TAGS = 16
/** Longer, and nobody remembers that the old token is still good. */
const MAX_OVERLAP_MS = 7 * 24 * 3_600_000

/** The token of an Authorization header; undefined where it holds none. */
export const bearerToken = (authorization: string | undefined): string | undefined =>
  bearerTokenOf('agent', authorization)

/** The agent's token is good no more: nothing of it that waits or stands does so any longer. */
export interface AgentEvent {
  readonly type: 'agent.revoked'
  readonly agentId: AgentId
  readonly actor: Actor
}

export function createAgents(deps: {
  readonly audit: AuditLog
  readonly storage: Storage
  readonly clock: Clock
  readonly events: EventPublisher<AgentEvent>
}): Agents {
  const { audit, storage, events, clock } = deps
  const rows = createMirror(async (tx) => rowsOf(await tx.agents.list()))
  const activeAgent = async (tx: ReadTx, name: string): Promise<Agent> => {
    const agent = await tx.agents.byName(name)
    if (!agent || agent.revokedAt !== null) throw new AppError('not_found', `No agent named ${name}.`)
    return agent
  }
  const overlaps = createTokenOverlaps({
    rows: { list: () => rows.value.list, revision: () => rows.revision },
    clock,
    end: (isOver) =>
      storage.transaction(async (tx) => {
        const past = (await tx.agents.list()).filter(({ previous }) => previous !== null && isOver(previous))
        if (past.length === 0) return
        for (const { id, name, tokenSha256 } of past) {
          await tx.agents.setToken(id, tokenSha256, null)
          await audit.append(tx, 'agent.token_ended', 'daemon', null, { agent_id: id, name })
        }
        await rows.refresh(tx)
      }),
  })
  const holds = ({ tokenSha256, previous }: Agent, presented: string, now: UnixMs): boolean =>
    equalInConstantTime(tokenSha256, presented) ||
    (previous !== null &&
      !overlaps.hasEnded(previous.sha256) &&
      isPreviousGood(previous, now) &&
      equalInConstantTime(previous.sha256, presented))

  async function addIn(tx: Tx, input: NewAgent, actor: Actor): Promise<{ agent: Agent; token: string }> {
    if (!AGENT_NAME.test(input.name)) {
      throw new AppError('invalid_request', 'An agent name is 1–64 of A–Z a–z 0–9 . _ -')
    }
    for (const cidr of input.cidrs ?? []) assertCidr(cidr)
    const token = newToken('agent')
    const id = newAgentId()
    const tags = canonicalTags(input.tags ?? [])
    const agent: Agent = {
      id,
      name: input.name,
      tokenSha256: sha256Hex(token),
      previous: null,
      cidrs: input.cidrs ?? [],
      tags,
      wake: (typeof input.wake === 'function' ? input.wake(id) : input.wake) ?? null,
      createdAt: clock.now(),
      revokedAt: null,
    }
    const existing = await tx.agents.byName(input.name)
    if (existing && existing.revokedAt === null) {
      throw new AppError(
        'conflict',
        `There is an agent named ${input.name}. A new token for it: oauth3 agent rotate ${input.name}; revoke it first for another agent of this name.`,
      )
    }
    await tx.agents.insert(agent)
    await audit.append(tx, 'agent.added', actor, null, {
      agent_id: agent.id,
      name: agent.name,
      cidrs: agent.cidrs,
      tags: agent.tags,
      wake: agent.wake?.kind ?? null,
    })
    await rows.refresh(tx)
    return { agent, token }
  }

  return {
    get revision() {
      overlaps.endPast()
      return rows.revision + overlaps.revision
    },
    tick: overlaps.tick,
    load: rows.load,

    async resealWakes(tx, reseal) {
      for (const { id, wake } of await tx.agents.list()) {
        if (!wake?.sealedToken) continue
        await tx.agents.setWake(id, { ...wake, sealedToken: reseal(`agent-wake:${id}`, wake.sealedToken) })
      }
      await rows.refresh(tx)
    },

    add: (input, actor) => storage.transaction((tx) => addIn(tx, input, actor)),
    addIn,

    authenticate(authorization, remoteAddress) {
      const token = bearerToken(authorization)
      overlaps.endPast()
      const presented = token === undefined ? undefined : sha256Hex(token)
      const agent = presented === undefined ? undefined : rows.value.byToken.get(presented)
      if (!agent || !presented || agent.revokedAt !== null || !holds(agent, presented, clock.now())) {
        const message = 'Send "Authorization: Bearer oa3_…" with a valid agent token.'
        throw new AppError('unauthenticated', `${message}${variableInToken(authorization)}`)
      }
      assertAddress(agent, remoteAddress)
      return agent
    },

    assertStill(id, tokenSha256, remoteAddress) {
      overlaps.endPast()
      const agent = rows.value.byId.get(id)
      if (agent === undefined || agent.revokedAt !== null || !holds(agent, tokenSha256, clock.now()))
        throw new AppError('unauthenticated', 'The token that this was opened by is good no more.')
      assertAddress(agent, remoteAddress)
    },

    hasIssued: (tokenSha256) => rows.value.byToken.has(tokenSha256),

    async revoke(name, actor) {
      return await storage.transaction(async (tx) => {
        const agent = await activeAgent(tx, name)
        await tx.agents.revoke(agent.id, clock.now())
        await audit.append(tx, 'agent.revoked', actor, null, { agent_id: agent.id, name })
        await events.publish(tx, { type: 'agent.revoked', agentId: agent.id, actor })
        await rows.refresh(tx)
        return agent
      })
    },

    async rotate(name, overlapMs, actor) {
      if (!Number.isInteger(overlapMs) || overlapMs < 0 || overlapMs > MAX_OVERLAP_MS) {
        throw new AppError('invalid_request', 'The old token is good for 7 more days at most.')
      }
      const token = newToken('agent')
      return await storage.transaction(async (tx) => {
        const before = await activeAgent(tx, name)
        const since = clock.now()
        const previous =
          overlapMs === 0 ? null : { sha256: before.tokenSha256, since, until: since + overlapMs }
        const agent: Agent = { ...before, tokenSha256: sha256Hex(token), previous }
        await tx.agents.setToken(agent.id, agent.tokenSha256, previous)
        await audit.append(tx, 'agent.token_rotated', actor, null, {
          agent_id: agent.id,
          name,
          old_until: previous?.until ?? null,
        })
        await rows.refresh(tx)
        return { agent, token }
      })
    },

    async setTags(name, tags, actor) {
      const canonical = canonicalTags(tags)
      return await storage.transaction(async (tx) => {
        const agent = await activeAgent(tx, name)
        await tx.agents.setTags(agent.id, canonical)
        await audit.append(tx, 'agent.tagged', actor, null, { agent_id: agent.id, name, tags: canonical })
        await rows.refresh(tx)
        return { ...agent, tags: canonical }
      })
    },

    list: () => rows.value.list,
    byId: (id) => rows.value.byId.get(id),
  }
}

function assertAddress({ cidrs }: Agent, remoteAddress: string): void {
  if (cidrs.length > 0 && !cidrs.some((cidr) => addressInCidr(remoteAddress, cidr)))
    throw new AppError('address_not_allowed', 'This token may not be used from this address.')
}

interface Rows {
  readonly list: readonly Agent[]
  readonly byId: ReadonlyMap<AgentId, Agent>
  /** By the hash of its present token, or of the one before. */
  readonly byToken: ReadonlyMap<string, Agent>
}

const rowsOf = (list: readonly Agent[]): Rows => ({
  list,
  byId: new Map(list.map((agent) => [agent.id, agent])),
  byToken: new Map([
    ...list.flatMap((agent) => (agent.previous === null ? [] : [[agent.previous.sha256, agent] as const])),
    ...list.map((agent) => [agent.tokenSha256, agent] as const),
  ]),
})

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

/** Commands by which an agent alone goes by a new key of a provider's, as they can be typed: they keep the tags that it has. */
export function ownKeyCommands(provider: string, { name, tags }: Pick<Agent, 'name' | 'tags'>): string {
  // A name may hold what no tag does.
  const own = name
    .toLowerCase()
    .replace(/[^a-z0-9]/g, '-')
    .slice(0, MAX_TAG_CHARS)
  const all = [...new Set([...tags, own])].map((tag) => `--tag ${tag}`).join(' ')
  return `oauth3 key add ${provider} --tag ${own}, and: oauth3 agent tag ${name} ${all}`
}

/** An agent that is not known counts as one that was revoked. */
export const isRevoked = (agents: Pick<Agents, 'byId'>, id: AgentId): boolean =>
  agents.byId(id)?.revokedAt !== null

/**
 * For a unit of work that stores what an agent asked for: what was awaited since it was authenticated may have taken its time. Throws
 * unauthenticated.
 */
export function assertNotRevoked(agents: Pick<Agents, 'byId'>, id: AgentId): void {
  if (isRevoked(agents, id)) throw new AppError('unauthenticated', 'The agent was revoked meanwhile.')
}
