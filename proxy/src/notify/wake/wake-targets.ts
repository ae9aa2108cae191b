import type { Agent, Agents, WakeTarget } from '../../identity/agents/index.ts'
import { type AgentId, type SecretValue, sha256Hex } from '../../kernel/index.ts'

/** Where a wake goes, with what it takes to get in. */
export interface WakeAddress {
  /** One lane of wakes: same way, target, session and token. */
  readonly lane: string
  /** What counts as one target for the flood guard, whatever its sessions. */
  readonly flood: string
  readonly target: WakeTarget
  readonly token: string | null
  /** Why it cannot be used; null when it can. */
  readonly problem: string | null
}

export interface DefaultTarget {
  readonly target: WakeTarget
  readonly token: string | null
}

export function createWakeTargets(deps: {
  readonly agents: Pick<Agents, 'byId' | 'list'>
  readonly vault: { openFor(purpose: string, sealed: string): SecretValue }
  readonly defaultTarget: DefaultTarget | null
}) {
  const { agents, vault, defaultTarget } = deps

  const ownOf = (agent: Agent, target: WakeTarget): WakeAddress => {
    if (target.sealedToken === null) return addressOf(target, null)
    try {
      return addressOf(target, vault.openFor(`agent-wake:${agent.id}`, target.sealedToken).open())
    } catch {
      const address = addressOf(target, null)
      return { ...address, lane: `${address.lane} ${agent.id}`, problem: 'its stored token cannot be opened' }
    }
  }

  return {
    /** The agent's own target, else the default; undefined for a revoked agent and when there is neither. */
    of(agentId: AgentId): WakeAddress | undefined {
      const agent = agents.byId(agentId)
      if (!agent || agent.revokedAt !== null) return undefined
      if (agent.wake) return ownOf(agent, agent.wake)
      return defaultTarget ? addressOf(defaultTarget.target, defaultTarget.token) : undefined
    },
    /** The default and every active agent's own, for the doctor. */
    all(): readonly { readonly owner: string; readonly address: WakeAddress }[] {
      const own = agents
        .list()
        .flatMap((agent) =>
          agent.wake && agent.revokedAt === null
            ? [{ owner: `agent ${agent.name}`, address: ownOf(agent, agent.wake) }]
            : [],
        )
      if (!defaultTarget) return own
      return [{ owner: 'default', address: addressOf(defaultTarget.target, defaultTarget.token) }, ...own]
    },
  }
}

function addressOf(target: WakeTarget, token: string | null): WakeAddress {
  const flood = JSON.stringify([target.kind, target.target])
  const lane = JSON.stringify([flood, target.sessionKey, token === null ? null : sha256Hex(token)])
  return { lane, flood, target, token, problem: null }
}

/** The target for a log line: an address without what may be secret in it, or the command. */
export function describeTarget(target: WakeTarget): string {
  if (target.kind === 'openclaw-cli' || target.kind === 'machine') return `${target.kind} ${target.target}`
  const url = URL.parse(target.target)
  return `${target.kind} ${url ? url.origin : '(not an address)'}`
}
