import { createGrowingBytes } from './growing-bytes.ts'
import type { UsageReader } from './ports.ts'
import { isLastWord, mergeUsage, readModel, readUsage, type ToldUsage, tokenUsage } from './read-usage.ts'

/**
 * The tokens of a stream of JSON lines, as Ollama sends them. Bytes go through as they come; a line is decoded only
 * when it holds a count, and the first one for the name of the model.
 */

const LF = 0x0a
const EMPTY = Buffer.alloc(0)
const SIGNS = [Buffer.from('eval_count"'), Buffer.from('"usage'), Buffer.from('"meta"')] as const

/** A longer line goes through unread. */
export function createLineReader(maxLineBytes: number): UsageReader {
  const begun = createGrowingBytes()
  let begunBytes = 0
  let told: ToldUsage | null = null
  let isFinal = false
  let model: string | null = null
  let isFirst = true

  function read(line: Buffer): void {
    if (!isFirst && !SIGNS.some((sign) => line.indexOf(sign) !== -1)) return
    isFirst = false
    try {
      const data = JSON.parse(line.toString('utf8', 0, line.length)) as unknown
      model ??= readModel(data)
      const usage = readUsage(data)
      if (usage === null) return
      told = mergeUsage(told, usage)
      isFinal = isLastWord(data)
    } catch {
      // No JSON: nothing to read in it.
    }
  }

  function goOn(rest: Buffer): void {
    begunBytes += rest.length
    if (begunBytes <= maxLineBytes) begun.add(rest)
  }

  function endLine(): void {
    if (begunBytes > 0 && begunBytes <= maxLineBytes) read(begun.bytes())
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
