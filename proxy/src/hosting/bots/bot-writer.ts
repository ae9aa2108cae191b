/** What a bot writes to its chats: messages of one chat in order, no faster than Telegram allows, again until Telegram has them. */
import { setTimeout as sleep } from 'node:timers/promises'
import { createOneAtATime, type OneAtATime } from '../../kernel/index.ts'
import {
  type BotApi,
  BotApiError,
  createPace,
  isTransient,
  type Pace,
  type PaceLimits,
  paceOf,
  troubleOf,
} from '../../notify/bot-api/index.ts'
import { backoffMs } from '../../notify/outbox/index.ts'

export interface BotWriter {
  /** Resolves to whether Telegram has it; false: it never will. Rejects when the bot is stopped. */
  write(chat: string, text: string): Promise<boolean>
  /** A remark, which is dropped where as many wait already; never rejects. */
  remark(chat: string, text: string): void
}

const MAX_REMARKS = 8
const MAX_BACKOFF_MS = 30_000

interface Lane {
  readonly inTurn: OneAtATime
  readonly pace: Pace
  remarks: number
}

export function createBotWriter(deps: {
  readonly api: Pick<BotApi, 'call'>
  /** Telegram's own limits when left out. */
  readonly pace?: PaceLimits | undefined
  readonly signal: AbortSignal
  readonly log: (message: string, error?: unknown) => void
}): BotWriter {
  const { api, signal } = deps
  const lanes = new Map<string, Lane>()
  const laneOf = (chat: string): Lane => {
    const known = lanes.get(chat)
    if (known !== undefined) return known
    const made = { inTurn: createOneAtATime(), pace: createPace(deps.pace ?? paceOf(chat)), remarks: 0 }
    lanes.set(chat, made)
    return made
  }

  async function send(chat: string, text: string, pace: Pace): Promise<boolean> {
    for (let attempts = 0; ; attempts += 1) {
      while (!pace.tryTake()) await sleep(pace.waitMs('reserve'), undefined, { signal })
      try {
        await api.call(
          'sendMessage',
          { chat_id: chat, text, link_preview_options: { is_disabled: true } },
          { signal },
        )
        return true
      } catch (error) {
        signal.throwIfAborted()
        if (!(error instanceof BotApiError)) throw error
        if (!isTransient(troubleOf(error))) {
          deps.log('Telegram does not take a message of a hosted agent’s bot; it is given up', error)
          return false
        }
        const usual = Math.min(backoffMs(attempts), MAX_BACKOFF_MS)
        await sleep(error.retryAfterMs ?? usual, undefined, { signal })
      }
    }
  }
  const write: BotWriter['write'] = (chat, text) => {
    const { inTurn, pace } = laneOf(chat)
    return inTurn(() => send(chat, text, pace))
  }

  return {
    write,
    remark(chat, text) {
      const lane = laneOf(chat)
      if (lane.remarks >= MAX_REMARKS) return
      lane.remarks += 1
      const done = (): void => {
        lane.remarks -= 1
      }
      write(chat, text).then(done, done)
    },
  }
}
