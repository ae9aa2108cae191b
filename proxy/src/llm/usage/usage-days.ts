import type { CallerId } from '../../kernel/index.ts'
import type { UsageRow } from './ports.ts'
import { added } from './usage-buffer.ts'

/** What is on disk of each day, as far as limits and names ask for it: no request waits for the disk. */
export interface UsageDays {
  /** Whether all that the disk has of this day is here. */
  isKnown(day: string): boolean
  /** In place of what was known: `rows` are all that the disk has from `since` on. */
  load(since: string, rows: readonly UsageRow[]): void
  /** They are on disk by now. */
  add(rows: readonly UsageRow[]): void
  of(day: string): readonly DaySum[]
  /** Forgets the days before. */
  forgetBefore(day: string): void
}

/** Sums of an agent at a provider, and the names of models that its lines have. */
interface DaySum {
  readonly agentId: CallerId
  readonly provider: string
  readonly tokens: number
  readonly microUsd: number
  readonly models: ReadonlySet<string>
}

type Sum = { -readonly [Key in keyof DaySum]: DaySum[Key] } & { readonly models: Set<string> }

/** What a row counts in the limits. */
export const countedTokens = (row: UsageRow): number =>
  added(added(row.inputTokens, row.outputTokens), row.assumedTokens)
export const countedMicroUsd = (row: UsageRow): number => added(row.microUsd, row.assumedMicroUsd)

export function createUsageDays(): UsageDays {
  /** By day, then by agent and provider. */
  const days = new Map<string, Map<string, Sum>>()
  let knownSince: string | undefined

  const isKnown = (day: string): boolean => knownSince !== undefined && day >= knownSince
  const add = (rows: readonly UsageRow[]): void => {
    for (const row of rows) {
      if (!isKnown(row.day)) continue
      const sums = days.get(row.day) ?? new Map<string, Sum>()
      days.set(row.day, sums)
      const key = `${row.agentId} ${row.provider}`
      const { agentId, provider } = row
      const sum = sums.get(key) ?? { agentId, provider, tokens: 0, microUsd: 0, models: new Set() }
      sums.set(key, sum)
      sum.tokens = added(sum.tokens, countedTokens(row))
      sum.microUsd = added(sum.microUsd, countedMicroUsd(row))
      sum.models.add(row.model)
    }
  }

  return {
    isKnown,
    load(since, rows) {
      days.clear()
      knownSince = since
      add(rows)
    },
    add,
    of: (day) => [...(days.get(day)?.values() ?? [])],
    forgetBefore(day) {
      if (knownSince === undefined || day <= knownSince) return
      for (const one of days.keys()) if (one < day) days.delete(one)
      knownSince = day
    },
  }
}
