/** The bot of one hosted agent while it runs: what a paired chat says becomes a turn, and the turn's answer goes back to that chat. */
import type { AuditLog } from '../../audit/index.ts'
import { type Actor, telegramActor } from '../../identity/index.ts'
import {
  AppError,
  type Clock,
  createOneAtATime,
  equalInConstantTime,
  type OneAtATime,
  type SecretValue,
  type Storage,
  sha256Hex,
  type Tx,
} from '../../kernel/index.ts'
import {
  type BotUpdate,
  type BotUser,
  createBotApi,
  createPolling,
  nameOfUser,
  type PaceLimits,
} from '../../notify/bot-api/index.ts'
import type { OpenedTurn } from '../chat/index.ts'
import { createBotWriter } from './bot-writer.ts'
import { answerText, partsOf } from './messages.ts'
import type { AgentBot, OwedAnswer } from './ports.ts'

export interface RunningBot extends AsyncDisposable {
  readonly connected: boolean
  /** Why no messages come, for a person; null while they do. */
  readonly trouble: string | null
  /** How many messages came from whoever is not paired, and were dropped. */
  readonly refused: number
}

export interface RunningBotDeps {
  readonly storage: Storage
  readonly audit: Pick<AuditLog, 'append'>
  readonly clock: Clock
  /** Stores a turn, with what `along` stores in the same unit. */
  readonly say: (
    text: string,
    by: Actor,
    along: (tx: Tx, number: number) => Promise<void>,
  ) => Promise<OpenedTurn>
  /** Resolves when it has ended; rejects with what it failed with. */
  readonly ended: (number: number, signal: AbortSignal) => Promise<OpenedTurn>
  readonly apiRoot: string
  readonly pollSeconds?: number | undefined
  readonly pace?: PaceLimits | undefined
  readonly log: (message: string, error?: unknown) => void
}

export const MAX_CHATS = 20
/** Of one chat: answers that it is owed. */
const MAX_WAITING = 4
/** Updates come again until they are confirmed, at most as many as one poll brings; a number further off is a new one. */
const REPEAT_SPAN = 1_000
const isRepeat = (number: number, last: number): boolean => number <= last && number > last - REPEAT_SPAN

const TEXT_ONLY =
  'I take text only. Nothing of this was passed on, nor what stands below a picture or a file: write it as a message.'
const BUSY = `${MAX_WAITING} of your messages wait already; this one was not passed on. Say it again when one is answered.`
const BURNT =
  'Everybody here can read that code: it is good no more. Make a new one, and open its link where you are alone with me.'
const START = /^\/start(?:@\w+)?(?: +([A-Za-z0-9_-]{1,64}))?\s*$/

/** It was a turn before: what a crash kept from being confirmed. Or the chat is not paired any more. */
class NoTurn extends Error {}

