/** Wall-clock time in unix milliseconds. */
export type UnixMs = number

export interface Clock {
  now(): UnixMs
}

export const systemClock: Clock = { now: () => Date.now() }
