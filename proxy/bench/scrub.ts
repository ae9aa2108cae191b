/**
 * How fast output passes the scrubber with 1, 3 and 20 secrets: the first megabytes of a set of secrets, with what is
 * prepared for it, and the best of some rounds. Beside one search for a word that is not there, and beside the
 * scrubber of another checkout where one is named; in turn, so that the ratios mean something on any machine.
 */
import { pathToFileURL } from 'node:url'
import { createScrubber, type Scrubber } from '../src/scrub/index.ts'
import { demoSecrets, scrubInputs } from './scrub-inputs.ts'

const CHUNK_BYTES = 64 * 1024
const ROUNDS = 4
const SECRETS = [1, 3, 20]

interface ScrubBenchOptions {
  readonly bytes: number
  /** A checkout to compare with: the folder of the repository. */
  readonly baseline: string | null
}

type Create = (secrets: ReadonlyMap<string, string>) => Pick<Scrubber, 'stream'>

export async function benchScrub({ bytes, baseline }: ScrubBenchOptions): Promise<void> {
  const before = baseline === null ? null : await createOf(baseline)
  for (const count of SECRETS) {
    const secrets = demoSecrets(count)
    for (const [input, text] of scrubInputs(bytes, secrets)) {
      const now = measured(createScrubber, secrets)
      const then = before === null ? null : measured(before, secrets)
      const [cold, coldThen] = [now.passMs(text), then?.passMs(text)]
      let [best, bestThen] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]
      for (let round = 0; round < ROUNDS; round++) {
        best = Math.min(best, now.passMs(text))
        bestThen = Math.min(bestThen, then?.passMs(text) ?? bestThen)
      }
      const search = Math.min(...[1, 2, 3].map(() => cpuMs(() => text.indexOf('a word that is not there'))))
      const rate = (ms: number): string => `${String(Math.round(text.length / 1e3 / ms)).padStart(6)} MB/s`
      const against =
        coldThen === undefined
          ? ''
          : `   baseline × ${ratio(coldThen / cold)} at first, × ${ratio(bestThen / best)} then`
      console.log(
        `${String(count).padStart(3)} ${input.padEnd(48)}${rate(cold)} at first${rate(best)} then   search × ${ratio(search / best)}${against}`,
      )
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
}

async function createOf(checkout: string): Promise<Create> {
  const { href } = pathToFileURL(`${checkout}/proxy/src/scrub/index.ts`)
  const { createScrubber: create } = (await import(href)) as { createScrubber: Create }
  return create
}

/** The first pass has what it takes to prepare. */
function measured(create: Create, secrets: ReadonlyMap<string, string>) {
  let scrubber: Pick<Scrubber, 'stream'> | undefined
  return {
    passMs: (text: Buffer) =>
      cpuMs(() => {
        scrubber ??= create(secrets)
        scrubAll(scrubber, text)
      }),
  }
}

const ALWAYS = { isOver: () => false }

function scrubAll(scrubber: Pick<Scrubber, 'stream'>, text: Buffer): void {
  const stream = scrubber.stream()
  for (let at = 0; at < text.length; at += CHUNK_BYTES) {
    const chunk = text.subarray(at, at + CHUNK_BYTES)
    // Older checkouts have `push` alone.
    if ('read' in stream) stream.read(chunk, [], ALWAYS)
    else (stream as { push(chunk: Uint8Array): unknown }).push(chunk)
  }
  stream.end()
}

/** Processor time: other work on the machine counts little. */
function cpuMs(work: () => unknown): number {
  const before = process.cpuUsage()
  work()
  const { user, system } = process.cpuUsage(before)
  return Math.max(1, user + system) / 1e3
}

const ratio = (value: number): number => Number(value.toPrecision(2))
