/** Bots in Telegram of hosted agents. The daemon has each token and speaks to Telegram; an agent has nothing of it. */

import type { Agents } from '../../identity/agents/index.ts'
import { type Actor, actorOf, type Principal } from '../../identity/index.ts'
import { assertBotToken } from '../../identity/tenants/index.ts'
import {
  type AgentId,
  AppError,
  createOneAtATime,
  type MachineId,
  randomToken,
  type SecretValue,
  sha256Hex,
  type Tx,
  type UnixMs,
} from '../../kernel/index.ts'
import { BotApiError, type BotClaims, botOf, createBotApi, troubleOf } from '../../notify/bot-api/index.ts'
import type { Lockdown, Vault } from '../../vault/index.ts'
import { agentIdOf, kindOf } from '../agents/index.ts'
import type { OpenedTurn } from '../chat/index.ts'
import type { Machine } from '../machines/index.ts'
import type { AgentBot, PairedChat } from './ports.ts'
import { MAX_CHATS, type RunningBot, type RunningBotDeps, startBot } from './running-bot.ts'

/** A bot as its owner sees it. */
export interface BotView extends Pick<AgentBot, 'username' | 'lastFour' | 'createdAt'> {
  readonly connected: boolean
  /** Why no messages come, for a person. */
  readonly problem: string | null
  readonly refused: number
  readonly chats: readonly Omit<PairedChat, 'machine'>[]
}

/** What pairs one chat, once. */
interface PairingCode {
  readonly code: string
  /** Opens Telegram with it. */
  readonly link: string
  readonly until: UnixMs
}

/** Each takes a hosted agent by id or name, and throws `not_found`. */
export interface AgentBots {
  /** Null: it has none. */
  show(name: string): Promise<BotView | null>
  /**
   * Throws `invalid_request` for a token that is none, `conflict` for a bot that is in use here, `refused` where Telegram is not there or
   * the agent was revoked.
   */
  add(name: string, token: SecretValue, by: Principal): Promise<BotView>
  /** In the place of one that was made before. Throws `conflict` where as many are paired as may be. */
  newCode(name: string, by: Principal): Promise<PairingCode>
  unpair(name: string, chat: string, by: Principal): Promise<BotView>
  remove(name: string, by: Principal): Promise<void>
}

interface AgentBotsDeps extends Omit<RunningBotDeps, 'say' | 'ended'> {
  readonly vault: Pick<Vault, 'sealFor' | 'openFor'>
  readonly lockdown: Pick<Lockdown, 'state' | 'assertOpen'>
  readonly claims: BotClaims
  readonly agents: Pick<Agents, 'byId'>
  /** By id or name. Throws `not_found`. */
  readonly find: (name: string) => Promise<Machine>
  /** A turn of its conversation, which wakes it. */
  readonly say: (
    machine: MachineId,
    text: string,
    by: Actor,
    along: (tx: Tx, number: number) => Promise<void>,
  ) => Promise<OpenedTurn>
  readonly ended: (machine: MachineId, number: number, signal: AbortSignal) => Promise<OpenedTurn>
}

const CODE_MS = 3_600_000
const CODE_BITS = 144
const purposeOf = (machine: MachineId): string => `agent-bot:${machine}`
const STARTING = 'The daemon is starting; it hears nothing yet.'
const TAKEN = 'Its bot is another one’s here as well: take it away, and give the agent a bot of its own.'

/** In the unit that replaces the data key. */
export async function resealBotTokens(
  tx: Tx,
  reseal: (purpose: string, sealed: string) => string,
): Promise<void> {
  for (const bot of await tx.agentBots.all())
    await tx.agentBots.update({ ...bot, token: reseal(purposeOf(bot.machine), bot.token) })
}

/** One that is here, running or at rest. */
interface Held {
  readonly claim: Disposable | null
  running: RunningBot | null
}

