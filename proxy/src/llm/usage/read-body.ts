import { type BodyProblem, type BodyScan, BodyScanner } from './body-scan.ts'
import { type DeepScan, DeepScanner } from './deep-scan.ts'
import { quotesFile } from './file-quotes.ts'
import { type ValueReader, walkObject } from './json-walk.ts'
import { maskToken } from './mask-token.ts'
import { type SpendingFacts, SpendingReaders } from './spending-facts.ts'
import type { Splice } from './splice.ts'
import { usageWish } from './stream-options.ts'

/** All that is found out about a body by going through its bytes; plain data, so that a worker can tell it. */
export interface BodyReading {
  readonly scan: BodyScan | BodyProblem
  /** What asks the vendor for the figures of a stream; null where they are asked for, or not to be. */
  readonly usageWish: Splice | null
  /** Null where they were not asked for, or it cannot be read. */
  readonly spending: SpendingFacts | null
  /** Null where it was not asked for, or cannot be read. */
  readonly deep: DeepScan | null
  /** Whether it quotes a file of the account; null where it was not asked. */
  readonly quotesFile: boolean | null
}

export interface BodyQuestions {
  /** The agent's own, which is taken out of the body in place; null: the caller has none. */
  readonly token: string | null
  /** What the request may use is limited. */
  readonly withSpending: boolean
  /** Asked where somebody may want it and the event loop shall not work it out. */
  readonly withDeep: boolean
  /** Its texts may stand for files, and the event loop shall not look for them. */
  readonly withQuotes: boolean
}

/**
 * Reads a whole body in one walk, and takes its agent's token out of it in place. Linear in its length; nothing else goes
 * through it.
 */
export function readBody(
  body: Buffer,
  { token, withSpending, withDeep, withQuotes }: BodyQuestions,
): BodyReading {
  const scanner = new BodyScanner(body)
  const spending = withSpending ? new SpendingReaders(body) : null
  const deep = withDeep ? new DeepScanner(body) : null
  const scan = scanner.result(walkObject(body, readersOf(scanner, spending, deep)))
  const isRead = !('problem' in scan)
  const reading: BodyReading = {
    scan,
    usageWish: usageWish(scan),
    spending: isRead && spending !== null ? spending.result() : null,
    deep: isRead && deep !== null ? deep.result() : null,
    quotesFile: withQuotes ? quotesFile(body) : null,
  }
  if (token !== null) maskToken(body, token)
  return reading
}

/** A list that is made at once takes no more room than it needs. */
function readersOf(
  scanner: BodyScanner,
  spending: SpendingReaders | null,
  deep: DeepScanner | null,
): readonly ValueReader<unknown>[] {
  if (spending === null) return deep === null ? [scanner] : [scanner, deep]
  const { scanner: members, limits } = spending
  return deep === null ? [scanner, members, limits] : [scanner, members, limits, deep]
}

/** Reads bodies off the event loop; owners take turns. */
export interface LargeBodies {
  /**
   * The parts joined, as `readBody` leaves them; their memory is handed over. Null when it takes too long or too much
   * memory. Rejects with `rate_limited` when too many of the owner's wait, and with the signal's reason.
   */
  read(
    owner: string,
    parts: readonly Buffer[],
    questions: BodyQuestions,
    signal: AbortSignal,
  ): Promise<{ readonly body: Buffer; readonly reading: BodyReading } | null>
}
