import type { ReadTx } from '../../kernel/index.ts'
import { callbackData, SHOW } from './callback-data.ts'
import type { CommandReply } from './commands.ts'
import type { TelegramDeps } from './deps.ts'
import { bold, fitLines } from './html.ts'

/** Something that waits for a person, as /pending lists it. */
export interface Waits {
  readonly line: string
  /** What its card is of. */
  readonly subject: string
}

const BUTTONS_A_ROW = 6
/** More are listed without a button; Telegram takes 100. */
const MAX_BUTTONS = 30

/** Numbered lines, and below them a button for each whose card was made, which brings it back. */
export async function listOfWaiting(
  tx: ReadTx,
  waiting: readonly Waits[],
  { cards, chat }: Pick<TelegramDeps, 'cards' | 'chat'>,
): Promise<CommandReply> {
  if (waiting.length === 0) return { html: 'Nothing waits.' }
  const buttons: { readonly text: string; readonly callback_data: string }[] = []
  for (const [index, { subject }] of waiting.slice(0, MAX_BUTTONS).entries()) {
    const card = await cards.byRequest(tx, subject, chat.id)
    if (card !== undefined)
      buttons.push({ text: `${index + 1}`, callback_data: callbackData(card.token, SHOW) })
  }
  const rows = Array.from({ length: Math.ceil(buttons.length / BUTTONS_A_ROW) }, (_, row) =>
    buttons.slice(row * BUTTONS_A_ROW, (row + 1) * BUTTONS_A_ROW),
  )
  const lines = waiting.map(({ line }, index) => `${bold(`${index + 1}.`)} ${line}`)
  const hint = buttons.length === 0 ? [] : ['A number brings its card back.']
  return { html: fitLines([...lines, ...hint]), ...(rows.length === 0 ? {} : { keyboard: rows }) }
}
