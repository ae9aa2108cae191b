/** Agents that live in machines: an agent of ours, a machine of OpenClaw, and the sockets between that machine and the daemon. */
import type { Agents } from '../../identity/agents/index.ts'
import { actorOf, type Principal } from '../../identity/index.ts'
import { AppError, createOneAtATime, type MachineId, TOKEN_PREFIX, type Tx } from '../../kernel/index.ts'
import type { Activity, Machine, Machines } from '../machines/index.ts'
import { createAgentTokens } from './agent-tokens.ts'
import { createBrowsers, type MachineOrder } from './browsers.ts'
import type { Configuration } from './control-lines.ts'
import { DENIALS } from './denials.ts'
import { createDesktops } from './desktops.ts'
import { changedHosts } from './egress-list.ts'
import { agentIdOf, type HostedAgent, kindOf, lacksKey } from './hosted-agent.ts'
import { createHostedChats, type LinkedMachine } from './hosted-chats.ts'
import { createInspections, createMachineScrubbers } from './inspections.ts'
import { type MachineEndpoint, openMachineEndpoint, SOCKET_IS_IDENTITY } from './machine-endpoint.ts'
import type { HostedAgents, HostedAgentsDeps, HostOrder, MachineCare } from './ports.ts'
import { createSessionWatches } from './session-watches.ts'
import { createWorkspaces } from './workspaces.ts'

