/** Keeps what a run prints until it ends, and gives it out with every secret of that run taken out. */
import type { SecretValue } from '../kernel/index.ts'
import type { Scrubber } from './scrubber.ts'
import { createScrubberCache } from './scrubber-cache.ts'
import { type OutputName, scrubTogether } from './together.ts'

interface CollectedOutput {
  readonly stdout: string
  readonly stderr: string
  /** How many places each secret was taken out of, by name. */
  readonly hits: ReadonlyMap<string, number>
}

export interface OutputCollector {
  /** The sandbox bounds how much comes; all of it is kept. The chunk is copied. */
  push(stream: OutputName, chunk: Uint8Array): void
  /** `truncated`: the end of the output was cut off, maybe in the middle of a secret. */
  end(options: { readonly truncated: boolean }): Promise<CollectedOutput>
  /** Compiles what `end` needs; call it while the run is under way, so that nobody waits for it afterwards. */
  prepare(): Scrubber
  /** Before the run begins: compiles what `prepare` gives where that would hold up the event loop. */
  preparedFirst(): Promise<void>
}

/** Values of so many bytes together are compiled in less than a millisecond. */
const QUICK_BYTES = 1_024

/** Of the whole process: runs that come again have the same secrets. */
const scrubbers = createScrubberCache()

export function createOutputCollector(secrets: ReadonlyMap<string, SecretValue>): OutputCollector {
  let scrubber: Scrubber | undefined
  const prepare = (): Scrubber => {
    scrubber ??= scrubbers.of(opened())
    return scrubber
  }
  const opened = (): Map<string, string> => new Map([...secrets].map(([name, value]) => [name, value.open()]))
  const chunks: Record<OutputName, Uint8Array[]> = { stdout: [], stderr: [] }
  const order: { stream: OutputName; bytes: number }[] = []
  return {
    push(stream, chunk) {
      chunks[stream].push(Uint8Array.from(chunk))
      order.push({ stream, bytes: chunk.length })
    },
    async end({ truncated }) {
      const clean = await scrubTogether(prepare(), {
        stdout: Buffer.concat(chunks.stdout),
        stderr: Buffer.concat(chunks.stderr),
        order,
        truncated: { stdout: truncated, stderr: truncated },
      })
      return { stdout: text(clean.stdout), stderr: text(clean.stderr), hits: clean.hits }
    },
    prepare,
    async preparedFirst() {
      const values = opened()
      let bytes = 0
      for (const value of values.values()) bytes += value.length
      if (bytes > QUICK_BYTES) scrubber ??= await scrubbers.prepare(values)
    },
  }
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8')
}
