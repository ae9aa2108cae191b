import { type LimitMembers, LimitReader } from './answer-limits.ts'
import { inputBound } from './input-bound.ts'
import { walkObject } from './json-walk.ts'
import { type SpendingScan, SpendingScanner } from './spending-scan.ts'

/** All that a body tells of what its request may use; asked only under a limit on tokens or money. Plain data. */
export interface SpendingFacts extends SpendingScan {
  /** The most that its text may be; images aside. */
  readonly textTokens: number
  readonly limits: LimitMembers
}

/** What reads them in a walk through the body; the text is counted behind it, since images are none. */
export class SpendingReaders {
  readonly scanner: SpendingScanner
  readonly limits: LimitReader
  readonly #body: Buffer

  constructor(body: Buffer) {
    this.scanner = new SpendingScanner(body)
    this.limits = new LimitReader(body)
    this.#body = body
  }

  result(): SpendingFacts {
    const scan = this.scanner.result()
    return {
      ...scan,
      textTokens: inputBound(this.#body, scan.uncounted),
      limits: this.limits.result(),
    }
  }
}

/** Of a body that `scanBody` has found to be one JSON object. */
export function spendingFacts(body: Buffer): SpendingFacts {
  const spending = new SpendingReaders(body)
  walkObject(body, [spending.scanner, spending.limits])
  return spending.result()
}
