import { type LimitMembers, LimitReader } from './answer-limits.ts'
import { inputBound } from './input-bound.ts'
import { type ValueReader, walkObject } from './json-walk.ts'
import { type SpendingScan, SpendingScanner } from './spending-scan.ts'

/** All that a body tells of what its request may use; asked only under a limit on tokens or money. Plain data. */
export interface SpendingFacts extends SpendingScan {
  /** The most that its text may be; images aside. */
  readonly textTokens: number
  readonly limits: LimitMembers
}

/** What reads them in a walk through the body; the text is counted behind it, since images are none. */
export function spendingReaders(body: Buffer): {
  readonly readers: readonly ValueReader<unknown>[]
  result(): SpendingFacts
} {
  const scanner = new SpendingScanner(body)
  const limits = new LimitReader(body)
  return {
    readers: [scanner, limits],
    result() {
      const scan = scanner.result()
      return { ...scan, textTokens: inputBound(body, scan.uncounted), limits: limits.result() }
    },
  }
}

/** Of a body that `scanBody` has found to be one JSON object. */
export function spendingFacts(body: Buffer): SpendingFacts {
  const { readers, result } = spendingReaders(body)
  walkObject(body, readers)
  return result()
}
