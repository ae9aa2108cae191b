import type { RunRow } from '../../contracts/admin/index.ts'
import { formatExactUsd } from '../../kernel/index.ts'
import type { CommandGroup } from '../context.ts'
import { examples } from '../help.ts'
import { renderTable } from '../table.ts'
import { safeJson } from '../terminal.ts'
import { formatTime, groupedDigits, terminalText } from '../text-layout.ts'
import { wholeNumber } from './shared.ts'

interface ListOptions {
  readonly limit: number
  readonly app?: string
  readonly before?: string
  readonly state?: RunRow['state'] | 'open'
  readonly code?: NonNullable<RunRow['code']>
}

export const addRunCommands: CommandGroup = (program, context) => {
  const run = program.command('run').description("apps' runs of Claude Code")

  run
    .command('list')
    .description('runs, the newest first')
    .option('--app <name>', 'of this app')
    .option('--limit <n>', 'how many at most', wholeNumber, 50)
    .option('--before <id>', 'older than this run')
    .option('--state <state>', 'open, queued, running, done, failed or cancelled')
    .option('--code <code>', 'that ended with this code')
    .addHelpText(
      'after',
      examples(
        ['oauth3 run list --app cauldron --limit 10', 'its last ten'],
        ['oauth3 run list --code budget_exceeded', 'those that a limit ended'],
      ),
    )
    .action(async ({ limit, ...options }: ListOptions) => {
      const answer = await context.client.call('listRuns', { query: { ...options, limit: String(limit) } })
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
          ...answer.denials.map(({ tool, message }) => `  refused  ${tool}: ${message}`),
          ...answer.texts.flatMap(({ label, text, cut }) => [
            ...['', `${label}${cut ? ', its beginning' : ''}:`, terminalText(text)],
          ]),
        ].join('\n'),
      )
    })

  run
    .command('follow')
    .description('what a run says and does, as it happens, to its end')
    .argument('<id>')
    .addHelpText(
      'after',
      examples([
        'oauth3 --json run follow run_1f0c',
        'a line of JSON for each event, and one for the run at its end',
      ]),
    )
    .action(async (id: string) => {
      const { client, json, terminal } = context
      const tell = (value: object, human: string): Promise<void> =>
        terminal.print(json ? safeJson(value) : human)
      for (let after = 0; ; ) {
        const news = await client.call('followRun', { params: { id }, query: { after } })
        for (const one of news.events) await tell(one, `${one.event.padEnd(12)} ${terminalText(one.shown)}`)
        after = news.last
        if (news.over) break
      }
      const ended = await client.call('readRun', { params: { id } })
      await tell(ended, `${id}: ${stateOf(ended)}; it cost ${costOf(ended)}.`)
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

const stateOf = ({ state, code }: RunRow): string =>
  code === null || code === 'ok' || code === state ? state : `${state}: ${code}`

const tokensOf = (row: RunRow): string =>
  `${groupedDigits(row.input_tokens + row.cache_read_tokens + row.cache_write_tokens)} + ${groupedDigits(row.output_tokens)}`

const costOf = ({ micro_usd: microUsd }: RunRow): string =>
  microUsd === null ? 'unknown' : formatExactUsd(microUsd)

const timeOf = (at: number | null): string => (at === null ? 'never' : formatTime(at))