export function createAgentBots(deps: AgentBotsDeps): AgentBots & {
  /** Goes on with those that there are, as far as nothing is locked. */
  start(): Promise<void>
  /** Lockdown: none of them hears or says anything until `start`. */
  halt(): void
  /** The agent was revoked: its bot goes in the same unit. */
  agentRevoked(tx: Tx, agent: AgentId): Promise<void>
} & AsyncDisposable {
  const { storage, audit, clock, vault, lockdown, claims, agents, log } = deps
  const { tenant } = storage
  const held = new Map<MachineId, Held>()
  const inTurn = createOneAtATime()
  const halting = new Set<Promise<void>>()
  let isOver = false

  const hosted = async (name: string): Promise<Machine> => {
    const machine = await deps.find(name)
    if (kindOf(machine) === 'openclaw') return machine
    throw new AppError('refused', `A ${kindOf(machine)} does not talk.`)
  }
  const assertNotRevoked = (machine: Machine): void => {
    if (agents.byId(agentIdOf(machine))?.revokedAt !== null)
      throw new AppError('refused', 'The agent of this machine was revoked.')
  }
  const botOfAgent = async (
    tx: { readonly agentBots: Tx['agentBots'] },
    machine: Machine,
  ): Promise<AgentBot> => {
    const bot = await tx.agentBots.find(machine.id)
    if (bot === undefined) throw new AppError('not_found', `${machine.name} has no bot.`)
    return bot
  }

  async function removed(tx: Tx, { machine, username }: AgentBot, by: Actor): Promise<void> {
    await tx.agentBots.remove(machine)
    await audit.append(tx, 'bot.removed', by, null, { machine, username })
  }
  async function stop(machine: MachineId): Promise<void> {
    const one = held.get(machine)
    held.delete(machine)
    await one?.running?.[Symbol.asyncDispose]()
    one?.claim?.[Symbol.dispose]()
  }
  function claimed(bot: AgentBot): Disposable | null {
    try {
      return claims.claim(bot.bot, { tenant, machine: bot.machine })
    } catch {
      log(`the bot of machine ${bot.machine} is another one’s too; it is left out`)
      return null
    }
  }
  function run(bot: AgentBot, claim: Disposable | null, name: string): void {
    const known = held.get(bot.machine)
    // One that was left out goes on once its bot is no other's any more.
    const one: Held = known?.claim == null ? { claim, running: null } : known
    held.set(bot.machine, one)
    if (isOver || lockdown.state !== null || one.claim === null || one.running !== null) return
    const token = vault.openFor(purposeOf(bot.machine), bot.token)
    one.running = startBot({
      ...deps,
      ...{ bot, token, name },
      say: (text, by, along) => deps.say(bot.machine, text, by, along),
      ended: (number, signal) => deps.ended(bot.machine, number, signal),
    })
  }
  /** Undefined where there is no such machine any more: then its bot goes too. */
  async function nameOf(bot: AgentBot): Promise<string | undefined> {
    try {
      return (await deps.find(bot.machine)).name
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'not_found') throw error
      await storage.transaction((tx) => removed(tx, bot, 'daemon'))
      return undefined
    }
  }
  function problemOf(machine: Machine): string | null {
    if (lockdown.state !== null) return 'Everything is stopped.'
    const one = held.get(machine.id)
    if (one === undefined) return STARTING
    return one.claim ? null : TAKEN
  }
  async function view(machine: Machine): Promise<BotView | null> {
    const { bot, chats } = await storage.read(async (tx) => ({
      bot: await tx.agentBots.find(machine.id),
      chats: await tx.agentBots.chats(machine.id),
    }))
    if (bot === undefined) return null
    const running = held.get(machine.id)?.running ?? null
    return {
      ...{ username: bot.username, lastFour: bot.lastFour, createdAt: bot.createdAt },
      ...{ connected: running?.connected ?? false, problem: problemOf(machine) ?? running?.trouble ?? null },
      refused: running?.refused ?? 0,
      chats: chats.map(({ machine: _, ...chat }) => chat),
    }
  }
  async function viewed(machine: Machine): Promise<BotView> {
    const now = await view(machine)
    if (now === null) throw new AppError('not_found', `${machine.name} has no bot.`)
    return now
  }

  async function add(name: string, token: SecretValue, by: Principal): Promise<BotView> {
    lockdown.assertOpen()
    assertBotToken(token.open())
    const machine = await hosted(name)
    assertNotRevoked(machine)
    if ((await storage.read((tx) => tx.agentBots.find(machine.id))) !== undefined)
      throw new AppError('conflict', `${machine.name} has a bot already; take it away first.`)
    // First: a bot's id is no secret, and is held for nobody, and told of to nobody, who has not its token.
    const username = await usernameOf(token, deps.apiRoot)
    const bot = botOf(token)
    const claim = claims.claim(bot, { tenant, machine: machine.id })
    try {
      const row: AgentBot = {
        ...{ machine: machine.id, agent: agentIdOf(machine), bot, username },
        ...{ token: vault.sealFor(purposeOf(machine.id), token), lastFour: token.open().slice(-4) },
        ...{ lastUpdate: 0, code: null, createdAt: clock.now() },
      }
      await storage.transaction(async (tx) => {
        // While Telegram was asked: a bot that comes behind a revocation would go with nothing.
        assertNotRevoked(machine)
        await tx.agentBots.insert(row)
        const data = { machine: machine.id, username, last_four: row.lastFour }
        await audit.append(tx, 'bot.added', actorOf(by), null, data)
      })
      run(row, claim, machine.name)
    } catch (error) {
      if (held.get(machine.id)?.claim !== claim) claim[Symbol.dispose]()
      throw error
    }
    return await viewed(machine)
  }

  return {
    show: async (name) => await view(await hosted(name)),
    add: (name, token, by) => inTurn(() => add(name, token, by)),

    async newCode(name, by) {
      lockdown.assertOpen()
      const machine = await hosted(name)
      const code = randomToken(CODE_BITS)
      const until = clock.now() + CODE_MS
      const { username } = await storage.transaction(async (tx) => {
        const bot = await botOfAgent(tx, machine)
        if ((await tx.agentBots.chats(machine.id)).length >= MAX_CHATS)
          throw new AppError(
            'conflict',
            `${MAX_CHATS} chats are paired with it already; take one away first.`,
          )
        await tx.agentBots.update({ ...bot, code: { sha256: sha256Hex(code), until } })
        await audit.append(tx, 'bot.code_made', actorOf(by), null, { machine: machine.id, until })
        return bot
      })
      return { code, link: `https://t.me/${username}?start=${code}`, until }
    },

    async unpair(name, chat, by) {
      const machine = await hosted(name)
      await storage.transaction(async (tx) => {
        if ((await tx.agentBots.chat(machine.id, chat)) === undefined)
          throw new AppError('not_found', `No chat ${chat} is paired with ${machine.name}.`)
        await tx.agentBots.unpair(machine.id, chat)
        await audit.append(tx, 'bot.unpaired', actorOf(by), null, { machine: machine.id, chat })
      })
      return await viewed(machine)
    },

    remove: (name, by) =>
      inTurn(async () => {
        const machine = await hosted(name)
        await storage.transaction(async (tx) => removed(tx, await botOfAgent(tx, machine), actorOf(by)))
        await stop(machine.id)
      }),

    start: () =>
      inTurn(async () => {
        // Two that ask for the updates of one bot get in each other's way.
        await Promise.all(halting)
        for (const bot of await storage.read((tx) => tx.agentBots.all())) {
          const name = await nameOf(bot)
          if (name !== undefined) run(bot, held.get(bot.machine)?.claim ?? claimed(bot), name)
        }
      }),

    halt() {
      for (const one of held.values()) {
        const { running } = one
        one.running = null
        const halted = Promise.resolve(running?.[Symbol.asyncDispose]()).finally(() => halting.delete(halted))
        halting.add(halted)
      }
    },

    async agentRevoked(tx, agent) {
      for (const bot of await tx.agentBots.all()) {
        if (bot.agent !== agent) continue
        await removed(tx, bot, 'daemon')
        tx.onCommit(() => void stop(bot.machine))
      }
    },

    async [Symbol.asyncDispose]() {
      isOver = true
      await inTurn(async () => {})
      await Promise.all([...halting, ...[...held.keys()].map(stop)])
    },
  }
}

/** Who it is, as Telegram says: so nobody takes a bot whose token they do not have. */
async function usernameOf(token: SecretValue, apiRoot: string): Promise<string> {
  try {
    const { username } = await createBotApi({ token, apiRoot }).identify()
    if (username !== undefined && /^[A-Za-z0-9_]{1,64}$/.test(username)) return username
    throw new AppError('refused', 'Telegram does not say what this bot is called.')
  } catch (error) {
    if (!(error instanceof BotApiError)) throw error
    if (troubleOf(error) === 'wrong_token')
      throw new AppError('invalid_request', 'Telegram does not know this token: check it with @BotFather.')
    throw new AppError('refused', 'Telegram cannot be reached: nothing was stored. Try again.')
  }
}
