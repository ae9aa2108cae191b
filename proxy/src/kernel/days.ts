import type { UnixMs } from './clock.ts'

export const DAY_MS = 86_400_000

/** The day in UTC, as `YYYY-MM-DD`. */
export const utcDay = (at: UnixMs): string => new Date(at).toISOString().slice(0, 10)

/** The first of so many days of which the present one is the last. */
export const firstOfDays = (now: UnixMs, days: number): string => utcDay(now - (days - 1) * DAY_MS)
