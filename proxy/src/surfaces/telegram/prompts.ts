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
