import { AsyncLocalStorage } from 'node:async_hooks'
import { AppError, isStorageTrouble, type RequestId, type UnixMs } from '../../kernel/index.ts'
import type { BotApi } from '../bot-api/index.ts'
import { BotApiError, createPace, paceOf, type Trouble, troubleOf } from '../bot-api/index.ts'
import { backoffMs, type OutboxMessage } from '../outbox/index.ts'
import { createDeliveries } from './deliveries.ts'
import type { TelegramDeps } from './deps.ts'
import { type Choice, createSendOrder, isCardLane, requesterOfLane, TELEGRAM_LANES } from './lanes.ts'

/**
 * Drains the outbox's Telegram lanes: in order within a lane, no faster than Telegram allows, and again until
 * Telegram has it. Only what Telegram will never take is given up, and said in the log. While a card with a document is
 * uploaded, another agent's card goes beside it.
 *
 * A crash after Telegram took a message and before that was recorded sends it again: a second card carries the same
 * buttons, and both work, since a press is bound to the card's token and not to the message; the first press decides.
 */
export interface Sender extends AsyncDisposable {
  start(): void
  /** Something was queued. */
  nudge(): void
  /** Says this in the chat if nothing waits and there is room; else drops it. Never delays what is queued. */
  sayIfIdle(html: string): void
  /** Resolves when what is being sent right now is recorded. */
  settled(): Promise<void>
  /** Why nothing can be written to the chat, and since when; null while it takes messages. */
  readonly trouble: { readonly message: string; readonly since: UnixMs } | null
}

/** How often the queue is looked at when nobody nudges. */
const IDLE_MS = 200
/** Nobody waits for more than this after Telegram is back. */
const MAX_UNREACHABLE_MS = 30_000
/** A person must act first (unblock the bot, mend the token). */
const SLOW_MS = 60_000
const STOP_GRACE_MS = 3_000
/** How often a message that cannot be prepared is tried before it is given up. */
const DEFECT_ATTEMPTS = 3
const DEFECT_DELAY_MS = 2_000
/** While the outbox cannot be read or written. */
const STORAGE_RETRY_MS = 1_000
/** A long upload holds up nobody's card, and two hold up no third agent for more than one of them. */
const CARDS_AT_ONCE = 2

/** One message on its way. */
interface Sending {
  readonly choice: Choice
  /** How many calls of it were made. */
  calls: number
  /** Resolved with its first call, or its end. */
  readonly begun: PromiseWithResolvers<void>
}

