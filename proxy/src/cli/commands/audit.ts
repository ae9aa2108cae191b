import type { AuditArchiveView, AuditListRow, AuditRowView } from '../../contracts/admin/index.ts'
import { canonicalJson } from '../../kernel/index.ts'
import { CliError, EXIT, usageError } from '../cli-error.ts'
import type { CommandContext, CommandGroup } from '../context.ts'
import { examples, helpTexts, paragraph } from '../help.ts'
import { decisionText } from '../question.ts'
import { renderTable } from '../table.ts'
import { safeJson } from '../terminal.ts'
import { formatTime, terminalLine } from '../text-layout.ts'
import { age, moment, wholeNumber } from './shared.ts'

export const addAuditCommands: CommandGroup = (program, context) => {
  const audit = program.command('audit').description('everything that happened')

  audit
    .command('list')
    .description('the newest events, or the newest that fit')
    .option('-n, --number <count>', 'how many', wholeNumber, 20)
    .option('--agent <name>', 'by this agent, or about it')
    .option('--event <name>', 'of this name, or of all that begin with it: egress, secret.opened')
    .option('--secret <name>', 'that name this secret, or a run that was asked for with it')
    .option('--host <host>', 'that name this host, or a run that was asked for with it')
    .option('--request <id>', 'of this request and its run')
    .option('--since <time>', 'from 2026-11-28, 2026-11-28T14:30 or 2h (ago) on', moment(false))
    .option('--until <time>', 'before that time; a day is meant to its end', moment(true))
    .addHelpText(
      'after',
      examples(
        ['oauth3 audit list --secret STRIPE_KEY --event egress', 'which requests carried a secret'],
        ['oauth3 audit list --agent clawd --since 2026-11-01 -n 200', 'what an agent did this month'],
      ),
    )
    .action(async (options: ListOptions) => {
      const rows = (await search(options, context)).toReversed()
      const time = timeOf(rows, context.now())
      await context.show({ rows: rows.map(exportRow) }, () =>
        rows.length === 0
          ? 'No event fits.'
          : renderTable(
              ['ROW', 'AT', 'EVENT', 'WHO', 'AGENT', 'REQUEST', 'DATA'],
              rows.map((row) => [
                String(row.id),
                time(row.at),
                row.event,
                row.who,
                row.agent ?? '',
                row.request_id?.replace('req_', '').slice(0, 8) ?? '',
                briefData(row.data),
              ]),
              context.terminal.style,
              { columns: context.terminal.columns, shrink: SHRINK },
            ),
      )
    })

  audit
    .command('verify')
    .description('checks the hash chain, its seal and the archives; names the first broken row')
    .option('--incremental', 'go on where the last check ended that found all good')
    .option('--live-only', 'leave the files of the archives unread, where they are kept elsewhere')
    .addHelpText('after', helpTexts(paragraph(CHECKED_EARLIER)))
    .action(
      async ({ incremental = false, liveOnly = false }: { incremental?: boolean; liveOnly?: boolean }) => {
        const ask = (isIncremental: boolean) =>
          context.client.call('verifyAudit', {
            query: { archives: liveOnly ? '0' : '1', incremental: isIncremental ? '1' : '0' },
          })
        const first = await ask(incremental)
        let verdict = first
        while (verdict.ok && !verdict.finished) verdict = await ask(true)
        if (verdict.ok) {
          // Where it went on after an answer was no earlier check.
          const whole = { ...verdict, earlier: first.ok ? first.earlier : 0 }
          await context.show(whole, () => `${intact(whole, liveOnly)}; head\n${whole.head_hash}`)
          return
        }
        if (context.json) await context.show(verdict, () => '')
        throw new CliError(
          'failed',
          EXIT.failed,
          `The audit is broken at row ${verdict.broken_id}: ${verdict.reason}.`,
        )
      },
    )

  audit
    .command('export')
    .description('every event that is not in an archive as JSON Lines, oldest first')
    .addHelpText('after', examples(['oauth3 audit export > audit.jsonl', 'a copy to keep elsewhere']))
    .action(async () => {
      await noteArchives('are not in this export', context)
      for await (const row of context.client.lines('exportAudit')) {
        await context.terminal.print(safeJson(exportRow(row)))
      }
    })

  audit
    .command('archive')
    .description('move the oldest events into sealed files, which verify still reads')
    .option('--older-than <age>', 'events older than this, like 90d', age)
    .option('--up-to <row>', 'events up to this row', wholeNumber)
    .addHelpText(
      'after',
      helpTexts(
        paragraph(ARCHIVED),
        examples(
          ['oauth3 audit archive --older-than 90d', 'keep the events of 90 days in the database'],
          ['oauth3 audit archives', 'which rows are in which file'],
        ),
      ),
    )
    .action(async (options: { olderThan?: number; upTo?: number }) => {
      if ((options.olderThan === undefined) === (options.upTo === undefined))
        throw usageError('Give one of --older-than and --up-to.')
      // Told as an age once: what grows older while it works is left for the next time.
      const { olderThan = 0, upTo } = options
      const body = upTo === undefined ? { older_than_ms: olderThan } : { up_to: upTo }
      const ask = () => context.client.call('archiveAudit', { body })
      let answer = await ask()
      const archives = [...answer.archives]
      while (!answer.finished) {
        answer = await ask()
        archives.push(...answer.archives)
      }
      const { folder } = answer
      await context.show({ folder, archives }, () =>
        archives.length === 0 ? 'Nothing was old enough.' : describeArchives(folder, archives, context),
      )
    })

  audit
    .command('archives')
    .description('the sealed files, and which rows are in them')
    .action(async () => {
      const list = await context.client.call('listAuditArchives')
      await context.show(list, () =>
        list.archives.length === 0
          ? 'Nothing is in an archive.'
          : describeArchives(list.folder, list.archives, context),
      )
    })
}

