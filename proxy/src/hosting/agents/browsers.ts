/** Browsers: machines of Chromium, each for one agent, which need not live here itself. */
import type { Duplex } from 'node:stream'
import type { Agents } from '../../identity/agents/index.ts'
import type { Principal } from '../../identity/index.ts'
import { type AgentId, AppError, type MachineId, type Tx } from '../../kernel/index.ts'
import type { Machine, MachineSpec, Machines } from '../machines/index.ts'
import { agentIdOf, type HostedAgent, kindOf } from './hosted-agent.ts'
import type { LinkedMachine } from './hosted-chats.ts'

interface NewBrowser {
  readonly name: string
  /** Name of the agent whose it is. */
  readonly agent: string
  readonly sleepAfterMs?: number | null | undefined
}

export interface BrowserConnection {
  /** HTTP to the front of its image, one request; what answers there is the machine's to say. */
  readonly stream: Duplex
  /** Somebody said something: it is awake for that, or wakes. */
  used(): void
}

export interface Browsers {
  /** Each agent has one at most. Throws `not_found`, `conflict`, `refused`. */
  addBrowser(input: NewBrowser, by: Principal): Promise<HostedAgent>
  /** Wakes the agent's browser, or without one its desktop, and resolves to a connection to its front. Throws `not_found`, `sandbox_unavailable`. */
  openBrowser(agent: AgentId, signal: AbortSignal): Promise<BrowserConnection>
}

interface BrowsersDeps {
  readonly agents: Pick<Agents, 'list'>
  readonly machines: () => Promise<Machines>
  readonly images: { readonly browser: string | null }
  readonly assertOpen: () => void
  readonly wake: (id: MachineId) => void
  /** One at a time; throws what `order` throws. */
  readonly create: (order: MachineOrder, by: Principal) => Promise<HostedAgent>
  /** Awake and held until disposed of. */
  readonly open: (name: string, signal: AbortSignal) => Promise<LinkedMachine>
}

export interface MachineOrder {
  readonly name: string
  readonly image: string
  /** What is other than with all machines. */
  readonly spec: Partial<MachineSpec>
  /** Asked when its turn has come; throws where it may not be made. */
  readonly check?: () => Promise<void>
  /** What comes to be with it, as of an order of machines. */
  readonly along?: ((tx: Tx) => Promise<Readonly<Record<string, string>>>) | undefined
}

/** A Chromium has some hundred threads. */
const PIDS = 1_024

export function createBrowsers(deps: BrowsersDeps): Browsers {
  const find = async (agent: AgentId, kind: 'browser' | 'desktop'): Promise<Machine | undefined> =>
    (await (await deps.machines()).list()).find(
      (machine) => kindOf(machine) === kind && agentIdOf(machine) === agent,
    )

  return {
    async addBrowser({ name, agent: owner, sleepAfterMs }, by) {
      deps.assertOpen()
      const { browser: image } = deps.images
      if (image === null)
        throw new AppError('refused', 'Browsers are containers; OAUTH3_HOST_DRIVER has none.')
      const agent = deps.agents.list().find((one) => one.name === owner && one.revokedAt === null)
      if (agent === undefined) throw new AppError('not_found', `No agent named ${owner}.`)
      const settings = { kind: 'browser', agent: agent.id }
      const sleep = sleepAfterMs === undefined ? {} : { sleepAfterMs }
      const check = async (): Promise<void> => {
        if ((await find(agent.id, 'browser')) !== undefined)
          throw new AppError('conflict', `${owner} has a browser already.`)
      }
      return await deps.create(
        { name, image, spec: { ...sleep, command: [], pids: PIDS, settings }, check },
        by,
      )
    },

    async openBrowser(agent, signal) {
      const machine = (await find(agent, 'browser')) ?? (await find(agent, 'desktop'))
      if (machine === undefined) throw new AppError('not_found', 'You have no browser; the owner adds one.')
      using linked = await deps.open(machine.name, signal)
      const { stream } = await linked.link.stream(linked.until)
      return { stream, used: () => deps.wake(machine.id) }
    },
  }
}
