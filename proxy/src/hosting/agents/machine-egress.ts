/**
 * A machine's way outside: the gateway's socket in its folder, by a policy of the machine's own. No consent is behind it and no secret
 * goes by it; its owner's list says which hosts there are.
 */
import { anyCapability } from '../../egress/capabilities/index.ts'
import {
  createPolicy,
  type EgressSession,
  type EgressSessions,
  type LastingEndpoint,
  type LastingEndpoints,
} from '../../egress/index.ts'
import { agentActor } from '../../identity/index.ts'
import type { AgentId, Clock, MachineId, UnixMs } from '../../kernel/index.ts'
import { createScrubber } from '../../scrub/index.ts'

export interface MachineEgress {
  /** What it may reach from now on. What is under way ends where the list is another one. */
  allow(hosts: readonly string[]): void
  /** Ends what is under way. */
  cut(): void
  close(): Promise<void>
}

export interface MachineEgressDeps {
  readonly endpoints: LastingEndpoints
  readonly sessions: Pick<EgressSessions, 'begin'>
  readonly clock: Clock
  readonly machine: MachineId
  readonly agent: AgentId
  /** The machine's, which the driver made. */
  readonly folder: string
  /** False during a lockdown, and when its agent was revoked: nothing goes out. */
  readonly mayGo: () => boolean
}

/** What a session counts is counted anew after it, so that a machine has no last request. */
const SESSION_MS = 3_600_000

export async function openMachineEgress(
  deps: MachineEgressDeps,
  hosts: readonly string[],
): Promise<MachineEgress> {
  const { clock, machine, agent } = deps
  let allowed = hosts
  let session: EgressSession | undefined
  let until: UnixMs = 0

  const end = (): void => {
    session?.end()
    session = undefined
  }
  const begin = (): EgressSession => {
    until = clock.now() + SESSION_MS
    const policy = createPolicy({ owner: agent, network: allowed.map(anyCapability), secrets: [] }, () =>
      createScrubber(new Map()),
    )
    return deps.sessions.begin(machine, policy, { actor: agentActor(agent), for: 'machine', machine })
  }
  const endpoint: LastingEndpoint = await deps.endpoints.openLasting(deps.folder, () => {
    if (!deps.mayGo()) return null
    if (session !== undefined && clock.now() >= until) end()
    session ??= begin()
    return session
  })

  const cut = (): void => {
    endpoint.cut()
    end()
  }
  return {
    allow(list) {
      if (list.join() === allowed.join()) return
      allowed = list
      cut()
    },
    cut,
    async close() {
      await endpoint.close()
      end()
    },
  }
}
