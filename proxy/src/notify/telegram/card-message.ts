import { type ApprovalChoice, buttonChoices, type CardModel, type TextLine } from '../../approvals/index.ts'
import { hasHiddenCharacters, type UnixMs } from '../../kernel/index.ts'
import { MESSAGE_LIMIT, type OutgoingDocument } from '../bot-api/index.ts'
import { callbackData, WHOLE_HASH } from './callback-data.ts'
import { bold, clip, code, escapeHtml, phoneLines, plainText, pre } from './html.ts'
import { linesHtml } from './lines-message.ts'

/** A card as Telegram takes it. Documents are delivered first; only then the message with the buttons is sent. */
export interface CardMessage {
  readonly documents: readonly { readonly document: OutgoingDocument; readonly caption: string }[]
  readonly html: string
  readonly keyboard: InlineKeyboard
}

export type InlineKeyboard = readonly (readonly ({ readonly text: string } & (
  | { readonly callback_data: string }
  | { readonly url: string }
))[])[]

/** What one phone screen shows of a message. */
export const CARD_LINES = 25

/** How much of each text a card shows; the first level that fits the screen is taken. */
const LEVELS = [
  { warnings: 6, items: 6, itemColumns: 200, fieldColumns: 200, sendsColumns: 400 },
  { warnings: 4, items: 4, itemColumns: 110, fieldColumns: 76, sendsColumns: 240 },
  { warnings: 3, items: 3, itemColumns: 72, fieldColumns: 36, sendsColumns: 160 },
  { warnings: 2, items: 2, itemColumns: 36, fieldColumns: 24, sendsColumns: 110 },
  { warnings: 1, items: 1, itemColumns: 36, fieldColumns: 24, sendsColumns: 70 },
  { warnings: 0, items: 1, itemColumns: 36, fieldColumns: 24, sendsColumns: 30 },
] as const

type Level = (typeof LEVELS)[number]

interface CardInput {
  readonly model: CardModel
  readonly exactCode: string | null
  /** What a yes takes: above all else, and never cut for want of room. */
  readonly notes?: readonly TextLine[]
  readonly page?: string | null
  readonly token: string
  readonly now: UnixMs
}

export function renderCard(input: CardInput): CardMessage {
  const { model, exactCode, notes = [], now } = input
  const keyboard = buttonsOf(input)
  const inline = renderInline(model, notes, now)
  if (inline !== undefined) return { documents: [], html: inline, keyboard }

  const codeDocuments = codeFiles(model, exactCode)
  const { lines: lineCount, bytes } = model.code
  const size = `${lineCount} ${lineCount === 1 ? 'line' : 'lines'}, ${bytes} ${bytes === 1 ? 'byte' : 'bytes'}`
  const codeNote = `📄 ${bold('Read the code in the file above')}: ${size}`
  for (const level of LEVELS) {
    const { lines, complete } = facts(model, level, now)
    const note = complete ? [codeNote] : [codeNote, `📋 ${bold('Cut here: see the details file above')}`]
    const html = [...noteLines(notes), ...lines, ...note].join('\n')
    if (phoneLines(plainText(html)) > CARD_LINES && level !== LEVELS.at(-1)) continue
    return { documents: complete ? codeDocuments : [...codeDocuments, detailsFile(model)], html, keyboard }
  }
  throw new Error('unreachable: the last level always returns')
}

/** A card without any formatting, for a chat that refuses the formatted one. Its code always comes as a file. */
export function renderPlainCard(input: CardInput): CardMessage {
  const { model, exactCode, notes = [], now } = input
  const text = [
    ...noteLines(notes).map(plainText),
    `Request ${model.requestId}`,
    `Skill ${model.skillId}, agent ${model.agent}`,
    `Code hash ${model.codeHash}`,
    `Secrets: ${clip(model.secrets.map(plainSecret).join(', ') || 'none', 200)}`,
    `Sends: ${model.sends}`,
    ...(model.imports === null ? [] : [`Imports: ${model.imports}`]),
    `Warnings: ${warningNames(model.warnings) || 'none'}; changes: ${model.changes.length}`,
    'Read the code and the details in the files above.',
    expiry(model.expiresAt, now),
  ].join('\n')
  const keyboard = buttonsOf(input)
  return { documents: [...codeFiles(model, exactCode), detailsFile(model)], html: text, keyboard }
}