interface ListOptions {
  readonly number: number
  readonly agent?: string
  readonly event?: string
  readonly secret?: string
  readonly host?: string
  readonly request?: string
  readonly since?: number
  readonly until?: number
}

/** The newest first. One answer looks at so many rows; what is longer ago is asked for again. */
async function search(
  { number, request: named, ...filters }: ListOptions,
  { client, terminal }: CommandContext,
): Promise<readonly AuditListRow[]> {
  // By the beginning of its id, as lists show it.
  const request = named && (await client.call('readApproval', { params: { id: named } })).id
  const rows: AuditListRow[] = []
  let before: number | null | undefined
  while (rows.length < number && before !== null) {
    const limit = Math.min(1_000, number - rows.length)
    const answer = await client.call('searchAudit', { query: { ...filters, request, before, limit } })
    rows.push(...answer.rows)
    before = answer.next
  }
  if (before === null) await noteArchives('were not looked at', { client, terminal })
  return rows
}

/** That a row is in a file and not here is no reason to think that nothing happened. */
async function noteArchives(
  what: string,
  { client, terminal }: Pick<CommandContext, 'client' | 'terminal'>,
): Promise<void> {
  const { folder, archives } = await client.call('listAuditArchives')
  const last = archives.at(-1)
  if (last === undefined) return
  terminal.note(`Rows 1 to ${last.last} ${what}: they are in the archives in ${folder}.`)
}

const ARCHIVED =
  "A file holds whole rows as JSON Lines and ends with a seal of the daemon's key. Rows leave the database only after their file " +
  'is on disk and was read back. Keep the files: without them their events are gone, and verify says so. They may be ' +
  'copied anywhere; verify reads them from the folder (OAUTH3_AUDIT_ARCHIVE_DIR).'

function describeArchives(
  folder: string,
  archives: readonly AuditArchiveView[],
  { terminal }: CommandContext,
): string {
  const table = renderTable(
    ['FILE', 'ROWS', 'BYTES', 'ARCHIVED'],
    archives.map((archive) => [
      archive.name,
      `${archive.first}–${archive.last}`,
      String(archive.bytes),
      formatTime(archive.archived_at),
    ]),
    terminal.style,
    { columns: terminal.columns, shrink: [] },
  )
  return `${table}\nin ${terminalLine(folder)}`
}

const CHECKED_EARLIER =
  'Reads every row. With --incremental it goes on where the last check ended that found all good, for seven days after one that ' +
  'read every row: a row behind that point which somebody with the database file changed meanwhile then does not show.'

function intact(
  { rows, archived, earlier }: { rows: number; archived: number; earlier: number },
  isLiveOnly: boolean,
): string {
  if (archived === 0 && earlier === 0) return `${rows} rows, all intact`
  const parts = [
    ...(archived === 0 ? [] : [`1 to ${archived} in archives, ${isLiveOnly ? 'were not read' : 'intact'}`]),
    ...(earlier === 0 ? [] : [`${archived + 1} to ${earlier} intact at an earlier check`]),
    ...(earlier === rows ? [] : [`${Math.max(archived, earlier) + 1} to ${rows} here, intact`]),
  ]
  return `${rows} rows: ${parts.join('; ')}`
}

/** `data` as JSON; as the bare text where it is not what the daemon writes, so that nothing altered is hidden. */
function exportRow<R extends AuditRowView>(row: R): Omit<R, 'data'> & { data?: unknown; data_text?: string } {
  const { data, ...rest } = row
  try {
    const parsed: unknown = JSON.parse(data)
    if (canonicalJson(parsed) === data) return { ...rest, data: parsed }
  } catch {
    // Not JSON at all.
  }
  return { ...rest, data_text: data }
}

/** The data first, then who did it and whom it is about; the data further, then the event: by the table's columns. */
const SHRINK = [
  [6, 20],
  [3, 12],
  [4, 8],
  [6, 8],
  [3, 8],
  [4, 5],
  [2, 16],
] as const

/** The day only when not every row is of today, the year only when not every row is of this one. */
function timeOf(rows: readonly AuditRowView[], now: number): (at: number) => string {
  const today = formatTime(now).slice(0, 10)
  const areOf = (day: string): boolean => rows.every((row) => formatTime(row.at).startsWith(day))
  const from = areOf(today) ? 11 : areOf(today.slice(0, 4)) ? 5 : 0
  return (at) => formatTime(at).slice(from)
}

/** What a person wants at a glance; hashes and the rest are in --json. */
function briefData(data: string): string {
  let parsed: unknown
  try {
    parsed = JSON.parse(data)
  } catch {
    return data
  }
  if (typeof parsed !== 'object' || parsed === null) return ''
  const facts = Object.entries(parsed).filter(([key, value]) => value !== null && !/_(hash|id)$/.test(key))
  return facts
    .map(([key, value]) => {
      if (typeof value !== 'string') return `${key}=${JSON.stringify(value)}`
      return `${key}=${key === 'decision' ? decisionText(value) : value}`
    })
    .join(' ')
}
