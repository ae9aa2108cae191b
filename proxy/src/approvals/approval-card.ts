import { type UnixMs, visibleText } from '../kernel/index.ts'
import type { ApprovalChoices } from './approval-choice.ts'
import type { CardModel } from './program-card.ts'

/** Part of a line for a person: text as it is, text that stands out, or a name that somebody else chose. */
export type TextPart = string | { readonly strong: string } | { readonly name: string }
export type TextLine = readonly TextPart[]

const visible = (text: string): string => visibleText(text).replace(/\s+/g, ' ')

/** Text spoofing: what hides or reorders text is shown as what it is, whatever a kind lets through. */
export const visibleLine = (line: TextLine): TextLine =>
  line.map((part) => {
    if (typeof part === 'string') return visible(part)
    return 'strong' in part ? { strong: visible(part.strong) } : { name: visible(part.name) }
  })

export const visibleCard = (card: KindCard): KindCard =>
  card.form === 'program'
    ? card
    : {
        ...card,
        lines: card.lines.map(visibleLine),
        question: visible(card.question),
        ...(card.text && { text: { label: card.text.label, text: visibleText(card.text.text) } }),
      }

/** A line without what stands out in it. */
export const plainLine = (line: TextLine): string =>
  line.map((part) => (typeof part === 'string' ? part : 'strong' in part ? part.strong : part.name)).join('')

/** What a person has to know, line by line: enough for every kind that has no code to read. */
interface LinesCard {
  readonly form: 'lines'
  readonly lines: readonly TextLine[]
  /** What a yes says yes to, as the beginning of a question that ends with how long: `Let clawd use openai`. */
  readonly question: string
  /** A text to read whole, such as arguments; every channel shows all of it. Left out: there is none. */
  readonly text?: CardText
}

interface CardText {
  /** `Arguments`. */
  readonly label: string
  readonly text: string
}

/** A program to read: its facts, and its code byte for byte. */
interface ProgramCard {
  readonly form: 'program'
  readonly model: CardModel
  /** Null of what has ended: it is answered no more. */
  readonly exactCode: string | null
}

/** What a kind shows of its requests. */
export type KindCard = (LinesCard | ProgramCard) & { readonly choices: ApprovalChoices }

/** What is shown of a request for approval. A channel draws the forms and knows no kinds. */
export type ApprovalCard = KindCard & {
  /** What a yes takes beyond one person's word, and what of it is there: above all else. */
  readonly notes: readonly TextLine[]
  /** Where alone a yes can be given, as it takes a passkey; null: here. */
  readonly page: string | null
}

type Tone = 'good' | 'bad'

/** What became of it. */
export interface ApprovalOutcome {
  /** All of it in a few lines, as a settled card says it. */
  readonly lines: readonly TextLine[]
  readonly tone?: Tone
  /** Behind its status: ` (timeout) in 40 ms`. */
  readonly note?: string
  /** The answer in words, and who gave it when. */
  readonly decided?: { readonly answer: string; readonly by: string; readonly at: UnixMs }
  /** Facts with a label, and texts with one. */
  readonly rows?: readonly { readonly label: string; readonly value: string; readonly tone?: Tone }[]
  readonly texts?: readonly { readonly label: string; readonly text: string }[]
}
