import { type AgentId, visibleText } from '../../kernel/index.ts'
import type { UsageRow } from './ports.ts'

/**
 * What is not on disk yet: sums by day, agent, provider, model and key. Names of models come from outside, so they
 * are cut, made visible, and beyond a number a day they are all `other`.
 */
export interface UsageBuffer {
  /** The line to add a request to; good until the next call of anything here. */
  line(day: string, agentId: AgentId, provider: string, model: string, keyId: number): UsageLine
  /** Copies of what is not on disk. */
  pending(): readonly UsageRow[]
  isEmpty(): boolean
  /** Everything that was pending is on disk. */
  clear(): void
  /** A name that the disk has already for this day, so that it keeps its own line. */
  know(day: string, agentId: AgentId, model: string): void
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] }
export type UsageLine = Mutable<UsageRow>

const MODEL_CHARACTERS = 128
const MODELS_A_DAY = 1_000
/** Ways of writing names that are remembered, besides the names themselves. */
const SPELLINGS = 2_000
const OTHER_MODELS = 'other'
const LARGEST = Number.MAX_SAFE_INTEGER

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
  const names = new Map<AgentId, Names>()
  const lines = new Map<string, Map<AgentId, Map<string, Map<string, Map<number, UsageLine>>>>>()
  /** The line that was asked for last, and the name that it was asked for by: nearly always it is the next one too. */
  let last: UsageLine | null = null
  let lastRaw = ''

  function namesOf(agentId: AgentId, of: string): Names {
    if (of !== day) {
      names.clear()
      day = of
    }
    return inner(names, agentId, () => ({
      distinct: new Set<string>(),
      bySpelling: new Map<string, string>(),
    }))
  }

  function nameFor(agentId: AgentId, of: string, raw: string): string {
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

  return {
    line(of, agentId, provider, raw, keyId) {
      if (last !== null && lastRaw === raw && isOf(last, of, agentId, provider, keyId)) return last
      const model = nameFor(agentId, of, raw)
      const byProvider = inner(inner(lines, of, newMap), agentId, newMap)
      const byKey = inner(inner(byProvider, provider, newMap), model, newMap)
      let line = byKey.get(keyId)
      if (line === undefined) {
        line = {
          ...{ day: of, agentId, provider, model, keyId },
          ...{ requests: 0, failed: 0, untold: 0, inputTokens: 0, outputTokens: 0 },
          ...{ cacheReadTokens: 0, cacheWriteTokens: 0, microUsd: 0, unpriced: 0 },
          ...{ assumedTokens: 0, assumedMicroUsd: 0 },
        }
        byKey.set(keyId, line)
      }
      last = line
      lastRaw = raw
      return line
    },
    pending: () => [...all()].map((line) => ({ ...line })),
    isEmpty: () => lines.size === 0,
    clear() {
      lines.clear()
      last = null
    },
    know(of, agentId, model) {
      namesOf(agentId, of).distinct.add(model)
      last = null
    },
  }
}

const isOf = (line: UsageLine, day: string, agentId: AgentId, provider: string, keyId: number): boolean =>
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
