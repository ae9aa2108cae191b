import type { IAsyncProperty, IProperty } from 'fast-check'
import fc from 'fast-check'

/** Something that must hold for every input there is. */
export interface FuzzProperty {
  /** A sentence; also what `npm run fuzz -- --only` looks in. */
  readonly name: string
  readonly property: IProperty<never> | IAsyncProperty<never>
}

export interface FuzzOutcome {
  readonly runs: number
  readonly seed: number
  /** What broke the property, shrunk, with the path to replay it; undefined when it held. */
  readonly found: string | undefined
}

/** fast-check types a property by its input, which a list of them cannot know. */
export const holds = (name: string, property: unknown): FuzzProperty => ({
  name,
  property: property as FuzzProperty['property'],
})

export async function tryProperty(
  { property }: FuzzProperty,
  options: { readonly runs?: number; readonly timeMs?: number; readonly seed?: number },
): Promise<FuzzOutcome> {
  const outcome = await fc.check(property as IAsyncProperty<never>, {
    numRuns: options.runs ?? 1_000_000_000,
    ...(options.timeMs === undefined
      ? {}
      : { interruptAfterTimeLimit: options.timeMs, markInterruptAsFailure: false }),
    ...(options.seed === undefined ? {} : { seed: options.seed }),
  })
  return {
    runs: outcome.numRuns,
    seed: outcome.seed,
    found: outcome.failed ? fc.defaultReportMessage(outcome) : undefined,
  }
}

/** The bytes cut at these places, in order; places beyond the end do nothing. */
export function cutAt(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const chunks: Buffer[] = []
  let at = 0
  for (const size of sizes) {
    chunks.push(bytes.subarray(at, at + size))
    at += size
  }
  chunks.push(bytes.subarray(at))
  return chunks
}

export const chunkSizes = fc.array(fc.nat(40), { maxLength: 30 })
