import type { CardModel } from './card-model.ts'

/** Part of a line for a person: text as it is, text that stands out, or a name that somebody else chose. All of it is visible. */
export type TextPart = string | { readonly strong: string } | { readonly name: string }
export type TextLine = readonly TextPart[]

/** Rows of buttons; `choice` is the word by which a channel answers. */
type Choices = readonly (readonly { readonly choice: string; readonly label: string }[])[]

/** What a person has to know, line by line: enough for every kind that has no code to read. */
interface LinesCard {
  readonly form: 'lines'
  readonly lines: readonly TextLine[]
  readonly choices: Choices
}

/** A program to read: its facts, and its code byte for byte. */
interface ProgramCard {
  readonly form: 'program'
  readonly model: CardModel
  readonly exactCode: string
}

/** What is shown of a request for approval. A channel draws the forms and knows no kinds. */
export type ApprovalCard = LinesCard | ProgramCard
