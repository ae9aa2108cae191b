import type { RequestListener } from 'node:http'
import { createEgressSessions } from '../egress/index.ts'
import { createHostedAgents, type HostedAgents, openMachineEgress } from '../hosting/agents/index.ts'
import { type AgentBots, createAgentBots } from '../hosting/bots/index.ts'
import { type Chats, createChatLedger, createChats } from '../hosting/chat/index.ts'
import type { MachineDriver, Machines } from '../hosting/machines/index.ts'
import type { Cdp } from '../http/cdp/index.ts'
import { AppError, lazily, type TenantId } from '../kernel/index.ts'
import type { ProviderKeys } from '../llm/provider-keys/index.ts'
import type { Providers } from '../llm/providers/index.ts'
import type { LlmProxy } from '../llm/proxy/index.ts'
import type { WakeChannel } from '../notify/wake/index.ts'
import { BROWSER_IMAGE, DESKTOP_IMAGE, imageTag, OPENCLAW_IMAGE } from '../sandbox/runtimes/index.ts'
import type { Installation } from './compose-installation.ts'
import type { TenantCore } from './daemon-core.ts'
import { createOutcomes } from './outcomes.ts'

/** What a test puts in the place of the usual; each left out is the real one. */
export interface HostingOverrides {
  /** In the place of all of it. */
  readonly played?: (tenant: TenantId) => Hosting
  readonly image?: string
  readonly command?: readonly string[]
  readonly memoryBytes?: number
  /** How fast bots of agents write, and how long a poll for updates waits. */
  readonly bots?: Pick<Parameters<typeof createAgentBots>[0], 'pace' | 'pollSeconds'>
}

/** Hosted agents of one tenant, joined and at rest. */
export interface Hosting extends HostedAgents, AsyncDisposable {
  readonly bots: AgentBots
  /** Goes on with the machines that there are; loads nothing where there is none. */
  start(): Promise<void>
}

const CPU_MILLIS = 2_000
const PIDS = 512
const TMP_BYTES = 256 * 1_048_576
const NO_LIMITS = { requestsPerMinute: null, tokensPerDay: null, microUsdPerDay: null }
const LOCKDOWN = 'lockdown'
const NO_BUDGET = { usd: null, tokens: null, requests: null }

