import type { UnixMs } from '../../kernel/index.ts'
import { backoffMs } from '../outbox/index.ts'
import type { PendingWake, WakeReceipt } from './ports.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS

/** A target that accepted a wake may lose it before the agent has seen it: how long until the next reminder. */
const REMIND_AFTER_MS = [
  MINUTE_MS,
  5 * MINUTE_MS,
  15 * MINUTE_MS,
  HOUR_MS,
  3 * HOUR_MS,
  6 * HOUR_MS,
  12 * HOUR_MS,
] as const
const LAST_WAIT_MS = 12 * HOUR_MS

/** A target that refuses stays as it is until its owner changes something. */
const REFUSED_RETRY_MS = 15 * MINUTE_MS
const LONGEST_PAUSE_MS = HOUR_MS
/** For a target that never accepts anything. */
const LONGEST_WAIT_MS = 7 * 24 * HOUR_MS

/** `before`: how many wakes for the outcome had been accepted before this one. */
export const remindAfterMs = (before: number): number => REMIND_AFTER_MS[before] ?? LAST_WAIT_MS

/** Whether the wake has had the first text, every reminder and the last wait, or no target took it in a week. */
export function isHopeless(wake: Pick<PendingWake, 'delivered' | 'createdAt'>, now: UnixMs): boolean {
  return wake.delivered > REMIND_AFTER_MS.length || now - wake.createdAt > LONGEST_WAIT_MS
}

/** `failures`: how many attempts in a row were not accepted before this one. */
export function retryAfterMs(receipt: WakeReceipt & { delivered: false }, failures: number): number {
  if (receipt.retryAfterMs !== undefined)
    return Math.min(LONGEST_PAUSE_MS, Math.max(1_000, receipt.retryAfterMs))
  return receipt.permanent ? REFUSED_RETRY_MS : backoffMs(failures)
}
