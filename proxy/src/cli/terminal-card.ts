import type { CardView, NetworkView } from '../contracts/admin/index.ts'
import type { Style } from './style.ts'
import {
  columnsOf,
  counted,
  formatDistance,
  formatTime,
  hardWrap,
  terminalLine,
  terminalText,
  wordWrap,
} from './text-layout.ts'

/**
 * The approval card for a terminal: the same content as in Telegram, the most dangerous first, then the whole
 * code. The only escape sequences in it are the style's; whatever came from outside is made visible once more
 * here, so that no other part has to be trusted with it.
 */
const LABEL_COLUMNS = 14
const INDENT = '  '

export function renderCard(
  card: CardView,
  style: Style,
  now: number,
  { title = 'approval needed', isWaiting = true }: { title?: string; isWaiting?: boolean } = {},
): string {
  const row = rowWriter(style)
  const alarm = (label: string, text: string): string[] => row(label, text, style.red)
  return [
    rule(`oauth3 · ${title}`, style),
    ...card.changes.flatMap((change) => alarm('CHANGED', change)),
    ...card.warnings.flatMap((warning) => alarm('WARNING', warning.text)),
    ...row('Skill', card.skillId, style.bold),
    ...(card.description === '' ? [] : row('Says', card.description)),
    ...row('Agent', card.agent),
    ...secretRows(card, row, style),
    ...row('Sends', card.sends),
    ...(card.imports === null ? [] : row('Imports', card.imports)),
    ...row('Runs in', `${card.runtime} · ${card.limits}`),
    ...(card.args === null ? [] : row('Args', card.args)),
    ...(card.source === null ? [] : row(card.provenance === null ? 'Link' : 'Signed', card.source)),
    ...row(
      'Code',
      card.code.kept
        ? `${counted(card.code.lines, 'line')}, ${counted(card.code.bytes, 'byte')}, whole below`
        : card.code.text,
    ),
    ...row('Code SHA-256', card.codeHash),
    ...row('Request', card.requestId),
    ...(isWaiting
      ? row('Expires', `${formatDistance(card.expiresAt, now)} (${formatTime(card.expiresAt)})`)
      : []),
    ...(card.cut
      ? [rule('in full, since something above was cut', style), ...fullLines(card.full, style)]
      : []),
    ...(card.code.kept ? [rule('code', style), ...renderCode(card.code.text, style)] : []),
    rule('', style),
  ].join('\n')
}

const fullLines = (full: string, { columns }: Style): string[] =>
  terminalText(full)
    .split('\n')
    .flatMap((line) => hardWrap(line, columns - INDENT.length).map((piece) => `${INDENT}${piece}`))

/** Every line of the code with its number; long lines go on behind `↳`. The last line's own end is no line. */
function renderCode(code: string, style: Style): string[] {
  const lines = terminalText(code).replace(/\n$/, '').split('\n')
  const gutter = Math.max(3, String(lines.length).length)
  return lines.flatMap((line, index) =>
    hardWrap(line, style.columns - gutter - 3).map((piece, part) => {
      const mark = part === 0 ? String(index + 1) : '↳'
      return `${style.dim(`${mark.padStart(gutter)} │`)} ${piece}`
    }),
  )
}

/** What a run did on the network, and what the gateway refused; nothing when it did nothing. */
export function renderNetwork(network: NetworkView | null, style: Style): string[] {
  if (network === null || network.requests === 0) return []
  const row = rowWriter(style)
  return [
    ...row('Network', counted(network.requests, 'request')),
    ...network.refused.flatMap(({ said }) => row('REFUSED', said, style.red)),
    ...(network.more_refused > 0 ? row('', `and ${network.more_refused} more refused`, style.red) : []),
  ]
}

/** Output of code, indented; empty output gives no lines. */
export function renderOutput(name: string, output: string, style: Style): string[] {
  if (output === '') return []
  const lines = terminalText(output.replace(/\n$/, '')).split('\n')
  const bar = style.dim(`${INDENT}│ `)
  return [
    style.dim(`${INDENT}${name}`),
    ...lines.flatMap((line) => hardWrap(line, style.columns - 4).map((piece) => `${bar}${piece}`)),
  ]
}

export function rule(title: string, style: Style): string {
  const head = title === '' ? '' : `── ${title} `
  return style.cyan(`${head}${'─'.repeat(Math.max(0, style.columns - columnsOf(head)))}`)
}

type RowWriter = (label: string, value: string, paint?: (text: string) => string) => string[]

export const rowWriter =
  (style: Style): RowWriter =>
  (label, value, paint = (text) => text) => {
    const columns = style.columns - INDENT.length - LABEL_COLUMNS
    return wordWrap(terminalLine(value), columns).map(
      (line, index) =>
        `${INDENT}${style.dim((index === 0 ? label : '').padEnd(LABEL_COLUMNS))}${paint(line)}`,
    )
  }

function secretRows(card: CardView, row: RowWriter, style: Style): string[] {
  if (card.secrets.length === 0) return row('Secrets', 'none')
  return card.secrets.flatMap((secret, index) => {
    const how = secret.how === '' ? '' : ` (${secret.how})`
    const missing = secret.missing ? ' · NOT STORED YET: the run waits for it' : ''
    const paint = secret.raw ? style.red : secret.missing ? style.yellow : style.bold
    return row(index === 0 ? 'Secrets' : '', `${secret.name} → ${secret.goes}${how}${missing}`, paint)
  })
}
