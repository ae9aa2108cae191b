/**
 * Who is an incarnation of a machine, where its driver cannot say it by a socket that is its alone. What is handed to an instance at its
 * start opens one thing: to say, once and while that start lasts, by which secret of its own it is known from then on.
 */
import { equalInConstantTime } from '../../kernel/index.ts'
import type { Machine, MachineIdentity, MachineRef } from './machine.ts'

export interface Claim extends Pick<MachineIdentity, 'instance' | 'secretSha256'> {
  /** Whether the driver has that very instance of this incarnation. */
  readonly isOurs: boolean
}

/**
 * `again`: the one that did so before, whose answer was lost or that starts anew. `taken`: another did before, or does it for another's
 * instance. `refused`: there is nothing to claim, or not any more.
 */
export type Claimed = 'claimed' | 'again' | 'taken' | 'refused'

const RISING: ReadonlySet<Machine['observed']> = new Set(['starting', 'waking'])
const TAKEN = 'somebody else has shown itself as this machine; what ran was ended'

/** Whether this is the secret of who is this very incarnation. */
export const isIdentified = (
  { generation, identity, desired }: Machine,
  ref: MachineRef,
  secretSha256: string,
): boolean =>
  desired !== 'deleted' &&
  ref.generation === generation &&
  identity?.generation === generation &&
  equalInConstantTime(identity.secretSha256, secretSha256)

export function outcomeOf(row: Machine | undefined, ref: MachineRef, claim: Claim): Claimed {
  if (row === undefined || row.generation !== ref.generation || row.desired === 'deleted') return 'refused'
  const { identity } = row
  if (identity?.generation === ref.generation)
    return identity.instance === claim.instance &&
      equalInConstantTime(identity.secretSha256, claim.secretSha256)
      ? 'again'
      : 'taken'
  if (!RISING.has(row.observed)) return 'refused'
  return claim.isOurs ? 'claimed' : 'taken'
}

/**
 * Nobody can say which of the two is the machine, so neither is. Its next generation makes a leftover of both, which the sweep removes;
 * nothing is run again before somebody wants it.
 */
export const disowned = (row: Machine): Machine => ({
  ...row,
  generation: row.generation + 1,
  desired: row.desired === 'awake' || row.desired === 'paused' ? 'asleep' : row.desired,
  identity: null,
  lastError: TAKEN,
})