/** What tells two codes apart at a glance; the button has the whole one, since 64 digits take two lines of a phone. */
const SHORT_HASH = 12
const shortHash = ({ codeHash }: CardModel): string => codeHash.slice(0, SHORT_HASH)

/** A button for each choice: its callback data carries the card's token and the word of the answer. */
export const keyboardOf = (
  choices: readonly (readonly Pick<ApprovalChoice, 'choice' | 'label' | 'terms'>[])[],
  token: string,
): InlineKeyboard =>
  buttonChoices(choices).map((row) =>
    row.map(({ choice, label }) => ({ text: label, callback_data: callbackData(token, choice) })),
  )

const noteLines = (notes: readonly TextLine[]): readonly string[] => notes.map((line) => linesHtml([line]))

/**
 * A button that opens the console's page. Telegram refuses the whole message for an address without a public name, so a page
 * that is not on https is in the text alone.
 */
export const pageButton = (page: string | null): InlineKeyboard =>
  page?.startsWith('https://') ? [[{ text: '🔐 Decide in the console', url: page }]] : []

const buttonsOf = ({ model, page = null, token }: CardInput): InlineKeyboard => [
  ...pageButton(page),
  ...keyboardOf(
    model.choices.map((row) => row.map(({ decision, label }) => ({ choice: decision, label }))),
    token,
  ),
  [{ text: `#️⃣ ${shortHash(model)}…`, callback_data: callbackData(token, WHOLE_HASH) }],
]

/** Each kind once, counted where it came more than once. */
function warningNames(warnings: CardModel['warnings']): string {
  const counts = new Map<string, number>()
  for (const { short } of warnings) counts.set(short, (counts.get(short) ?? 0) + 1)
  return [...counts].map(([short, count]) => (count === 1 ? short : `${short} ×${count}`)).join(' · ')
}

const plainSecret = (secret: CardModel['secrets'][number]): string =>
  secret.raw ? `${secret.name} (${secret.how})` : secret.name

/** The whole card in one message, with all of the code; undefined when that does not fit the screen. */
function renderInline(model: CardModel, notes: readonly TextLine[], now: UnixMs): string | undefined {
  // Making the code visible makes nothing shorter.
  if (model.code.lines > CARD_LINES || model.code.bytes > 4 * MESSAGE_LIMIT) return undefined
  const [level] = LEVELS
  const { lines, complete } = facts(model, level, now)
  if (!complete) return undefined
  const body = model.code.text.replace(/\n$/, '')
  const html = `${[...noteLines(notes), ...lines].join('\n')}\n${pre(body)}`
  const seen = plainText(html)
  return phoneLines(seen) <= CARD_LINES && seen.length <= MESSAGE_LIMIT ? html : undefined
}

