/** Bots of hosted agents over the storage of a store's contract: played agents, whose machines nobody has, and a double of Telegram. */
import { afterEach, beforeEach } from 'vitest'
import { createAgentBotStore, createAgentBots } from '../../src/hosting/bots/index.ts'
import { createChatLedger, createChatStore, createChats } from '../../src/hosting/chat/index.ts'
import type { Machine } from '../../src/hosting/machines/index.ts'
import type { Agent } from '../../src/identity/agents/index.ts'
import {
  type AgentId,
  AppError,
  newAgentId,
  SecretValue,
  type Storage,
  systemClock,
} from '../../src/kernel/index.ts'
import { botOf, createBotClaims } from '../../src/notify/bot-api/index.ts'
import { createSodiumCipher } from '../../src/vault/crypto/index.ts'
import { type BotApiDouble, startBotApiDouble } from './bot-api-double.ts'
import { sampleMachine } from './machine-kit.ts'
import { patience } from './pace.ts'
import { owner } from './principals.ts'
import type { StoreKit } from './store-contract.ts'
import { ANN, BOB, UNHURRIED } from './telegram-kit.ts'

export const AGENT_BOT_STORES = { machineChats: createChatStore, agentBots: createAgentBotStore }

const cipher = await createSodiumCipher()
const vault = {
  sealFor: (purpose: string, value: SecretValue) =>
    `${purpose}=${Buffer.from(value.open()).toString('base64')}`,
  openFor(purpose: string, sealed: string) {
    if (!sealed.startsWith(`${purpose}=`)) throw new AppError('internal', 'sealed for another purpose')
    return new SecretValue(Buffer.from(sealed.slice(purpose.length + 1), 'base64').toString())
  },
}

function hosted(name: string): { readonly agent: AgentId; readonly machine: Machine } {
  const agent = newAgentId()
  const sample = sampleMachine({ name })
  return { agent, machine: { ...sample, spec: { ...sample.spec, settings: { agent } } } }
}

interface Opened {
  readonly storage?: Storage
  readonly bot?: BotApiDouble
  /** No machine is there. */
  readonly isGone?: boolean
  /** Between a message and the unit that makes a turn of it. */
  readonly beforeTurn?: () => Promise<unknown>
}

/** One daemon's, as long as a test lasts. There are `claw` and `tail`. */
export function useAgentBots(kit: StoreKit) {
  const [claw, tail] = [hosted('claw'), hosted('tail')]
  const opened: AsyncDisposable[] = []
  const world = {
    ...{ claw, tail },
    double: undefined as unknown as BotApiDouble,
    claims: createBotClaims(),
    /** Lines of the log and events of the audit. */
    told: [] as string[],
    /** Turns whose end a bot waited for, in order. */
    awaited: [] as number[],
    revoked: new Set<AgentId>(),
  }
  const played = {
    /** As a daemon has it: what it holds in memory goes with it. `reply` is the agent. */
    open(reply: (text: string) => AsyncIterable<string>, of: Opened = {}) {
      const { storage = kit.mine, bot = world.double, isGone = false, beforeTurn } = of
      const { told, awaited, claims } = world
      const log = (message: string, error?: unknown): void => void told.push(`${message} ${String(error)}`)
      const audit = {
        append: async (_tx: unknown, event: string, actor: unknown, _request: unknown, data: unknown) =>
          void told.push(JSON.stringify({ event, actor, data })),
      } as never
      const chats = createChats({
        ledger: createChatLedger({ storage, vault, cipher, clock: systemClock, audit }),
        ...{ requestOf: async () => null, log },
      })
      const lockdown = {
        state: null as { since: number; by: 'daemon' } | null,
        assertOpen() {
          if (this.state !== null) throw new AppError('locked', 'Everything is stopped.')
        },
      }
      const bots = createAgentBots({
        ...{ storage, audit, lockdown, claims, clock: systemClock, log },
        agents: { byId: (id) => ({ revokedAt: world.revoked.has(id) ? 1 : null }) as Agent },
        vault: {
          ...vault,
          openFor(purpose, sealed) {
            lockdown.assertOpen()
            return vault.openFor(purpose, sealed)
          },
        },
        ...{ apiRoot: bot.root, pace: { burst: 1_000, perSecond: 1_000 }, pollSeconds: 1 },
        async find(name) {
          const found = [claw, tail].find(({ machine }) => name === machine.id || name === machine.name)
          if (isGone || found === undefined) throw new AppError('not_found', 'No such agent.')
          return found.machine
        },
        async say(id, text, by, along) {
          lockdown.assertOpen()
          await beforeTurn?.()
          return await chats.ask(id, { text, model: 'a-model' }, by, ({ text: asked }) => reply(asked), along)
        },
        ended(id, number, signal) {
          awaited.push(number)
          return chats.ended(id, number, signal)
        },
      })
      const one = { bots, chats, lockdown, [Symbol.asyncDispose]: () => bots[Symbol.asyncDispose]() }
      opened.push(one)
      return one
    },
    add: (bots: Bots, bot = world.double, name = 'claw') =>
      bots.add(name, new SecretValue(bot.token), owner()),
    async pair(bots: Bots, bot = world.double, who = ANN): Promise<void> {
      const { code } = await bots.newCode('claw', owner())
      const { messageId } = bot.say(who.id, `/start ${code}`, who)
      await bot.waitForMessage((one) => one.messageId > messageId && one.text.includes('from now on'))
    },
    heard: (text: string, who = ANN, bot = world.double) =>
      bot.waitForMessage((one) => one.fromBot && one.chatId === who.id && one.text.includes(text)),
    said: (bot = world.double): string[] =>
      bot.messages.filter(({ fromBot }) => fromBot).map(({ text }) => text),
    confirmed: () =>
      world.double.waitFor(() => world.double.unconfirmed === 0, 'that all is confirmed', patience(15_000)),
    saying: (word: string, asked: string[] = []) =>
      async function* (text: string) {
        asked.push(text)
        yield `${word}: ${text}`
      },
    forApprovers: (token: SecretValue) =>
      world.claims.claim(botOf(token), { tenant: kit.theirs.tenant, machine: null }),
    rowsOf: (table: string) => kit.sql(`SELECT * FROM ${table} WHERE tenant_id = '${kit.me}'`),
  }
  beforeEach(async () => {
    world.double = await startBotApiDouble({ flood: UNHURRIED })
    for (const { id } of [ANN, BOB]) world.double.addChat({ id, type: 'private' })
    world.double.addChat({ id: -100_5, type: 'group', botIsAdmin: true })
    world.claims = createBotClaims()
    world.told = []
    world.awaited = []
    world.revoked.clear()
  })
  afterEach(async () => {
    for (const one of opened.splice(0)) await one[Symbol.asyncDispose]()
    await world.double[Symbol.asyncDispose]()
  })
  return Object.assign(world, played)
}

type Bots = ReturnType<typeof createAgentBots>
