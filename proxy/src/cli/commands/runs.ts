import type { OwnersRunView } from '../../contracts/admin/index.ts'
import { formatExactUsd } from '../../kernel/index.ts'
import type { CommandGroup } from '../context.ts'
import { examples } from '../help.ts'
import { renderTable } from '../table.ts'
import { formatTime, groupedDigits } from '../text-layout.ts'
import { wholeNumber } from './shared.ts'

export const addRunCommands: CommandGroup = (program, context) => {
  const run = program.command('run').description("apps' runs of Claude Code")

  run
    .command('list')
    .description('runs, the newest first')
    .option('--app <name>', 'of this app')
    .option('--limit <n>', 'how many at most', wholeNumber, 50)
    .option('--before <id>', 'older than this run')
    .addHelpText('after', examples(['oauth3 run list --app cauldron --limit 10', 'its last ten']))
    .action(async (options: { readonly app?: string; readonly limit: number; readonly before?: string }) => {
      const { app, limit, before } = options
      const answer = await context.client.call('listRuns', { query: { app, limit: String(limit), before } })
      await context.show(answer, () =>
        answer.runs.length === 0
          ? 'No run yet.'
          : renderTable(
              ['ID', 'APP', 'STATE', 'MODEL', 'TOKENS', 'COST', 'WHEN'],
              answer.runs.map((row) => [
                ...[row.id, row.app, stateOf(row), row.model, tokensOf(row), costOf(row)],
                formatTime(row.created_at),
              ]),
              context.terminal.style,
              {
                columns: context.terminal.columns,
                shrink: [
                  [3, 8],
                  [1, 8],
                ],
              },
            ),
      )
    })

  run
    .command('show')
    .description('one run, and what it said while that is kept')
    .argument('<id>')
    .action(async (id: string) => {
      const answer = await context.client.call('readRun', { params: { id } })
      await context.show(answer, () =>
        [
          `${answer.id} of ${answer.app}: ${stateOf(answer)}${answer.message === null ? '' : `. ${answer.message}`}`,
          `  model    ${answer.model}, ${groupedDigits(answer.requests)} calls, ${tokensOf(answer)} tokens, ${costOf(answer)}`,
          `  prompt   ${groupedDigits(answer.prompt_chars)} characters, SHA-256 ${answer.prompt_sha256}`,
          `  times    asked ${formatTime(answer.created_at)}, begun ${timeOf(answer.started_at)}, over ${timeOf(answer.finished_at)}`,
          ...(answer.prompt === null ? [] : ['', answer.prompt]),
          ...(answer.text === null ? [] : ['', answer.text]),
        ].join('\n'),
      )
    })

  run
    .command('cancel')
    .description('end a run; returns when its container is gone')
    .argument('<id>')
    .action(async (id: string) => {
      const answer = await context.client.call('cancelRun', { params: { id } })
      await context.show(answer, () => `${id}: ${stateOf(answer)}; it had cost ${costOf(answer)}.`)
    })
}

const stateOf = ({ state, code }: OwnersRunView): string =>
  code === null || code === 'ok' || code === state ? state : `${state}: ${code}`

const tokensOf = (row: OwnersRunView): string =>
  `${groupedDigits(row.input_tokens + row.cache_read_tokens + row.cache_write_tokens)} + ${groupedDigits(row.output_tokens)}`

const costOf = ({ micro_usd: microUsd }: OwnersRunView): string =>
  microUsd === null ? 'unknown' : formatExactUsd(microUsd)

const timeOf = (at: number | null): string => (at === null ? 'never' : formatTime(at))