/** Machines cost nothing before there is one: the host of them is loaded by the first. */
export function composeHosting(
  installation: Pick<Installation, 'config' | 'clock' | 'log' | 'endpoints' | 'machines' | 'bots'>,
  deps: {
    readonly core: TenantCore
    readonly providers: Pick<Providers, 'find'>
    readonly keys: Pick<ProviderKeys, 'openAll' | 'isThere'>
    readonly llmProxy: Pick<LlmProxy, 'bind'>
    readonly agentApi: RequestListener
    readonly upgradeApi: Cdp['upgrade']
  },
  overrides: HostingOverrides = {},
): Hosting {
  const { config, clock, log, endpoints, machines: shared } = installation
  const { core, providers, llmProxy } = deps
  const { tenant } = core.storage
  const warn = (message: string, error?: unknown): void => log.warn({ err: error }, message)
  const sessions = createEgressSessions({
    ...core,
    onDefect: (error, machine) =>
      log.error({ err: error, machine }, 'requests of a machine could not be written to the audit yet'),
  })

  async function openNow(): Promise<Machines> {
    const { machines } = await shared.open(core, {
      isReady: agents.isReady,
      identityTaken: ({ name }, tx) => core.events.publish(tx, { type: 'machine.identity_taken', name }),
      changed(key, row) {
        agents.changed(key, row)
        // What was asked for before a lockdown, and is stored in it.
        if (row.desired === 'awake' && core.lockdown.state !== null) pauseAll()
      },
      adopt(rows, address) {
        addressOf = address
        return agents.adopt(rows)
      },
    })
    machinesNow = machines
    if (core.lockdown.state !== null) await machines.pauseAll(LOCKDOWN)
    return machines
  }
  let opening: Promise<Machines> | undefined
  const open = (): Promise<Machines> => {
    opening ??= openNow().catch((error: unknown) => {
      opening = undefined
      throw error
    })
    return opening
  }
  let machinesNow: Machines | undefined
  const pauseAll = (): void =>
    void machinesNow
      ?.pauseAll(LOCKDOWN)
      .catch((error: unknown) => warn('hosted agents could not be paused for a lockdown', error))
  let addressOf: MachineDriver['address'] | undefined

  const outcomes = createOutcomes(core)
  const chats = lazily(async (): Promise<Chats> => {
    const { createSodiumCipher } = await import('../vault/crypto/index.ts')
    const ledger = createChatLedger({ ...core, clock, cipher: await createSodiumCipher() })
    return createChats({ ledger, requestOf: outcomes.requestOf, log: warn })
  })
  const agents = createHostedAgents({
    agents: core.agents,
    machines: open,
    chats,
    socketPathOf: (key) => {
      if (addressOf === undefined) throw new AppError('internal', 'A machine before there is a driver.')
      return addressOf({ ...key, generation: 0 }).socketPath
    },
    hold: (id) => machinesNow?.hold(id, 'model_call'),
    keyOf: ({ id }) => ({ tenant, machine: id }),
    images: {
      openclaw: overrides.image ?? config.hosting.ec2?.image ?? imageTag(OPENCLAW_IMAGE),
      // An instance's image is the owner's to make, and there is one.
      browser: config.hosting.ec2 ? null : imageTag(BROWSER_IMAGE),
      desktop: config.hosting.ec2 ? null : imageTag(DESKTOP_IMAGE),
    },
    spec: {
      command: overrides.command ?? [],
      memoryBytes: overrides.memoryBytes ?? config.hosting.agentMemoryBytes,
      cpuMillis: CPU_MILLIS,
      pids: PIDS,
      tmpBytes: TMP_BYTES,
      sleepAfterMs: config.hosting.sleepAfterMs,
    },
    agentApi: deps.agentApi,
    upgradeApi: deps.upgradeApi,
    openEgress: (of, hosts) => openMachineEgress({ ...of, endpoints, sessions, clock }, hosts),
    bindModel({ machine, agent, provider }) {
      const binding = llmProxy.bind({
        ...{ tenant, runId: machine, app: agent, provider, models: null },
        ...{ limits: NO_LIMITS, budget: NO_BUDGET },
      })
      return {
        connection: (socket) => binding.connection(socket),
        underWay: () => binding.usage().underWay,
        end: () => binding.end(),
      }
    },
    openToScrub: ({ id: machine }, what, by) =>
      core.storage.transaction(async (tx) => {
        await core.audit.append(tx, 'machine.inspected', by, null, { machine, what })
        const opened = new Map(await core.vault.openAll(tx, machine))
        for (const { provider, label, value } of await deps.keys.openAll(tx, machine))
          opened.set(`${provider} key ${label}`, value)
        for (const { id, name, wake } of core.agents.list())
          if (wake?.sealedToken != null)
            opened.set(`wake token of ${name}`, core.vault.openFor(`agent-wake:${id}`, wake.sealedToken))
        return opened
      }),
    fileRoom: shared.fileRoom,
    noteFile: ({ id: machine }, { what, ...file }, by) =>
      core.storage.transaction(async (tx) => {
        await core.audit.append(tx, what, by, null, { machine, ...file })
      }),
    assertRoom: () => core.freeSpace.assertRoom(),
    clock,
    assertProvider(name) {
      const found = providers.find(name)
      if (found === undefined || 'missing' in found)
        throw new AppError('invalid_request', `There is no provider ${name}.`)
    },
    hasKey(use) {
      const found = providers.find(use.provider)
      return (found !== undefined && 'auth' in found && found.auth.kind === 'none') || deps.keys.isThere(use)
    },
    assertOpen: () => core.lockdown.assertOpen(),
    log: warn,
  })
  const bots = createAgentBots({
    ...{ ...core, clock, claims: installation.bots, apiRoot: config.telegramApiRoot, ...overrides.bots },
    find: agents.find,
    say: agents.sayFor,
    ended: async (machine, number, signal) => await (await chats()).ended(machine, number, signal),
    log: warn,
  })
  const startBots = (): Promise<void> =>
    bots.start().catch((error: unknown) => warn('bots of hosted agents could not be started', error))
  core.events.subscribe('agent.revoked', async ({ agentId }, tx) => {
    await bots.agentRevoked(tx, agentId)
    tx.onCommit(() => agents.agentRevoked(agentId))
  })
  core.lockdown.onBegin(() => {
    agents.halt()
    bots.halt()
    pauseAll()
  })
  core.lockdown.onEnd(() => void startBots())

  return {
    ...agents,
    bots,
    async start() {
      const left = await core.storage.read(async (tx) => [
        ...(await tx.machines.live()),
        ...(await tx.machineChats.all()),
      ])
      if (left.length > 0) await open()
      await startBots()
    },
    async [Symbol.asyncDispose]() {
      await bots[Symbol.asyncDispose]()
      await opening?.catch(() => {})
      await shared.close(tenant)
      await agents[Symbol.asyncDispose]()
    },
  }
}

/** An outcome wakes the machine that waits for it. */
export const machineChannel = (hosting: () => HostedAgents | null): WakeChannel => ({
  async deliver({ target }, _token, { text }, signal) {
    try {
      const status = (await hosting()?.tell(target, text, signal)) ?? 0
      return status >= 200 && status < 300
        ? { delivered: true, message: `${status}` }
        : { delivered: false, message: `its gateway answered ${status}` }
    } catch (error) {
      const isGone = error instanceof AppError && error.code === 'not_found'
      return {
        ...{
          delivered: false,
          message: error instanceof AppError ? error.message : 'the machine did not answer',
        },
        ...(isGone && { permanent: true }),
      }
    }
  },
})
