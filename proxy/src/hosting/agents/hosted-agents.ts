/** Agents that live in machines: an agent of ours, a machine of OpenClaw, and the sockets between that machine and the daemon. */
import type { RequestListener } from 'node:http'
import type { Agents } from '../../identity/agents/index.ts'
import { actorOf, type Principal } from '../../identity/index.ts'
import { type AgentId, AppError, createOneAtATime, type MachineId } from '../../kernel/index.ts'
import type { Chats } from '../chat/index.ts'
import type {
  Activity,
  KeptFiles,
  Machine,
  MachineKey,
  MachineRef,
  MachineSpec,
  Machines,
  MachineTime,
} from '../machines/index.ts'
import { createAgentTokens } from './agent-tokens.ts'
import { type Browsers, createBrowsers, type MachineOrder } from './browsers.ts'
import type { Configuration } from './control-lines.ts'
import { DENIALS } from './denials.ts'
import { changedHosts } from './egress-list.ts'
import { agentIdOf, type HostedAgent, kindOf } from './hosted-agent.ts'
import { createHostedChats, type HostedChats, type LinkedMachine } from './hosted-chats.ts'
import type { MachineEgress, MachineEgressDeps } from './machine-egress.ts'
import {
  type EndpointDeps,
  type MachineEndpoint,
  type ModelConnection,
  openMachineEndpoint,
  SOCKET_IS_IDENTITY,
} from './machine-endpoint.ts'

interface NewHostedAgent {
  readonly name: string
  /** The vendor whose models it uses, and which of them. */
  readonly provider: string
  readonly model: string
  /** Null: it never sleeps; undefined: as the settings say. */
  readonly sleepAfterMs?: number | null | undefined
}

type HostOrder = 'start' | 'stop' | 'sleep' | 'wake' | 'remove'

interface EgressChange {
  readonly allow: readonly string[]
  readonly deny: readonly string[]
}

export interface HostedAgents extends HostedChats, Browsers {
  list(): Promise<readonly HostedAgent[]>
  /** By id or name; wakes none. Throws `not_found`. */
  find(name: string): Promise<Machine>
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
  readonly agents: Pick<Agents, 'add' | 'rotate' | 'revoke' | 'byId' | 'list'>
  /** Opened when it is first needed. */
  readonly machines: () => Promise<Machines>
  /** What was said to them. */
  readonly chats: () => Promise<Chats>
  /** Keeps it awake, if it is. */
  readonly hold: (id: MachineId) => Disposable | undefined
  readonly socketPathOf: (key: MachineKey) => string
  readonly keyOf: (machine: Machine) => MachineKey
  /** `browser` null: what has the machines has none. */
  readonly images: { readonly openclaw: string; readonly browser: string | null }
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
  /** Throws `invalid_request` for a provider that a machine cannot use. */
  readonly assertProvider: (name: string) => void
  /** Throws `locked` during a lockdown. */
  readonly assertOpen: () => void
  readonly log: (message: string, error?: unknown) => void
}

/** Where the machine's sockets are the daemon's to hold. */
const UP: ReadonlySet<Machine['observed']> = new Set([
  'starting',
  'running',
  'pausing',
  'paused',
  'stopping',
  'waking',
])
const WANTED = {
  start: 'awake',
  wake: 'awake',
  sleep: 'paused',
  stop: 'asleep',
  remove: 'deleted',
} as const satisfies Record<HostOrder, string>
/** Clients wait a minute for an answer. */
const ROLL_BACK_MS = 45_000
/** A text of a token's form: whoever reads it in the machine has nothing. */
const NO_TOKEN = `oa3_${SOCKET_IS_IDENTITY.padEnd(43, '-')}`
const NO_WHERE = { api: 'anthropic-messages', path: '' } as const