export function startBot(
  deps: RunningBotDeps & { readonly bot: AgentBot; readonly token: SecretValue; readonly name: string },
): RunningBot {
  const { storage, audit, clock, log, bot, name } = deps
  const { machine } = bot
  const ending = new AbortController()
  const { signal } = ending
  const api = createBotApi(deps)
  const writer = createBotWriter({ ...deps, api, signal })
  const answering = new Set<Promise<void>>()
  const lanes = new Map<string, { readonly inTurn: OneAtATime; waiting: number }>()
  let refused = 0

  const laneOf = (chat: string) => {
    const lane = lanes.get(chat) ?? { inTurn: createOneAtATime(), waiting: 0 }
    lanes.set(chat, lane)
    return lane
  }

  async function endOf(turn: number): Promise<OpenedTurn | undefined> {
    try {
      return await deps.ended(turn, signal).catch((error: unknown) => {
        signal.throwIfAborted()
        // What it failed with stands in its row.
        if (error instanceof AppError && error.code === 'not_found') throw error
        return deps.ended(turn, signal)
      })
    } catch (error) {
      if (error instanceof AppError && error.code === 'not_found') return undefined
      throw error
    }
  }

  async function answer(owed: OwedAnswer): Promise<void> {
    const turn = await endOf(owed.turn)
    // Its end is not on disk: the next start knows how it ended.
    if (turn?.state === 'open') return
    const parts = turn === undefined ? [] : partsOf(answerText(turn))
    for (let sent = owed.sent; sent < parts.length; sent += 1) {
      const isPaired = await storage.read((tx) => tx.agentBots.chat(machine, owed.chat))
      if (isPaired === undefined || !(await writer.write(owed.chat, parts[sent] ?? ''))) break
      await storage.transaction((tx) => tx.agentBots.sent({ ...owed, sent: sent + 1 }))
    }
    await storage.transaction((tx) => tx.agentBots.settle(machine, owed.turn))
  }

  function owe(owed: OwedAnswer): void {
    const lane = laneOf(owed.chat)
    lane.waiting += 1
    const work = lane
      .inTurn(() => answer(owed))
      .catch((error: unknown) => {
        if (!signal.aborted) log('an answer could not be sent to Telegram; the next start sends it', error)
      })
      .finally(() => {
        lane.waiting -= 1
        answering.delete(work)
      })
    answering.add(work)
  }

  const isGood = (code: string, row: AgentBot | undefined): row is AgentBot =>
    row?.code != null && row.code.until > clock.now() && equalInConstantTime(sha256Hex(code), row.code.sha256)
  const pair = (code: string, user: BotUser): Promise<boolean> =>
    storage.transaction(async (tx) => {
      const now = clock.now()
      const row = await tx.agentBots.find(machine)
      if (!isGood(code, row)) return false
      if ((await tx.agentBots.chats(machine)).length >= MAX_CHATS) return false
      const chat = String(user.id)
      await tx.agentBots.update({ ...row, code: null })
      await tx.agentBots.pair({ machine, chat, name: nameOfUser(user), pairedAt: now })
      await audit.append(tx, 'bot.paired', telegramActor(chat), null, { machine, chat })
      return true
    })

  /** Whoever of those that have read it came first would be let in. */
  async function burn(code: string, chat: string): Promise<void> {
    if (!isGood(code, await storage.read((tx) => tx.agentBots.find(machine)))) return
    const isBurnt = await storage.transaction(async (tx) => {
      const row = await tx.agentBots.find(machine)
      if (!isGood(code, row)) return false
      await tx.agentBots.update({ ...row, code: null })
      await audit.append(tx, 'bot.code_burnt', 'daemon', null, { machine, chat })
      return true
    })
    if (isBurnt) writer.remark(chat, BURNT)
  }

  async function take(text: string, chat: string, number: number): Promise<void> {
    if (laneOf(chat).waiting >= MAX_WAITING) return writer.remark(chat, BUSY)
    try {
      const { number: turn } = await deps.say(text, telegramActor(chat), async (tx, next) => {
        const row = await tx.agentBots.find(machine)
        if (row === undefined || isRepeat(number, row.lastUpdate)) throw new NoTurn()
        if ((await tx.agentBots.chat(machine, chat)) === undefined) throw new NoTurn()
        await tx.agentBots.update({ ...row, lastUpdate: number })
        await tx.agentBots.owe({ machine, turn: next, chat, sent: 0 })
      })
      owe({ machine, turn, chat, sent: 0 })
      // That it was heard shows at once: a wake takes its time.
      void api.call('sendChatAction', { chat_id: chat, action: 'typing' }, { signal }).catch(() => {})
    } catch (error) {
      if (error instanceof NoTurn) return
      // It comes again, when the disk takes it or the lockdown is over.
      if (error instanceof AppError && (error.code === 'storage_unavailable' || error.code === 'locked'))
        throw error
      if (!(error instanceof AppError)) log('a message from Telegram could not be passed on', error)
      const said = error instanceof AppError ? error.message : 'It failed.'
      writer.remark(chat, `This was not passed on: ${said}`)
    }
  }

  async function handle({ update_id: number, message }: BotUpdate): Promise<void> {
    const from = message?.from
    if (message === undefined) return
    const chat = String(message.chat.id)
    const start = START.exec(message.text ?? '')
    // In a group everybody in it would speak, and be answered before all.
    if (message.chat.type !== 'private' || from === undefined || from.is_bot || String(from.id) !== chat) {
      refused += 1
      if (start?.[1] !== undefined) await burn(start[1], chat)
      return
    }
    const { paired, row } = await storage.read(async (tx) => ({
      paired: await tx.agentBots.chat(machine, chat),
      row: await tx.agentBots.find(machine),
    }))
    if (paired === undefined) {
      const code = start?.[1] ?? ''
      // Whoever knows nothing costs no unit.
      if (isGood(code, row) && (await pair(code, from)))
        writer.remark(chat, `You talk to ${name} from now on. Whatever you write here, it is asked.`)
      else refused += 1
    } else if (message.text === undefined) writer.remark(chat, TEXT_ONLY)
    else if (start !== null) writer.remark(chat, `You talk to ${name} already.`)
    else await take(message.text, chat, number)
  }

  const polling = createPolling({
    ...{ api, handle, kinds: ['message'], tokenName: `the token of the bot of ${name}` },
    prepare: (cut) => api.identify(cut),
    pollSeconds: deps.pollSeconds,
    log: {
      info: () => {},
      warn: ({ said }, message) => log(`${name}: ${message} (${said})`),
      error: ({ said, err }, message) =>
        log(`${name}: ${message}${said === undefined ? '' : ` (${said})`}`, err),
    },
  })
  const begun = storage
    .read((tx) => tx.agentBots.owed(machine))
    .then((owed) => {
      if (signal.aborted) return
      for (const one of owed) owe(one)
      polling.start()
    })
    .catch((error: unknown) => log(`the bot of ${name} could not be started`, error))

  return {
    get connected() {
      return polling.connected
    },
    get trouble() {
      return polling.trouble
    },
    get refused() {
      return refused
    },
    async [Symbol.asyncDispose]() {
      ending.abort()
      const ended = polling[Symbol.asyncDispose]()
      await begun
      await Promise.all([ended, ...answering])
    },
  }
}
