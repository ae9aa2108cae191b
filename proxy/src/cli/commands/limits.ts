import { type Command, InvalidArgumentError } from 'commander'
import type { LimitsView } from '../../contracts/admin/index.ts'
import { formatExactUsd } from '../../kernel/index.ts'
import { parseMicroUsd } from '../money.ts'
import { groupedDigits } from '../text-layout.ts'
import { commaList } from './shared.ts'

/** Takes a limit away. */
type OrNone<T> = T | 'none'

/** What a grant covers and what it may cost, as options of every command that gives or changes one. */
export interface LimitOptions {
  readonly models?: OrNone<readonly string[]>
  readonly paths?: OrNone<readonly string[]>
  readonly rpm?: OrNone<number>
  readonly tokensPerDay?: OrNone<number>
  readonly usdPerDay?: OrNone<number>
  readonly requests?: OrNone<number>
}

export function addLimitOptions(command: Command): Command {
  return command
    .option('--models <list>', 'these models alone; a beginning ends in *, such as gpt-5*', listOrNone)
    .option('--paths <list>', 'these beginnings of the path alone, such as /chat/completions', listOrNone)
    .option('--rpm <n>', 'requests a minute', countOrNone)
    .option('--tokens-per-day <n>', 'tokens a day (UTC), input and output', countOrNone)
    .option('--usd-per-day <n.nn>', 'dollars a day (UTC), by the table of prices', usdOrNone)
    .option('--requests <n>', 'requests in all, after which the grant ends', countOrNone)
}

/** For who gives or changes a grant without an ask; what an ask is for is known. */
export const addGroupsOption = (command: Command): Command =>
  command.option(
    '--groups <list>',
    'what may be done there: inference, models, files, batches, fine_tuning, stored, realtime, deferred, organization, other',
    commaList,
  )

export const limitsOf = (options: LimitOptions): Partial<LimitsView> => ({
  ...(options.rpm === undefined ? {} : { requests_per_minute: orNull(options.rpm) }),
  ...(options.tokensPerDay === undefined ? {} : { tokens_per_day: orNull(options.tokensPerDay) }),
  ...(options.usdPerDay === undefined ? {} : { micro_usd_per_day: orNull(options.usdPerDay) }),
  ...(options.requests === undefined ? {} : { requests: orNull(options.requests) }),
})

/** Null: all of them. */
export const orNull = <T>(value: OrNone<T>): T | null => (value === 'none' ? null : value)

export const namesLimits = (options: LimitOptions): boolean =>
  [
    ...[options.models, options.paths, options.requests],
    ...[options.rpm, options.tokensPerDay, options.usdPerDay],
  ].some((value) => value !== undefined)

/** `60/min, 1,000,000 tokens/day, $5.00/day, 97 of 100 requests left`. */
export function limitsText(limits: Partial<LimitsView>, requestsLeft: number | null = null): string {
  const { requests_per_minute: rpm, tokens_per_day: tokens, micro_usd_per_day: money, requests } = limits
  const left = requestsLeft === null ? '' : `${groupedDigits(requestsLeft)} of `
  const parts = [
    ...(rpm ? [`${groupedDigits(rpm)}/min`] : []),
    ...(tokens ? [`${groupedDigits(tokens)} tokens/day`] : []),
    ...(money ? [`${formatExactUsd(money)}/day`] : []),
    ...(requests
      ? [`${left}${groupedDigits(requests)} ${requests === 1 ? 'request' : 'requests'}${left && ' left'}`]
      : []),
  ]
  return parts.join(', ') || 'no limits'
}

function listOrNone(text: string, before?: OrNone<readonly string[]>): OrNone<readonly string[]> {
  const items = commaList(text)
  if (items.length === 1 && items[0] === 'none' && before === undefined) return 'none'
  if (items.includes('none') || before === 'none')
    throw new InvalidArgumentError('none does not go with a list.')
  return [...(before ?? []), ...items]
}

function countOrNone(text: string): OrNone<number> {
  if (text === 'none') return text
  if (!/^[1-9][0-9]{0,14}$/.test(text)) {
    throw new InvalidArgumentError('It takes a whole number from 1, or none.')
  }
  return Number(text)
}

function usdOrNone(text: string): OrNone<number> {
  if (text === 'none') return text
  const microUsd = parseMicroUsd(text)
  if (microUsd === 0) throw new InvalidArgumentError('It takes dollars from 0.000001, or none.')
  return microUsd
}
