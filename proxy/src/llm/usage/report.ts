import { AppError, type CallerId } from '../../kernel/index.ts'
import type { UsageGroup, UsageRow } from './ports.ts'
import { added, type UsageLine } from './usage-buffer.ts'

type Sums = { -readonly [Key in keyof UsageGroup]: UsageGroup[Key] }

const COUNTS = [
  ...(['requests', 'failed', 'unreported', 'inputTokens', 'outputTokens'] as const),
  ...(['cacheReadTokens', 'cacheWriteTokens', 'microUsd', 'unpriced'] as const),
] satisfies readonly (keyof UsageLine & keyof UsageGroup)[]

/** Throws invalid_request. */
export function requireDay(day: string): void {
  const isDay = /^\d{4}-\d\d-\d\d$/.test(day) && !Number.isNaN(Date.parse(day))
  if (!isDay) throw new AppError('invalid_request', 'A day is written as YYYY-MM-DD.')
}

function keyOf(row: UsageRow, by: 'agent' | 'model' | 'day', nameOf: (agentId: CallerId) => string): string {
  if (by === 'day') return row.day
  return by === 'agent' ? nameOf(row.agentId) : `${row.provider}/${row.model === '' ? '?' : row.model}`
}

/** Days in their order; agents and models by money, then by tokens. */
export function summed(
  rows: readonly UsageRow[],
  by: 'agent' | 'model' | 'day',
  nameOf: (agentId: CallerId) => string,
): readonly UsageGroup[] {
  const groups = new Map<string, Sums>()
  for (const row of rows) {
    const key = keyOf(row, by, nameOf)
    let group = groups.get(key)
    if (group === undefined) {
      group = {
        ...{ key, requests: 0, failed: 0, unreported: 0, inputTokens: 0, outputTokens: 0 },
        ...{ cacheReadTokens: 0, cacheWriteTokens: 0, microUsd: 0, unpriced: 0 },
      }
      groups.set(key, group)
    }
    for (const count of COUNTS) group[count] = added(group[count], row[count])
  }
  const tokens = (one: UsageGroup): number => one.inputTokens + one.outputTokens
  return [...groups.values()].sort((a, b) => {
    const byKey = a.key < b.key ? -1 : 1
    if (by === 'day') return byKey
    return b.microUsd - a.microUsd || tokens(b) - tokens(a) || byKey
  })
}
