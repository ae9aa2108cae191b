import type { UnixMs } from '../kernel/index.ts'

/** How long something waits for a person. */
export interface Deadline {
  readonly createdAt: UnixMs
  readonly expiresAt: UnixMs
}

/** Expiry: the one rule of when a request for approval is over; its stores select by the same one. */
export const isOver = ({ expiresAt }: Pick<Deadline, 'expiresAt'>, now: UnixMs): boolean => now >= expiresAt
