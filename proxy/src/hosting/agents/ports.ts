/** What hosted agents are to others, and what they need of them. */
import type { RequestListener } from 'node:http'
import type { Agents } from '../../identity/agents/index.ts'
import type { Actor, Principal } from '../../identity/index.ts'
import type { AgentId, Clock, MachineId, SecretValue } from '../../kernel/index.ts'
import type { Chats } from '../chat/index.ts'
import type {
  KeptFiles,
  Machine,
  MachineKey,
  MachineRef,
  MachineSpec,
  Machines,
  MachineTime,
} from '../machines/index.ts'
import type { Browsers } from './browsers.ts'
import type { Desktops } from './desktops.ts'
import type { FileRoom } from './file-room.ts'
import type { HostedAgent } from './hosted-agent.ts'
import type { HostedChats } from './hosted-chats.ts'
import type { Inspected, Inspections } from './inspections.ts'
import type { MachineEgress, MachineEgressDeps } from './machine-egress.ts'
import type { EndpointDeps, ModelConnection } from './machine-endpoint.ts'
import type { FileNote, Workspaces } from './workspaces.ts'

interface NewHostedAgent {
  readonly name: string
  /** The vendor whose models it uses, and which of them. */
  readonly provider: string
  readonly model: string
  /** Null: it is never paused; undefined: as the settings say. */
  readonly sleepAfterMs?: number | null | undefined
}

export type HostOrder = 'start' | 'stop' | 'sleep' | 'wake' | 'remove'

interface EgressChange {
  readonly allow: readonly string[]
  readonly deny: readonly string[]
}

export interface HostedAgents extends HostedChats, Browsers, Desktops, Inspections, Workspaces {
  list(): Promise<readonly HostedAgent[]>
  /** By id or name; wakes none. Throws `not_found`. */
  find(name: string): Promise<Machine>
  /** Whether somebody may have a connection into it now: it is not being removed, its agent is not revoked, and nothing is locked. */
  isOpen(id: string): boolean
  /** By id or name, with its time since a day in UTC. Throws `not_found`. */
  time(name: string, sinceDay: string): Promise<{ readonly machine: Machine; readonly time: MachineTime }>
  add(input: NewHostedAgent, by: Principal): Promise<HostedAgent>
  /** By id or name. Resolves when it is wanted so. Throws `not_found`, `conflict`. */
  order(name: string, order: HostOrder, by: Principal): Promise<HostedAgent>
  /** Hosts that it may reach from now on, and may not any more: canonical patterns. Throws `not_found`, `refused`. */
  reach(name: string, change: EgressChange, by: Principal): Promise<HostedAgent>
  /** What is kept of its files, the newest first. Throws `not_found`. */
  generations(name: string): Promise<readonly KeptFiles[]>
  /**
   * Puts kept files in the place of what it has, which is kept first. Throws `not_found`, `conflict`, `refused`, and
   * `sandbox_unavailable` where that takes its time; it goes on then.
   */
  rollBack(name: string, to: number, by: Principal): Promise<HostedAgent>
  /** Tells it that an outcome is there. */
  tell(name: string, text: string, signal: AbortSignal): Promise<number>
}

/** What a host of machines asks of who made them. */
export interface MachineCare {
  isReady(ref: MachineRef, signal: AbortSignal): Promise<boolean>
  changed(key: MachineKey, row: Machine): void
  /** Those that an earlier daemon left: from here on they are listened for. */
  adopt(machines: readonly Machine[]): Promise<void>
  /** Lockdown: what they say to models and to the agent API ends at once, and so do chats with them. */
  halt(): void
  /** It was revoked: what its machine has under way ends at once. */
  agentRevoked(id: AgentId): void
}

export interface HostedAgentsDeps {
  readonly agents: Pick<Agents, 'addIn' | 'rotate' | 'revoke' | 'byId' | 'list'>
  /** Opened when it is first needed. */
  readonly machines: () => Promise<Machines>
  /** What was said to them. */
  readonly chats: () => Promise<Chats>
  /** Keeps it awake, if it is. */
  readonly hold: (id: MachineId) => Disposable | undefined
  readonly socketPathOf: (key: MachineKey) => string
  readonly keyOf: (machine: Machine) => MachineKey
  /** Null: what has the machines has none. */
  readonly images: {
    readonly openclaw: string
    readonly browser: string | null
    readonly desktop: string | null
  }
  readonly spec: Omit<MachineSpec, 'settings'>
  readonly agentApi: RequestListener
  readonly upgradeApi: EndpointDeps['upgradeApi']
  readonly openEgress: (
    of: Pick<MachineEgressDeps, 'machine' | 'agent' | 'folder' | 'mayGo'>,
    hosts: readonly string[],
  ) => Promise<MachineEgress>
  /** Throws for a provider that is not there, and during a lockdown. */
  readonly bindModel: (use: {
    readonly machine: MachineId
    readonly agent: { readonly id: AgentId; readonly name: string; readonly tags: readonly string[] }
    readonly provider: string
  }) => ModelConnection
  /** All values of the tenant, to be cut out of what a machine says; said so in the audit. Throws `locked`. */
  readonly openToScrub: (
    machine: Machine,
    what: Inspected,
    by: Actor,
  ) => Promise<ReadonlyMap<string, SecretValue>>
  /** Of all tenants. */
  readonly fileRoom: FileRoom
  /** Into the audit. */
  readonly noteFile: (machine: Machine, note: FileNote, by: Actor) => Promise<void>
  /** Throws `storage_unavailable` where the disk is nearly full. */
  readonly assertRoom: () => void
  readonly clock: Clock
  /** Throws `invalid_request` for a provider that a machine cannot use. */
  readonly assertProvider: (name: string) => void
  /** Whether a call of this model would find a key, or needs none. */
  readonly hasKey: (use: {
    readonly provider: string
    readonly model: string
    readonly tags: readonly string[]
  }) => boolean
  /** Throws `locked` during a lockdown. */
  readonly assertOpen: () => void
  readonly log: (message: string, error?: unknown) => void
}