function facts(model: CardModel, level: Level, now: UnixMs): { lines: string[]; complete: boolean } {
  let complete = !model.cut
  const cut = (text: string, columns: number): string => {
    const clipped = clip(text, columns)
    if (clipped !== text) complete = false
    return clipped
  }
  const field = (text: string): string => cut(text, level.fieldColumns)
  const list = <T>(items: readonly T[], what: string, line: (item: T) => string): string[] => {
    const shown = items.slice(0, level.items).map(line)
    if (items.length <= level.items) return shown
    complete = false
    return [...shown, bold(`… and ${items.length - level.items} more ${what}`)]
  }
  /** The worst in words, and the names of all others: whatever there is no room for is named all the same. */
  const warningLines = (): string[] => {
    const shown = model.warnings.slice(0, level.warnings)
    const rest = model.warnings.slice(level.warnings)
    if (rest.length > 0) complete = false
    return [
      ...shown.map(({ text }) => `⚠️ ${code(cut(text, level.itemColumns))}`),
      ...(rest.length === 0
        ? []
        : [
            `⚠️ ${bold(shown.length === 0 ? `${rest.length}:` : `${rest.length} more:`)} ${code(warningNames(rest))}`,
          ]),
    ]
  }
  const lines = [
    ...(model.changes.length > 0 ? [`🔺 ${bold('NOT what you approved before:')}`] : []),
    ...list(model.changes, 'changes', (change) => `• ${code(cut(change, level.itemColumns))}`),
    ...warningLines(),
    ...list(model.secrets, 'secrets', (secret) => {
      const how = secret.how === '' ? '' : ` (${secret.raw ? bold(secret.how) : escapeHtml(secret.how)})`
      const note = secret.missing ? ' (not stored)' : ''
      const name = cut(secret.name, Math.floor(level.itemColumns * 0.65))
      const goes = cut(secret.goes, Math.max(8, level.itemColumns - name.length - note.length - 3))
      return `${secret.raw ? '🔓' : '🔑'} ${code(name)} → ${code(goes)}${how}${note}`
    }),
    `🌐 Sends: ${code(cut(model.sends, level.sendsColumns))}`,
    ...(model.imports === null ? [] : [`📦 Imports: ${code(field(model.imports))}`]),
    `🤖 ${code(field(model.agent))} runs ${code(field(model.skillId))}`,
    ...(model.description === '' ? [] : [`📝 ${code(field(model.description))}`]),
    ...(model.args === null ? [] : [`📥 Args: ${code(field(model.args))}`]),
    ...(model.source === null ? [] : [`🔗 ${code(cut(model.source, level.fieldColumns + 12))}`]),
    `⚙️ ${escapeHtml(`${model.runtime} · ${model.limits}`)}`,
    `#️⃣ ${code(shortHash(model))}`,
    `⏳ ${expiry(model.expiresAt, now)}`,
  ]
  return { lines, complete }
}

export function expiry(expiresAt: UnixMs, now: UnixMs): string {
  const minutes = Math.max(1, Math.round((expiresAt - now) / 60_000))
  const left = minutes < 120 ? `${minutes} min` : `${Math.round(minutes / 60)} h`
  return `expires in ${left} (${utcTime(expiresAt)})`
}

/** `14:05 UTC`. */
export const utcTime = (at: UnixMs): string => `${new Date(at).toISOString().slice(11, 16)} UTC`

/**
 * The code byte for byte and, when it holds characters that a screen hides, once more with those written out. The
 * names end in `.txt`, since a phone takes `.ts` for a video.
 */
function codeFiles(model: CardModel, exactCode: string | null): CardMessage['documents'] {
  if (exactCode === null) return []
  const name = `${fileStem(model.skillId)}-${model.codeHash.slice(0, 12)}`
  const caption = `The whole code of the request below.\nSHA-256 ${code(model.codeHash)}`
  const files = [
    {
      document: { fileName: `${name}.${extensionOf(model)}.txt`, bytes: Buffer.from(exactCode, 'utf8') },
      caption,
    },
  ]
  if (!hasHiddenCharacters(exactCode)) return files
  return [
    ...files,
    {
      document: { fileName: `${name}-hidden-shown.txt`, bytes: Buffer.from(model.code.text, 'utf8') },
      caption: '⚠️ The same code with its hidden characters written out, such as ⟨U+202E⟩.',
    },
  ]
}

/** What programs call a file of the runtime's language. */
const extensionOf = (model: CardModel): string => {
  const [runtime = ''] = model.runtime.split(',')
  return runtime === 'python' ? 'py' : runtime === 'quickjs' ? 'js' : 'ts'
}

const detailsFile = (model: CardModel): CardMessage['documents'][number] => ({
  document: { fileName: `details-${fileStem(model.requestId)}.txt`, bytes: Buffer.from(model.full, 'utf8') },
  caption: 'Everything that the request below asks for, uncut.',
})

const fileStem = (text: string): string => text.replace(/[^A-Za-z0-9_-]+/g, '-').slice(0, 40) || 'code'