export function createHostedAgents(deps: HostedAgentsDeps): HostedAgents & MachineCare & AsyncDisposable {
  const { agents, log } = deps
  const endpoints = new Map<MachineId, Promise<MachineEndpoint>>()
  const rows = new Map<MachineId, Machine>()
  const tokens = createAgentTokens(agents)
  const inTurn = createOneAtATime()
  let halted = new AbortController()

  const agentOf = (machine: Machine) => {
    const agent = agents.byId(agentIdOf(machine))
    if (agent === undefined || agent.revokedAt !== null)
      throw new AppError('refused', 'The agent of this machine was revoked.')
    return agent
  }

  const mayGo = (machine: Machine): boolean => {
    try {
      deps.assertOpen()
      return agentOf(machine) !== undefined
    } catch {
      return false
    }
  }

  function configurationOf({ spec }: Machine): Configuration {
    const { provider = '', model = '' } = spec.settings ?? {}
    if (kindOf({ spec }) === 'browser') return { token: null, model: '', providers: [] }
    return {
      token: NO_TOKEN,
      model: `${provider}/${model}`,
      providers: [{ id: provider, ...NO_WHERE, models: [{ id: model }] }],
    }
  }

  function endpointOf(machine: Machine): Promise<MachineEndpoint> {
    const { id } = machine
    rows.set(id, machine)
    const known = endpoints.get(id)
    if (known !== undefined) return known
    const current = (): Machine => rows.get(id) ?? machine
    const opening = openMachineEndpoint({
      socketPath: deps.socketPathOf(deps.keyOf(machine)),
      configuration: configurationOf(machine),
      isAgent: kindOf(machine) === 'openclaw',
      bindModel: () => {
        const { id: agentId, name, tags } = agentOf(current())
        return deps.bindModel({
          machine: id,
          agent: { id: agentId, name, tags },
          provider: machine.spec.settings?.provider ?? '',
        })
      },
      token: async () => tokens.of(agentOf(current())),
      agentApi: deps.agentApi,
      upgradeApi: deps.upgradeApi,
      assertOpen: deps.assertOpen,
      hold: () => deps.hold(id),
      openEgress: (folder) =>
        deps.openEgress(
          { machine: id, agent: agentIdOf(machine), folder, mayGo: () => mayGo(current()) },
          current().spec.egress ?? [],
        ),
      log,
    })
    endpoints.set(id, opening)
    opening.catch(() => endpoints.delete(id))
    return opening
  }

  /** Once it is open; where it does not open there is nothing to do. */
  const withEndpoint = async (id: MachineId, use: (endpoint: MachineEndpoint) => unknown): Promise<void> =>
    await endpoints.get(id)?.then(
      async (endpoint) => void (await use(endpoint)),
      () => {},
    )
  async function closeEndpoint(id: MachineId): Promise<void> {
    const closed = withEndpoint(id, (endpoint) => endpoint.close())
    endpoints.delete(id)
    await closed
  }

  async function named(name: string): Promise<{ machine: Machine; machines: Machines }> {
    const machines = await deps.machines()
    const all = await machines.list()
    const machine = all.find((one) => one.id === name) ?? all.find((one) => one.name === name)
    if (machine === undefined) throw new AppError('not_found', `No hosted agent named ${name}.`)
    return { machine, machines }
  }
  const view = (machines: Machines, machine: Machine): HostedAgent => ({
    machine,
    forecast: machines.forecast(machine.id),
  })

  /** Throws where nobody may speak to it now. */
  async function admitted(name: string): Promise<{ machine: Machine; machines: Machines }> {
    deps.assertOpen()
    const found = await named(name)
    agentOf(found.machine)
    return found
  }

  async function open(name: string, why: Activity, signal: AbortSignal): Promise<LinkedMachine> {
    const until = AbortSignal.any([signal, halted.signal])
    const { machine, machines } = await admitted(name)
    if (why === 'message') assertTalks(machine)
    const awake = await machines.ensureAwake(machine.id, why, until)
    try {
      const { link } = await endpointOf(machine)
      return { machine, link, until, [Symbol.dispose]: () => awake[Symbol.dispose]() }
    } catch (error) {
      awake[Symbol.dispose]()
      throw error
    }
  }

  const chats = createHostedChats({
    chats: deps.chats,
    find: async (name) => (await named(name)).machine,
    admit: async (name) => assertTalks((await admitted(name)).machine),
    open: (name, signal) => open(name, 'message', signal),
  })

  async function create({ name, image, spec, check }: MachineOrder, by: Principal): Promise<HostedAgent> {
    await check?.()
    const machines = await deps.machines()
    const ordered = await machines.create({ name, image, spec: { ...deps.spec, ...spec } }, by)
    if ('denied' in ordered) throw DENIALS[ordered.denied]()
    return view(machines, ordered.machine)
  }
  const browsers = createBrowsers({
    ...deps,
    create: (order, by) => inTurn(() => create(order, by)),
    open: (name, signal) => open(name, 'browser', signal),
    until: () => halted.signal,
  })

  return {
    ...chats,
    ...browsers,
    async list() {
      const machines = await deps.machines()
      return (await machines.list()).map((machine) => view(machines, machine))
    },

    find: async (name) => (await named(name)).machine,

    async time(name, sinceDay) {
      const { machine, machines } = await named(name)
      return { machine, time: await machines.time(machine.id, sinceDay) }
    },

    // One at a time: the agent is made before the machine that carries its id, and goes when there is none.
    add: ({ name, provider, model, sleepAfterMs }, by) =>
      inTurn(async () => {
        deps.assertOpen()
        deps.assertProvider(provider)
        // Else its agent's name is what is taken, and the advice is how to replace that.
        if ((await (await deps.machines()).list()).some((one) => one.name === name))
          throw DENIALS.name_taken()
        const wake = { kind: 'machine', target: name, sessionKey: null, sealedToken: null } as const
        const { agent, token } = await agents.add({ name, wake }, actorOf(by))
        tokens.keep(agent.id, token, agent.tokenSha256)
        try {
          const settings = { agent: agent.id, provider, model }
          const sleep = sleepAfterMs === undefined ? {} : { sleepAfterMs }
          return await create({ name, image: deps.images.openclaw, spec: { ...sleep, settings } }, by)
        } catch (error) {
          await agents.revoke(name, actorOf(by))
          throw error
        }
      }),

    async order(name, order, by) {
      if (WANTED[order] === 'awake') deps.assertOpen()
      const { machine, machines } = await named(name)
      await machines.ask(machine.id, WANTED[order], by)
      if (order === 'remove' && kindOf(machine) === 'openclaw') {
        const agent = agents.byId(agentIdOf(machine))
        // At once: what it asked for goes with it.
        if (agent !== undefined && agent.revokedAt === null) await agents.revoke(agent.name, actorOf(by))
        await chats.forget(machine.id)
      }
      return view(machines, rows.get(machine.id) ?? machine)
    },

    async reach(name, { allow, deny }, by) {
      const { machine, machines } = await named(name)
      return view(machines, await machines.reach(machine.id, (hosts) => changedHosts(hosts, allow, deny), by))
    },

    async generations(name) {
      const { machine, machines } = await named(name)
      return await machines.kept(machine.id)
    },

    async rollBack(name, to, by) {
      deps.assertOpen()
      const { machine, machines } = await named(name)
      await inTime(machines.rollBack(machine.id, to, by))
      return view(machines, rows.get(machine.id) ?? machine)
    },

    async tell(name, text, signal) {
      using linked = await open(name, 'message', signal)
      return await linked.link.wake(text, null, linked.until)
    },

    async isReady({ machine: id, tenant }, signal) {
      const row = rows.get(id)
      if (row === undefined) throw new Error(`no row of ${id} of ${tenant} was told`)
      const { link } = await endpointOf(row)
      return await link.ready(signal)
    },

    changed(_key, row) {
      rows.set(row.id, row)
      if (!UP.has(row.observed)) void closeEndpoint(row.id)
      else void withEndpoint(row.id, ({ egress }) => egress.allow(rows.get(row.id)?.spec.egress ?? []))
      if (row.observed === 'deleted') rows.delete(row.id)
    },

    async adopt(machines) {
      await (await deps.chats()).takeOver(new Set(machines.map(({ id }) => id)))
      for (const machine of machines) {
        rows.set(machine.id, machine)
        if (UP.has(machine.observed))
          await endpointOf(machine).catch((error: unknown) =>
            log(`machine ${machine.id} cannot be listened for`, error),
          )
      }
    },

    agentRevoked(id) {
      for (const machine of rows.values())
        if (agentIdOf(machine) === id) void withEndpoint(machine.id, (endpoint) => endpoint.cut())
    },

    halt() {
      halted.abort(new AppError('locked', 'The owner has stopped everything.'))
      halted = new AbortController()
      for (const id of endpoints.keys()) void withEndpoint(id, (endpoint) => endpoint.cut())
    },

    async [Symbol.asyncDispose]() {
      await Promise.all([...endpoints.keys()].map(closeEndpoint))
    },
  }
}

/** What was begun goes on. */
async function inTime(work: Promise<void>): Promise<void> {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => {
    late.reject(new AppError('sandbox_unavailable', 'It is still being put to sleep for it, and goes on.'))
  }, ROLL_BACK_MS)
  try {
    await Promise.race([work, late.promise])
  } finally {
    clearTimeout(timer)
  }
}

function assertTalks(machine: Machine): Machine {
  if (kindOf(machine) === 'browser') throw new AppError('refused', 'A browser does not talk.')
  return machine
}
