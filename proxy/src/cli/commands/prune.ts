import { InvalidArgumentError } from 'commander'
import type { PruneAnswer } from '../../contracts/admin/index.ts'
import { formatBytes } from '../../kernel/index.ts'
import type { CommandGroup } from '../context.ts'
import { examples, helpTexts, paragraph } from '../help.ts'
import { counted } from '../text-layout.ts'
import { age } from './shared.ts'

interface PruneOptions {
  readonly dryRun?: boolean
  readonly olderThan?: number
  readonly maxBytes?: number
}

const KEPT =
  'Never dropped: what an active grant needs (its code, imports and consent), what waits or runs, requests of the last ' +
  'day (an Idempotency-Key may name them), what a chat message or a wake on its way is about, and the audit (see oauth3 ' +
  'audit archive).'

export const addPruneCommand: CommandGroup = (program, context) => {
  program
    .command('prune')
    .description('drop output, code and requests that are over, and say what stays and why')
    .option('--dry-run', 'say what would go, and drop nothing')
    .option(
      '--older-than <age>',
      'what ended longer ago, like 90d or 12h; 0: all of it (default: the settings)',
      age,
    )
    .option(
      '--max-bytes <size>',
      'then the oldest, until the database uses no more, like 500MiB (default: the setting)',
      size,
    )
    .addHelpText(
      'after',
      helpTexts(
        paragraph(KEPT),
        examples(
          ['oauth3 prune --dry-run', 'what the settings would take now'],
          ['oauth3 prune --older-than 30d', 'output, code and requests that ended more than 30 days ago'],
        ),
      ),
    )
    .action(async (options: PruneOptions) => {
      const body = {
        dry_run: options.dryRun === true,
        older_than_ms: options.olderThan ?? null,
        max_bytes: options.maxBytes ?? null,
      }
      const ask = (): Promise<PruneAnswer> => context.client.call('prune', { body })
      let answer = await ask()
      while (!answer.finished) answer = together(answer, await ask())
      await context.show(answer, () => describePruned(answer, body.dry_run, options.maxBytes))
    })
}

/** The same work, done in several calls. */
const together = (before: PruneAnswer, after: PruneAnswer): PruneAnswer => ({
  ...after,
  outputs: before.outputs + after.outputs,
  executions: before.executions + after.executions,
  ended: (before.ended ?? 0) + (after.ended ?? 0),
  usage_rows: before.usage_rows + after.usage_rows,
})

function describePruned(answer: PruneAnswer, isDryRun: boolean, maxBytes: number | undefined): string {
  const { kept } = answer
  const bytes = (count: number | null): string => (count === null ? '' : ` (${formatBytes(count)})`)
  const gone = [
    `${counted(answer.outputs, 'output')}${bytes(answer.output_bytes)}`,
    ...(answer.code === null
      ? []
      : [`code of ${counted(answer.code, 'program')}${bytes(answer.code_bytes)}`]),
    counted(answer.executions, 'ended request'),
    ...(answer.ended === null ? [] : [counted(answer.ended, 'ended grant or ask')]),
    counted(answer.usage_rows, 'usage row'),
  ]
  const isBeyond = isDryRun && maxBytes !== undefined && answer.used_bytes > maxBytes
  return [
    `${isDryRun ? 'Would go' : 'Dropped'}: ${gone.join(', ')}.`,
    ...(isBeyond
      ? [`If that is not enough for ${formatBytes(maxBytes)}: the oldest output, requests and code after it.`]
      : []),
    'Stays:',
    `  waiting or running: ${counted(kept.waiting, 'request')}`,
    `  code, imports and consent of ${counted(kept.grants, 'active grant')}`,
    `  with a message or wake on its way, or the last id: ${counted(kept.unsent, 'ended request')}`,
    `  younger: ${counted(kept.young, 'ended request')}`,
    '  the audit, all of it: oauth3 audit archive moves old rows into sealed files',
    `The database uses ${formatBytes(answer.used_bytes)}; ${formatBytes(answer.free_bytes)} of its file are free for what comes.`,
  ].join('\n')
}

const SIZE_UNITS: Readonly<Record<string, number>> = {
  '': 1,
  KiB: 1_024,
  MiB: 1_048_576,
  GiB: 1_073_741_824,
}

function size(text: string): number {
  const [, count = '', unit = ''] = /^([1-9][0-9]{0,12})(|KiB|MiB|GiB)$/.exec(text) ?? []
  const bytes = SIZE_UNITS[unit]
  if (count === '' || bytes === undefined)
    throw new InvalidArgumentError('It takes a size like 500MiB, or bytes.')
  return Number(count) * bytes
}