/** Where the machine's sockets are the daemon's to hold: its files are whole, and it is configured by whoever listens there. */
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
const WAKE_MS = 60_000
/** A text of a token's form: whoever reads it in the machine has nothing. */
const NO_TOKEN = `${TOKEN_PREFIX.agent}${SOCKET_IS_IDENTITY.padEnd(43, '-')}`
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
    if (kindOf({ spec }) !== 'openclaw') return { token: null, model: '', providers: [] }
    return {
      token: NO_TOKEN,
      model: `${provider}/${model}`,
      providers: [{ id: provider, ...NO_WHERE, models: [{ id: model }] }],
    }
  }

  function endpointOf(machine: Machine): Promise<MachineEndpoint> {
    const { id } = machine
    const known = endpoints.get(id)
    if (known !== undefined) return known
    // Whoever asks may have read its row a while ago; changes are told.
    const current = (): Machine => rows.get(id) ?? machine
    const opening = openMachineEndpoint({
      socketPath: deps.socketPathOf(deps.keyOf(machine)),
      configuration: configurationOf(machine),
      mayBegin: () => UP.has(current().observed),
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

  const watches = createSessionWatches({
    chats: deps.chats,
    async open(id, signal) {
      deps.assertOpen()
      const machine = rows.get(id)
      if (machine === undefined || !UP.has(machine.observed))
        throw new AppError('sandbox_unavailable', 'The machine sleeps.')
      agentOf(machine)
      return await (await endpointOf(machine)).link.stream(signal)
    },
    log,
  })

  async function named(name: string): Promise<{ machine: Machine; machines: Machines }> {
    const machines = await deps.machines()
    const all = await machines.list()
    const machine = all.find((one) => one.id === name) ?? all.find((one) => one.name === name)
    if (machine === undefined) throw new AppError('not_found', `No hosted agent named ${name}.`)
    return { machine, machines }
  }
  /** Of the vendor of its model, or of another one there. */
  function lacksKeyOf(machine: Machine, other?: string | undefined): string | null {
    const { provider = '', model = '' } = machine.spec.settings ?? {}
    const tags = agents.byId(agentIdOf(machine))?.tags ?? []
    if (kindOf(machine) !== 'openclaw' || deps.hasKey({ provider, model: other ?? model, tags })) return null
    return provider
  }
  const view = (machines: Machines, machine: Machine): HostedAgent => ({
    ...{ machine, forecast: machines.forecast(machine.id), lacksKeyOf: lacksKeyOf(machine) },
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
    async admit(name, model, by) {
      const machine = assertTalks((await admitted(name)).machine)
      const provider = lacksKeyOf(machine, model)
      if (provider !== null) throw lacksKey(provider, by)
      return machine
    },
    open: (name, signal) => open(name, 'message', signal),
    spoke: (id) => watches.poke(id),
  })

  async function create(
    { name, image, spec, check, along }: MachineOrder,
    by: Principal,
  ): Promise<HostedAgent> {
    await check?.()
    const machines = await deps.machines()
    const ordered = await machines.create({ name, image, spec: { ...deps.spec, ...spec }, along }, by)
    if ('denied' in ordered) throw DENIALS[ordered.denied]()
    return view(machines, ordered.machine)
  }
  const createInTurn = (order: MachineOrder, by: Principal) => inTurn(() => create(order, by))
  async function wake(id: MachineId, why: Activity): Promise<void> {
    deps.assertOpen()
    const until = AbortSignal.any([AbortSignal.timeout(WAKE_MS), halted.signal])
    using _awake = await (await deps.machines()).ensureAwake(id, why, until)
  }
  const accessBy = (why: Activity) => ({
    open: (name: string, signal: AbortSignal) => open(name, why, signal),
    wake: (id: MachineId) => void wake(id, why).catch(() => {}),
  })
  const browsers = createBrowsers({ ...deps, create: createInTurn, ...accessBy('browser') })
  const desktops = createDesktops({
    ...{ ...deps, create: createInTurn, ...accessBy('desktop') },
    find: async (name) => (await named(name)).machine,
    isRunning: (id) => rows.get(id)?.observed === 'running',
    remove: (id, by) => order(id, 'remove', by),
  })

  async function order(name: string, order: HostOrder, by: Principal): Promise<HostedAgent> {
    if (WANTED[order] === 'awake') deps.assertOpen()
    const { machine, machines } = await named(name)
    await machines.ask(machine.id, WANTED[order], by)
    if (order === 'remove' && kindOf(machine) === 'openclaw') {
      const agent = agents.byId(agentIdOf(machine))
      // At once: what it asked for goes with it.
      if (agent !== undefined && agent.revokedAt === null) await agents.revoke(agent.name, actorOf(by))
      watches.close(machine.id)
      await chats.forget(machine.id)
      // What was its own is nobody's now.
      for (const one of await machines.list())
        if (one.id !== machine.id && agentIdOf(one) === agentIdOf(machine))
          await machines.ask(one.id, 'deleted', by)
    }
    return view(machines, rows.get(machine.id) ?? machine)
  }

  const linkOf = async ({ id }: Machine) =>
    await endpoints.get(id)?.then(
      ({ link }) => link,
      () => undefined,
    )
  const scrubberFor = createMachineScrubbers({
    linkOf,
    openToScrub: (machine, what, by) => deps.openToScrub(machine, what, actorOf(by)),
  })
  const inspections = createInspections({ named, linkOf, assertOpen: deps.assertOpen, scrubberFor })
  const { cut: cutFiles, ...workspaces } = createWorkspaces({
    admit: async (name) => (await admitted(name)).machine,
    open: (name, signal) => open(name, 'files', signal),
    halted: () => halted.signal,
    filesOf: async (id) => (await deps.machines()).files(id),
    ownerOf: (machine) => deps.keyOf(machine).tenant,
    room: deps.fileRoom,
    async note(machine, note, by) {
      const { text } = await scrubberFor(machine, 'file', by)
      await deps.noteFile(machine, { ...note, path: text(note.path) }, actorOf(by))
    },
    assertRoom: deps.assertRoom,
    clock: deps.clock,
  })

  return {
    ...chats,
    ...browsers,
    ...desktops,
    ...inspections,
    ...workspaces,
    async list() {
      const machines = await deps.machines()
      return (await machines.list()).map((machine) => view(machines, machine))
    },

    find: async (name) => (await named(name)).machine,

    isOpen(id) {
      const machine = rows.get(id as MachineId)
      return machine !== undefined && machine.desired !== 'deleted' && mayGo(machine)
    },

    async time(name, sinceDay) {
      const { machine, machines } = await named(name)
      return { machine, time: await machines.time(machine.id, sinceDay) }
    },

    // Its agent in the unit of its machine: what is refused leaves nothing.
    add: ({ name, provider, model, sleepAfterMs }, by) =>
      inTurn(async () => {
        deps.assertOpen()
        deps.assertProvider(provider)
        const wake = { kind: 'machine', target: name, sessionKey: null, sealedToken: null } as const
        let made: Awaited<ReturnType<Agents['addIn']>> | undefined
        const along = async (tx: Tx) => {
          made = await agents.addIn(tx, { name, wake }, actorOf(by))
          return { agent: made.agent.id }
        }
        const sleep = sleepAfterMs === undefined ? {} : { sleepAfterMs }
        const spec = { ...sleep, settings: { provider, model } }
        const hosted = await create({ name, image: deps.images.openclaw, spec, along }, by)
        if (made !== undefined) tokens.keep(made.agent.id, made.token, made.agent.tokenSha256)
        return hosted
      }),

    order,

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
      watches.poke(linked.machine.id)
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
      if (kindOf(row) === 'openclaw') watches.changed(row)
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
      cutFiles(id)
      for (const machine of rows.values())
        if (agentIdOf(machine) === id) void withEndpoint(machine.id, (endpoint) => endpoint.cut())
    },

    halt() {
      halted.abort(new AppError('locked', 'The owner has stopped everything.'))
      halted = new AbortController()
      for (const id of endpoints.keys()) void withEndpoint(id, (endpoint) => endpoint.cut())
    },

    async [Symbol.asyncDispose]() {
      watches.closeAll()
      await Promise.all([...endpoints.keys()].map(closeEndpoint))
    },
  }
}

/** What was begun goes on. */
async function inTime(work: Promise<void>): Promise<void> {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => {
    late.reject(new AppError('sandbox_unavailable', 'It is still being stopped for it, and goes on.'))
  }, ROLL_BACK_MS)
  try {
    await Promise.race([work, late.promise])
  } finally {
    clearTimeout(timer)
  }
}

function assertTalks(machine: Machine): Machine {
  if (kindOf(machine) !== 'openclaw') throw new AppError('refused', `A ${kindOf(machine)} does not talk.`)
  return machine
}
