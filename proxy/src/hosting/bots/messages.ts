/** What the bot of a hosted agent says: plain text, never markup, since all of it is untrusted. */
import { MESSAGE_LIMIT } from '../../notify/bot-api/index.ts'
import type { OpenedTurn } from '../chat/index.ts'

/** Messages of one answer; a screen of a phone holds less than one. */
const MAX_PARTS = 12
/** Something of which a screen shows something: Telegram takes no message without it. */
const SHOWN = /[^\s\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}\u2800]/u
const CUT = '… It goes on; all of it stands in the console.'

/** An ended turn as its chat is told it. */
export function answerText({ answer, state, problem }: OpenedTurn): string {
  const said = answer ?? ''
  if (state === 'done') return SHOWN.test(said) ? said : '(It said nothing.)'
  return [said, state === 'stopped' ? '(It was stopped.)' : `(${problem ?? 'It failed.'})`]
    .filter((text) => SHOWN.test(text))
    .join('\n\n')
}

/** As messages that Telegram takes, in order; cut between lines or words where there are any, never within a character. */
export function partsOf(text: string): readonly string[] {
  const parts: string[] = []
  let rest = text.toWellFormed().replaceAll('\0', '\ufffd').trim()
  while (rest !== '') {
    if (parts.length === MAX_PARTS) return [...parts.slice(0, -1), CUT]
    const end = rest.length <= MESSAGE_LIMIT ? rest.length : endOfPart(rest)
    const part = rest.slice(0, end).trimEnd()
    if (SHOWN.test(part)) parts.push(part)
    rest = rest.slice(end).trimStart()
  }
  return parts
}

function endOfPart(text: string): number {
  const head = text.slice(0, MESSAGE_LIMIT + 1)
  for (const blank of ['\n', ' ']) {
    const at = head.lastIndexOf(blank)
    if (at > MESSAGE_LIMIT / 2) return at
  }
  const isPair = /[\ud800-\udbff]$/.test(text.slice(0, MESSAGE_LIMIT))
  return isPair ? MESSAGE_LIMIT - 1 : MESSAGE_LIMIT
}
