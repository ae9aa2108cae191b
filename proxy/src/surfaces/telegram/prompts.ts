import { bold, code } from './html.ts'

/**
 * The question for a secret's value. The name stands in the question itself, so a reply to it is understood after a
 * restart as well; no other text of the bot begins like this.
 */
export const secretPrompt = (name: string, why: string): string =>
  `🔑 ${bold(`Value of ${name}?`)}\n${why}Reply to this message with the value; the reply is deleted at once.`

export const missingFor = (skillId: string): string => `${code(skillId)} is approved and waits for it. `

const PROMPT = /^🔑 Value of ([A-Za-z_][A-Za-z0-9_]{0,127})\?/u

/** The secret that a text of the bot asks for. */
export const promptedName = (text: string | undefined): string | undefined => PROMPT.exec(text ?? '')?.[1]

/** The question for a vendor's key; `slot` is `PROVIDER` or `PROVIDER:LABEL`. */
export const keyPrompt = (slot: string): string =>
  `🔑 ${bold(`Key for ${slot}?`)}\nReply to this message with the key; the reply is deleted at once.`

/** `PROVIDER` or `PROVIDER:LABEL`, as typed behind /add_key and as it stands in the question. */
const SLOT = /^([a-z0-9][a-z0-9._-]{0,63})(?::([A-Za-z0-9][A-Za-z0-9._-]{0,63}))?$/

export interface KeySlot {
  readonly provider: string
  readonly label: string | undefined
}

export function readKeySlot(text: string): KeySlot | undefined {
  const [, provider, label] = SLOT.exec(text) ?? []
  return provider === undefined ? undefined : { provider, label }
}

/** The place that a text of the bot asks a key for. */
export const promptedKey = (text: string | undefined): KeySlot | undefined =>
  readKeySlot(/^🔑 Key for ([A-Za-z0-9._:-]{1,129})\?/u.exec(text ?? '')?.[1] ?? '')