export function createSender(
  deps: TelegramDeps & {
    readonly api: BotApi
    /** The chat has this id now; false when that is known. */
    readonly follow: (to: string) => Promise<boolean>
  },
): Sender {
  const { api, audit, outbox, storage, log, chat } = deps
  /** No further call; the one under way may end. */
  const stopping = new AbortController()
  /** Calls under way are cut. */
  const ending = new AbortController()
  const limits = deps.pace ?? paceOf(chat.id)
  const pace = createPace(limits)
  const order = createSendOrder({ pace: limits, now: deps.clock.now })
  const underWay = new Map<Sending, Promise<void>>()
  const sendings = new AsyncLocalStorage<Sending>()
  /** How many messages left, or were put off. */
  let ended = 0
  /**
   * Of what is not under way, nor was when the outbox was read: what was just settled may still stand in what it gave. Where one
   * ended meanwhile, what its lane has next was not seen and may be more urgent: read once more, at most once for each under way.
   */
  const next = async (): Promise<Choice | undefined> => {
    for (;;) {
      const before = [...underWay.keys()]
      const seen = ended
      const waiting = await outbox.due(TELEGRAM_LANES)
      if (seen !== ended) continue
      const taken = new Set([...before, ...underWay.keys()].map(({ choice }) => choice.message.id))
      const due = waiting.filter(({ id }) => !taken.has(id))
      return order.next(due, (claim) => pace.waitMs(claim) === 0)
    }
  }
  /** How often preparing a message failed, by its id. */
  const defects = new Map<number, number>()
  let holdUntil = 0
  let chatTrouble: Sender['trouble'] = null
  let running: Promise<void> | undefined
  const sleeping = new Set<() => void>()
  /** How often something was queued or sent: what comes while the outbox is read is not slept over. */
  let changes = 0
  const wake = (): void => {
    changes += 1
    for (const resolve of sleeping) resolve()
  }

  /** Until the time is over, or something was queued or sent since `seen`, or the sender stops. */
  const rest = async (ms: number, seen: number): Promise<void> => {
    if (changes !== seen) return
    const { promise, resolve } = Promise.withResolvers<void>()
    sleeping.add(resolve)
    const timer = setTimeout(resolve, ms)
    await promise
    clearTimeout(timer)
    sleeping.delete(resolve)
  }

  /**
   * An update reads what its card has become, and a person's order may send that card again: neither goes while a card is on
   * its way. Nothing passes what may not go yet, so cards in a row keep nobody waiting.
   */
  const mayGoBeside = ({ message }: Choice): boolean =>
    underWay.size === 0 ||
    (underWay.size < CARDS_AT_ONCE &&
      isCardLane(message.lane) &&
      [...underWay.keys()].every(
        ({ choice: { message: other } }) =>
          isCardLane(other.lane) && requesterOfLane(other.lane) !== requesterOfLane(message.lane),
      ))

  /** By what is more urgent, or as urgent and has waited longer: of a message of many parts only one goes at a time. */
  const isOvertaken = async (choice: Choice): Promise<boolean> =>
    ((await next())?.rank ?? Number.POSITIVE_INFINITY) <= choice.rank

  /** A place for each call. Between the parts of a message goes who is more urgent, so that nobody waits for all of them. */
  const beforeCall = async (): Promise<void> => {
    const sending = sendings.getStore()
    if (sending === undefined) throw new Error('nothing is being sent')
    const { choice, calls } = sending
    for (;;) {
      const seen = changes
      stopping.signal.throwIfAborted()
      const hold = holdUntil - performance.now()
      if (hold <= 0) {
        if (calls > 0 && (await isOvertaken(choice))) throw new Interrupted()
        stopping.signal.throwIfAborted()
        if (pace.tryTake(choice.claim)) break
      }
      await rest(Math.max(1, hold, pace.waitMs(choice.claim)), seen)
    }
    sending.calls += 1
    sending.begun.resolve()
    order.took(choice)
  }
  const deliver = createDeliveries({ ...deps, beforeCall, signal: ending.signal })

  const postpone = async (message: OutboxMessage, error: BotApiError, trouble: Trouble): Promise<void> => {
    const usual = backoffMs(message.attempts)
    let delayMs = Math.min(usual, MAX_UNREACHABLE_MS)
    if (trouble === 'flood') {
      delayMs = error.retryAfterMs ?? usual
      holdUntil = performance.now() + delayMs
    } else if (trouble === 'no_chat' || trouble === 'wrong_token') {
      delayMs = Math.max(SLOW_MS, usual)
      chatTrouble ??= { message: error.message, since: deps.clock.now() }
      log.error({ said: error.message, movedTo: error.migratedTo }, ADVICE[trouble])
      // It has another id now, and is written to at once.
      if (error.migratedTo !== undefined && (await deps.follow(error.migratedTo))) delayMs = 0
    }
    log.warn(
      { said: error.message, kind: message.kind, delayMs },
      'Telegram did not take a message; it is kept and sent again',
    )
    await outbox.retry(message, delayMs, error.message)
  }

  /** Waiting longer for what can never leave would hold up every message behind it. */
  const giveUp = async (message: OutboxMessage, error: unknown, why: string): Promise<void> => {
    const requestId = requestOf(message)
    const { kind } = message
    const what =
      error instanceof BotApiError || error instanceof AppError ? { said: error.message } : { err: error }
    log.error({ ...what, kind, requestId }, `${why}; the message is given up`)
    await storage.transaction(async (tx) => {
      await audit.append(tx, 'telegram.given_up', 'daemon', requestId, { kind, reason: why })
      await outbox.settle(tx, message.id)
    })
    defects.delete(message.id)
  }

  const retryDefect = async (message: OutboxMessage, error: unknown): Promise<void> => {
    const seen = (defects.get(message.id) ?? 0) + 1
    // That the disk is full or locked is no fault of the message.
    const blamed = !isStorageTrouble(error)
    if (blamed && seen >= DEFECT_ATTEMPTS) {
      await giveUp(message, error, 'a message cannot be prepared')
      return
    }
    if (blamed) defects.set(message.id, seen)
    log.error(
      { err: error, kind: message.kind },
      'a message could not be prepared; it is kept and tried again',
    )
    await outbox.retry(message, Math.max(DEFECT_DELAY_MS, backoffMs(message.attempts)), 'defect')
  }

  /** What is told by words that nobody knows: a chat that takes a sign of life refused the content. */
  const isChatAtFault = async (): Promise<boolean> => {
    try {
      await api.call(
        'sendChatAction',
        { chat_id: chat.id, action: 'typing' },
        { timeoutMs: 10_000, signal: ending.signal },
      )
      return false
    } catch (error) {
      if (!(error instanceof BotApiError)) throw error
      return true
    }
  }

  const sendOne = async (message: OutboxMessage): Promise<void> => {
    if (message.payload === undefined)
      return await giveUp(message, undefined, 'what is queued cannot be read')
    try {
      await deliver(message)
      chatTrouble = null
    } catch (error) {
      if (stopping.signal.aborted || error instanceof Interrupted) return
      if (error instanceof AppError && error.code === 'internal')
        return await giveUp(message, error, 'what a message is about cannot be opened')
      if (!(error instanceof BotApiError)) return await retryDefect(message, error)
      let trouble = troubleOf(error)
      if (trouble === 'unclear') trouble = (await isChatAtFault()) ? 'no_chat' : 'rejected'
      if (trouble === 'not_modified') return await storage.transaction((tx) => outbox.settle(tx, message.id))
      if (trouble === 'gone' || trouble === 'rejected' || trouble === 'stale_query')
        return await giveUp(message, error, 'Telegram will never take this message')
      await postpone(message, error, trouble)
    }
    defects.delete(message.id)
  }

  const sayIfIdle = async (html: string): Promise<void> => {
    const { signal } = stopping
    if (signal.aborted || performance.now() < holdUntil || (await outbox.waiting(TELEGRAM_LANES)) > 0) return
    if (!pace.tryTake('spare')) return
    try {
      await api.call(
        'sendMessage',
        {
          chat_id: chat.id,
          text: html,
          parse_mode: 'HTML',
          link_preview_options: { is_disabled: true },
        },
        { timeoutMs: 10_000, signal },
      )
    } catch (error) {
      if (signal.aborted) return
      if (error instanceof BotApiError && troubleOf(error) === 'flood')
        holdUntil = performance.now() + (error.retryAfterMs ?? 1_000)
      log.warn({ said: (error as Error).message }, 'a reply to no approver is lost')
    }
  }

  /** Resolves once it has begun. */
  const start = async (choice: Choice): Promise<void> => {
    const sending: Sending = { choice, calls: 0, begun: Promise.withResolvers() }
    const sent = sendings
      .run(sending, () => sendOne(choice.message))
      .catch(storageFailed)
      .finally(() => {
        ended += 1
        underWay.delete(sending)
        sending.begun.resolve()
        wake()
      })
    underWay.set(sending, sent)
    await sending.begun.promise
  }

  const storageFailed = (error: unknown): void => {
    log.error({ err: error }, 'the outbox cannot be read or written; trying again')
    holdUntil = Math.max(holdUntil, performance.now() + STORAGE_RETRY_MS)
  }

  const loop = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      let idleMs = IDLE_MS
      const seen = changes
      try {
        const hold = holdUntil - performance.now()
        // Chosen when there is a place for it, and not before: what comes meanwhile may be more urgent.
        const choice = hold > 0 ? undefined : await next()
        if (choice && mayGoBeside(choice)) {
          await start(choice)
          continue
        }
        idleMs = Math.min(
          IDLE_MS,
          hold > 0 ? hold : pace.waitMs('reserve') || pace.waitMs('usual') || IDLE_MS,
        )
      } catch (error) {
        storageFailed(error)
      }
      await rest(Math.max(1, idleMs), seen)
    }
    await Promise.all(underWay.values())
  }

  return {
    start() {
      running ??= loop()
    },
    nudge: wake,
    sayIfIdle(html) {
      sayIfIdle(html).catch((error: unknown) => log.error({ err: error }, 'a reply to no approver is lost'))
    },
    settled: async () => void (await Promise.all(underWay.values())),
    get trouble() {
      return chatTrouble
    },
    async [Symbol.asyncDispose]() {
      stopping.abort()
      wake()
      // What Telegram already has should be recorded, or it would be sent again after the restart.
      const grace = setTimeout(() => ending.abort(), STOP_GRACE_MS)
      await running
      clearTimeout(grace)
    },
  }
}

/** The rest of a message goes later; what of it has arrived is remembered. */
class Interrupted extends Error {}

const ADVICE = {
  no_chat:
    'the bot cannot write to its chat: unblock it, add it, open the topic, give it the right to write, or check the id',
  wrong_token: 'Telegram does not know TELEGRAM_BOT_TOKEN: check it with @BotFather',
} as const

const requestOf = (message: OutboxMessage): RequestId | null =>
  (message.payload as { requestId?: RequestId } | null | undefined)?.requestId ?? null
