import { formatUsd, oneLine } from '../../kernel/index.ts'
import type { UsageGroup } from '../../llm/usage/index.ts'
import { bold, code, fitLines } from './html.ts'

export const USAGE_WORDS = ['agent', 'model', 'day'] as const

/** How many of each list are shown; the rest is summed up. */
const MAX_GROUPS = 12

/** What was used, as lists that a phone shows without wrapping: a name, and its numbers below. */
export function renderUsage(
  parts: readonly { readonly title: string; readonly groups: readonly UsageGroup[] }[],
): string {
  return fitLines(
    parts.flatMap(({ title, groups }, index) => [
      ...(index === 0 ? [] : ['']),
      `📊 ${bold(title)}`,
      ...(groups.length === 0 ? ['Nothing was used.'] : groupLines(groups)),
    ]),
  )
}

function groupLines(groups: readonly UsageGroup[]): string[] {
  const sorted = groups.toSorted(
    (a, b) => b.microUsd - a.microUsd || tokensOf(b) - tokensOf(a) || b.requests - a.requests,
  )
  const shown = sorted.slice(0, MAX_GROUPS)
  const rest = sorted.slice(MAX_GROUPS)
  return [
    ...shown.flatMap((group) => [code(oneLine(group.key, 64)), numbers(group)]),
    ...(rest.length === 0 ? [] : [`${rest.length} more`, numbers(sum(rest))]),
    ...(groups.length < 2 ? [] : [bold('All'), numbers(sum(groups))]),
  ]
}

const tokensOf = (group: UsageGroup): number => group.inputTokens + group.outputTokens

/** `12 req · 1.2M in · 30k out · $0.42`. */
function numbers(group: UsageGroup): string {
  return [
    `${short(group.requests)} req`,
    `${short(group.inputTokens)} in`,
    `${short(group.outputTokens)} out`,
    formatUsd(group.microUsd),
    ...(group.failed > 0 ? [`${short(group.failed)} failed`] : []),
    ...(group.unpriced > 0 ? [`${short(group.unpriced)} unpriced`] : []),
  ].join(' · ')
}

function sum(groups: readonly UsageGroup[]): UsageGroup {
  const of = (name: Exclude<keyof UsageGroup, 'key'>): number =>
    groups.reduce((total, group) => total + group[name], 0)
  return {
    key: '',
    requests: of('requests'),
    failed: of('failed'),
    unreported: of('unreported'),
    inputTokens: of('inputTokens'),
    outputTokens: of('outputTokens'),
    cacheReadTokens: of('cacheReadTokens'),
    cacheWriteTokens: of('cacheWriteTokens'),
    microUsd: of('microUsd'),
    unpriced: of('unpriced'),
  }
}

/** `950`, `1.2k`, `30k`, `1.2M`. */
function short(count: number): string {
  for (const [size, letter] of SIZES) {
    // What would be rounded up to a thousand of the smaller one is one of the larger.
    if (count < size * 0.9995) continue
    const value = count / size
    return `${value < 9.95 ? value.toFixed(1).replace(/\.0$/, '') : Math.round(value)}${letter}`
  }
  return String(count)
}

const SIZES = [
  [1e9, 'B'],
  [1e6, 'M'],
  [1e3, 'k'],
] as const
