import { type CallerId, visibleText } from '../../kernel/index.ts'
import type { UsageRow } from './ports.ts'

/**
 * What is not on disk yet: sums by day, agent, provider, model and key. Names of models come from outside, so they
 * are cut, made visible, and beyond a number a day they are all `other`.
 */
export interface UsageBuffer {
  /** The line to add a request to; good until the next call of anything here. */
  line(day: string, agentId: CallerId, provider: string, model: string, keyId: number): UsageLine
  /** Copies of what is not on disk. */
  pending(): readonly UsageRow[]
  isEmpty(): boolean
  /** Hands over everything that is not on disk. */
  take(): readonly UsageRow[]
  /** What was taken could not be written. */
  putBack(rows: readonly UsageRow[]): void
  /** A name that the disk has already for this day, so that it keeps its own line. */
  know(day: string, agentId: CallerId, model: string): void
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] }
export type UsageLine = Mutable<UsageRow>

const MODEL_CHARACTERS = 128
const MODELS_A_DAY = 1_000
/** Ways of writing names that are remembered, besides the names themselves. */
const SPELLINGS = 2_000
const OTHER_MODELS = 'other'
const LARGEST = Number.MAX_SAFE_INTEGER

const SUMS = [
  ...(['requests', 'failed', 'unreported', 'inputTokens', 'outputTokens', 'cacheReadTokens'] as const),
  ...(['cacheWriteTokens', 'microUsd', 'unpriced', 'assumedTokens', 'assumedMicroUsd'] as const),
] satisfies readonly (keyof UsageRow)[]

/** Sums end at the largest number that is still exact. */
export const added = (a: number, b: number): number => Math.min(a + b, LARGEST)

/** At most 128 characters that all show. */
function modelName(raw: string): string {
  return [...visibleText(raw.slice(0, MODEL_CHARACTERS * 2).trim())].slice(0, MODEL_CHARACTERS).join('')
}

interface Names {
  readonly distinct: Set<string>
  readonly bySpelling: Map<string, string>
}

export function createUsageBuffer(): UsageBuffer {
  let day = ''
  /** Of `day` alone. */
  const names = new Map<CallerId, Names>()
  const lines = new Map<string, Map<CallerId, Map<string, Map<string, Map<number, UsageLine>>>>>()
  /** The line that was asked for last, and the name that it was asked for by: nearly always it is the next one too. */
  let last: UsageLine | null = null
  let lastRaw = ''

  function namesOf(agentId: CallerId, of: string): Names {
    if (of !== day) {
      names.clear()
      day = of
    }
    return inner(names, agentId, () => ({
      distinct: new Set<string>(),
      bySpelling: new Map<string, string>(),
    }))
  }

  function nameFor(agentId: CallerId, of: string, raw: string): string {
    const { distinct, bySpelling } = namesOf(agentId, of)
    const known = bySpelling.get(raw)
    if (known !== undefined) return known
    const name = modelName(raw)
    if (!distinct.has(name)) {
      if (distinct.size >= MODELS_A_DAY) return OTHER_MODELS
      distinct.add(name)
    }
    // A spelling far longer than its name is not worth remembering.
    if (bySpelling.size < SPELLINGS && raw.length <= MODEL_CHARACTERS * 2) bySpelling.set(raw, name)
    return name
  }

  function* all(): Generator<UsageLine> {
    for (const byAgent of lines.values())
      for (const byProvider of byAgent.values())
        for (const byModel of byProvider.values()) for (const byKey of byModel.values()) yield* byKey.values()
  }

  function lineOf(of: string, agentId: CallerId, provider: string, model: string, keyId: number): UsageLine {
    const byProvider = inner(inner(lines, of, newMap), agentId, newMap)
    const byKey = inner(inner(byProvider, provider, newMap), model, newMap)
    return inner(byKey, keyId, () => ({
      ...{ day: of, agentId, provider, model, keyId },
      ...{ requests: 0, failed: 0, unreported: 0, inputTokens: 0, outputTokens: 0 },
      ...{ cacheReadTokens: 0, cacheWriteTokens: 0, microUsd: 0, unpriced: 0 },
      ...{ assumedTokens: 0, assumedMicroUsd: 0 },
    }))
  }

  return {
    line(of, agentId, provider, raw, keyId) {
      if (last !== null && lastRaw === raw && isOf(last, of, agentId, provider, keyId)) return last
      last = lineOf(of, agentId, provider, nameFor(agentId, of, raw), keyId)
      lastRaw = raw
      return last
    },
    pending: () => [...all()].map((line) => ({ ...line })),
    isEmpty: () => lines.size === 0,
    take() {
      const taken = [...all()]
      lines.clear()
      last = null
      return taken
    },
    putBack(rows) {
      for (const row of rows) {
        const line = lineOf(row.day, row.agentId, row.provider, row.model, row.keyId)
        for (const sum of SUMS) line[sum] = added(line[sum], row[sum])
      }
      last = null
    },
    know(of, agentId, model) {
      namesOf(agentId, of).distinct.add(model)
      last = null
    },
  }
}

const isOf = (line: UsageLine, day: string, agentId: CallerId, provider: string, keyId: number): boolean =>
  line.keyId === keyId && line.provider === provider && line.agentId === agentId && line.day === day

// biome-ignore lint/suspicious/noExplicitAny: the place where it is put says what it is a map of
const newMap = (): Map<any, any> => new Map()

function inner<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const known = map.get(key)
  if (known !== undefined) return known
  const made = make()
  map.set(key, made)
  return made
}
