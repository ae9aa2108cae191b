import { canonicalJson } from '../../kernel/index.ts'
import { type AuditRowView, auditList, auditRowView, auditVerdict } from '../../surfaces/admin-api/wire.ts'
import { adminPath } from '../admin-client.ts'
import { CliError, EXIT } from '../cli-error.ts'
import type { CommandGroup } from '../context.ts'
import { decisionText } from '../question.ts'
import { renderTable } from '../table.ts'
import { safeJson } from '../terminal.ts'
import { formatTime } from '../text-layout.ts'
import { examples, wholeNumber } from './shared.ts'

export const addAuditCommands: CommandGroup = (program, context) => {
  const audit = program.command('audit').description('everything that happened')

  audit
    .command('list')
    .description('the newest events')
    .option('-n, --number <count>', 'how many', wholeNumber, 20)
    .action(async (options: { number: number }) => {
      const answer = await context.client.call(
        auditList,
        'GET',
        `${adminPath('audit')}?limit=${options.number}`,
      )
      const rows = answer.rows.toReversed()
      const time = timeOf(rows, context.now())
      await context.show({ rows: rows.map(exportRow) }, () =>
        rows.length === 0
          ? 'The audit is empty.'
          : renderTable(
              ['ROW', 'AT', 'EVENT', 'WHO', 'REQUEST', 'DATA'],
              rows.map((row) => [
                String(row.id),
                time(row.at),
                row.event,
                shorten(row.actor, 16),
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
    .description('checks the hash chain and its seal; names the first broken row')
    .action(async () => {
      const verdict = await context.client.call(auditVerdict, 'GET', adminPath('audit', 'verify'))
      if (verdict.ok) {
        await context.show(verdict, () => `${verdict.rows} rows, all intact; head\n${verdict.head_hash}`)
        return
      }
      if (context.json) await context.show(verdict, () => '')
      throw new CliError(
        'failed',
        EXIT.failed,
        `The audit is broken at row ${verdict.broken_id}: ${verdict.reason}.`,
      )
    })

  audit
    .command('export')
    .description('every event as JSON Lines, oldest first')
    .addHelpText('after', examples(['oauth3 audit export > audit.jsonl', 'a copy to keep elsewhere']))
    .action(async () => {
      for await (const line of context.client.lines(adminPath('audit', 'export'))) {
        await context.terminal.print(safeJson(exportRow(auditRowView.parse(JSON.parse(line)))))
      }
    })
}

/** `data` as JSON; as the bare text where it is not what the daemon writes, so that nothing altered is hidden. */
function exportRow(row: AuditRowView): Omit<AuditRowView, 'data'> & { data?: unknown; data_text?: string } {
  const { data, ...rest } = row
  try {
    const parsed: unknown = JSON.parse(data)
    if (canonicalJson(parsed) === data) return { ...rest, data: parsed }
  } catch {
    // Not JSON at all.
  }
  return { ...rest, data_text: data }
}

/** The data first, then who did it; the data further, then the event: by the table's columns. */
const SHRINK = [
  [5, 20],
  [3, 10],
  [5, 8],
  [2, 18],
] as const

/** The day only when not every row is of today. */
function timeOf(rows: readonly AuditRowView[], now: number): (at: number) => string {
  const today = formatTime(now).slice(0, 10)
  const isToday = rows.every((row) => formatTime(row.at).startsWith(today))
  return (at) => formatTime(at).slice(isToday ? 11 : 5)
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

const shorten = (text: string, limit: number): string =>
  text.length > limit ? `${text.slice(0, limit - 1)}…` : text
