import type { ApprovalSummary, ApprovalView, ShownLine } from '../contracts/admin/index.ts'
import type { Style } from './style.ts'
import { renderCard, renderOutput, rowWriter, rule } from './terminal-card.ts'
import { formatDistance, formatTime, TERMINAL_COLUMNS, terminalLine, wordWrap } from './text-layout.ts'

/**
 * What an agent asks for, whatever it is, for a terminal. It knows the forms that a card can have and no kinds. Every
 * text is made visible once more here, as on the card of a program.
 */
export function renderApproval(view: ApprovalView, style: Style, now: number): string {
  const title = view.state === 'pending' ? 'approval needed' : 'request'
  const { shown, waiting: isWaiting } = view
  const columns = style.columns - INDENT.length
  const written = (lines: readonly ShownLine[]): readonly string[] =>
    lines.flatMap((line) =>
      wordWrap(terminalLine(plainLine(line)), columns).map((text) => `${INDENT}${text}`),
    )
  // What a yes takes comes first, before a card that may be long.
  const notes = written(view.notes)
  if (shown.form === 'program')
    return [...notes, renderCard(shown.card, style, now, { title, isWaiting })].join('\n')
  const row = rowWriter(style)
  return [
    rule(`oauth3 · ${title}`, style),
    ...notes,
    ...written(shown.lines),
    ...(shown.text === null ? [] : renderOutput(shown.text.label, shown.text.text, style)),
    ...row('Request', view.id),
    ...(isWaiting
      ? row('Expires', `${formatDistance(view.expires_at, now)} (${formatTime(view.expires_at)})`)
      : []),
    rule('', style),
  ].join('\n')
}

const INDENT = '  '

const plainLine = (line: ShownLine): string =>
  line.map((part) => (typeof part === 'string' ? part : 'strong' in part ? part.strong : part.name)).join('')

/** `1 of 2`, where one yes is not enough. */
export const quorumText = ({
  approvals_given,
  approvals_needed,
}: Pick<ApprovalView, 'approvals_given' | 'approvals_needed'>): string =>
  approvals_needed === 1 ? '' : `${approvals_given} of ${approvals_needed}`

/** Its state, for lists. */
export const stateText = (row: ApprovalSummary): string =>
  [
    row.failure === null ? row.status : `${row.status} (${row.failure})`,
    ...(row.state === 'pending' && row.risk === 'high' ? ['high risk'] : []),
    ...(row.state === 'pending' && row.approvals_needed > 1 ? [quorumText(row)] : []),
  ].join(', ')

/** What became of it. */
export function renderOutcome({ status, consent_hash, outcome }: ApprovalView, style: Style): string {
  const row = rowWriter(style)
  const paint = { good: style.green, bad: style.red }
  const { decided, note, rows, texts, tone } = outcome
  return [
    ...row('Status', `${status}${note}`, tone === null ? style.bold : paint[tone]),
    ...(decided === null
      ? []
      : row('Decided', `${decided.answer} by ${decided.by}, ${formatTime(decided.at)}`)),
    ...row('Consent', consent_hash),
    ...rows.flatMap(({ label, value, tone: of }) => row(label, value, of === null ? undefined : paint[of])),
    ...texts.flatMap(({ label, text }) => renderOutput(label, text, style)),
  ].join('\n')
}

/** Room for what stands before and behind the question on its lines. */
const MARGIN_COLUMNS = 8

/** For a terminal: a question below a card that is read line by line. */
export const linesQuestion = (text: string): string =>
  wordWrap(terminalLine(`${text}?`), TERMINAL_COLUMNS - MARGIN_COLUMNS).join('\n')
