import type { ApprovalCard } from '../../approvals/index.ts'
import type { UnixMs } from '../../kernel/index.ts'
import { MESSAGE_LIMIT } from '../bot-api/index.ts'
import { CARD_LINES, type CardMessage, expiry, keyboardOf, pageButton } from './card-message.ts'
import { bold, escapeHtml, phoneLines, plainText, pre } from './html.ts'
import { linesHtml } from './lines-message.ts'

type LinesCard = Extract<ApprovalCard, { readonly form: 'lines' }>

/** A card of lines. A text of it that does not fit the screen whole comes as a file before it, never cut. */
export function renderLinesCard(
  card: LinesCard,
  { expiresAt, token, now }: { readonly expiresAt: UnixMs; readonly token: string; readonly now: UnixMs },
): CardMessage {
  const lines = linesHtml([...card.notes, ...card.lines])
  const end = `⏳ ${expiry(expiresAt, now)}`
  const keyboard = [...pageButton(card.page), ...keyboardOf(card.choices, token)]
  const { text } = card
  if (text === undefined) return { documents: [], html: `${lines}\n${end}`, keyboard }
  const inline = `${lines}\n${bold(`${text.label}:`)}\n${pre(text.text)}\n${end}`
  const seen = plainText(inline)
  if (seen.length <= MESSAGE_LIMIT && phoneLines(seen) <= CARD_LINES)
    return { documents: [], html: inline, keyboard }
  const bytes = Buffer.from(text.text, 'utf8')
  const note = `📄 ${bold(`Read the ${text.label.toLowerCase()} in the file above`)}: ${bytes.length} bytes`
  const document = { fileName: `${text.label.toLowerCase().replace(/[^a-z]+/g, '-')}.txt`, bytes }
  const caption = `${escapeHtml(text.label)} of the request below, all of them.`
  return { documents: [{ document, caption }], html: [lines, note, end].join('\n'), keyboard }
}
