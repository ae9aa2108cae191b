/** Wall-clock time in unix milliseconds. */
export type UnixMs = number

export interface Clock {
  now(): UnixMs
}

export const systemClock: Clock = { now: () => Date.now() }

/** How far a clock may be corrected backwards without being taken for one that was set back. */
export const CLOCK_SLACK_MS = 5 * 60 * 1_000
