import { GrowingBytes } from './growing-bytes.ts'
import { JsonSkim } from './json-skim.ts'
import type { UsageReader } from './ports.ts'
import { isLastWord, mergeUsage, readModel, readUsage, type ToldUsage, tokenUsage } from './read-usage.ts'

/**
 * The tokens of a stream of JSON lines, as Ollama sends them. Bytes go through as they come; a line is decoded only
 * when it holds a count, and the first one for the name of the model.
 */

const LF = 0x0a
const EMPTY = Buffer.alloc(0)
const SIGNS = [Buffer.from('eval_count"'), Buffer.from('"usage'), Buffer.from('"meta"')] as const

/** A longer line is read as it passes (json-skim.ts). */
export function createLineReader(maxLineBytes: number): UsageReader {
  const begun = new GrowingBytes()
  let begunBytes = 0
  let skim: JsonSkim | null = null
  let told: ToldUsage | null = null
  let isFinal = false
  let model: string | null = null
  let isFirst = true

  function read(line: Buffer): void {
    if (!isFirst && !SIGNS.some((sign) => line.indexOf(sign) !== -1)) return
    isFirst = false
    try {
      take(JSON.parse(line.toString('utf8', 0, line.length)))
    } catch {
      // No JSON: nothing to read in it.
    }
  }

  function take(data: unknown): void {
    model ??= readModel(data)
    const usage = readUsage(data)
    if (usage === null) return
    told = mergeUsage(told, usage)
    isFinal = isLastWord(data)
  }

  function goOn(rest: Buffer): void {
    begunBytes += rest.length
    if (begunBytes <= maxLineBytes) {
      begun.add(rest)
      return
    }
    if (skim === null) {
      skim = new JsonSkim(take)
      skim.push(begun.bytes())
    }
    skim.push(rest)
  }

  function endLine(): void {
    if (skim !== null) skim.end()
    else if (begunBytes > 0) read(begun.bytes())
    skim = null
    begun.clear()
    begunBytes = 0
  }

  return {
    push(input) {
      const chunk = Buffer.from(input.buffer, input.byteOffset, input.byteLength)
      let start = 0
      for (let end = chunk.indexOf(LF); end !== -1; end = chunk.indexOf(LF, start)) {
        goOn(chunk.subarray(start, end))
        endLine()
        start = end + 1
      }
      if (start < chunk.length) goOn(chunk.subarray(start))
      return input
    },
    end() {
      endLine()
      return EMPTY
    },
    usage: () => (told === null ? null : tokenUsage(told)),
    isFinal: () => isFinal,
    model: () => model,
  }
}
