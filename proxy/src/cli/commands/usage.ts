import { InvalidArgumentError, Option } from 'commander'
import {
  LONGEST_REPORT_DAYS,
  USAGE_BY,
  type UsageGroupView,
  type UsageReportView,
} from '../../contracts/admin/index.ts'
import { formatUsd } from '../../kernel/index.ts'
import type { CommandGroup } from '../context.ts'
import { examples } from '../help.ts'
import type { Style } from '../style.ts'
import { alignedRight, renderTable } from '../table.ts'
import { counted, groupedDigits, terminalLine } from '../text-layout.ts'
import { wholeNumber } from './shared.ts'

const DEFAULT_DAYS = 30

export const addUsageCommands: CommandGroup = (program, context) => {
  program
    .command('usage')
    .description('what agents used: requests, tokens and money')
    .addOption(new Option('--by <what>', 'one row for each').choices(USAGE_BY).default('agent'))
    .option('--days <n>', 'today and the days before it, in UTC', daysFrom, DEFAULT_DAYS)
    .addHelpText(
      'after',
      examples(
        ['oauth3 usage --by model --days 7', 'where the tokens of this week went'],
        ['oauth3 usage --by day --json', 'for a program; money in millionths of a dollar'],
      ),
    )
    .action(async (options: { by: (typeof USAGE_BY)[number]; days: number }) => {
      const report = await context.client.call('reportUsage', { query: options })
      await context.show(report, () => renderUsage(report, context.terminal.style, context.terminal.columns))
    })
}

function daysFrom(text: string): number {
  const days = wholeNumber(text)
  if (days < 1 || days > LONGEST_REPORT_DAYS)
    throw new InvalidArgumentError(`It takes 1 to ${LONGEST_REPORT_DAYS}.`)
  return days
}

const HEAD = ['REQUESTS', 'FAILED', 'INPUT', 'OF IT CACHED', 'OUTPUT', 'COST']

function renderUsage(report: UsageReportView, style: Style, columns: number): string {
  if (report.groups.length === 0) return `No requests since ${report.since}.`
  const total = report.groups.reduce(sum, { ...NOTHING, key: 'total' })
  const groups = report.groups.length > 1 ? [...report.groups, total] : report.groups
  const [head, ...rows] = alignedRight(
    [report.by.toUpperCase(), ...HEAD],
    groups.map((group) => [
      terminalLine(group.key),
      groupedDigits(group.requests),
      groupedDigits(group.failed),
      groupedDigits(group.input_tokens),
      groupedDigits(group.cache_read_tokens),
      groupedDigits(group.output_tokens),
      moneyText(group),
    ]),
    [1, 2, 3, 4, 5, 6],
  )
  return [
    renderTable(head, rows, style, { columns, shrink: [[0, 12]] }),
    '',
    `Since ${report.since} (UTC).${unreportedText(total.untold)}`,
    ...(total.unpriced === 0 ? [] : [style.yellow(unpricedText(total.unpriced, report.unpriced_models))]),
  ].join('\n')
}

/** A sum that leaves something out is marked as what it is: at least that much. */
function moneyText(group: UsageGroupView): string {
  if (group.unpriced === 0) return formatUsd(group.micro_usd)
  return group.micro_usd === 0 ? 'no price' : `${formatUsd(group.micro_usd)} +`
}

const unreportedText = (unreported: number): string =>
  unreported === 0 ? '' : ` ${counted(unreported, 'answer')} told of no tokens.`

const NAMED_MODELS = 5

function unpricedText(requests: number, models: readonly string[]): string {
  const named = models.slice(0, NAMED_MODELS).map(terminalLine).join(', ')
  const more = models.length > NAMED_MODELS ? ` and ${models.length - NAMED_MODELS} more` : ''
  const which = models.length === 0 ? '' : `: ${named}${more}`
  return `No price, so not in the cost: ${counted(requests, 'request')}${which}. Set one: oauth3 price set PROVIDER MODEL --input … --output …`
}

const NOTHING: Omit<UsageGroupView, 'key'> = {
  requests: 0,
  failed: 0,
  untold: 0,
  input_tokens: 0,
  output_tokens: 0,
  cache_read_tokens: 0,
  cache_write_tokens: 0,
  micro_usd: 0,
  unpriced: 0,
}

const sum = (a: UsageGroupView, b: UsageGroupView): UsageGroupView => ({
  key: a.key,
  requests: a.requests + b.requests,
  failed: a.failed + b.failed,
  untold: a.untold + b.untold,
  input_tokens: a.input_tokens + b.input_tokens,
  output_tokens: a.output_tokens + b.output_tokens,
  cache_read_tokens: a.cache_read_tokens + b.cache_read_tokens,
  cache_write_tokens: a.cache_write_tokens + b.cache_write_tokens,
  micro_usd: a.micro_usd + b.micro_usd,
  unpriced: a.unpriced + b.unpriced,
})
