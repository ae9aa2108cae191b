import { type LimitMembers, limitMembers } from './answer-limits.ts'
import { inputBound } from './input-bound.ts'
import { type SpendingScan, scanSpending } from './spending-scan.ts'

/** All that a body tells of what its request may use; asked only under a limit on tokens or money. Plain data. */
export interface SpendingFacts extends Omit<SpendingScan, 'uncounted'> {
  /** The most that its text may be; images aside. */
  readonly textTokens: number
  readonly limits: LimitMembers
}

/** Goes three times through the body, each time in linear time. */
export function spendingFacts(body: Buffer): SpendingFacts {
  const { uncounted, ...scan } = scanSpending(body)
  return { ...scan, textTokens: inputBound(body, uncounted), limits: limitMembers(body) }
}
