import type { RequestId } from '../../kernel/index.ts'
import { bold, code, escapeHtml } from './html.ts'

/**
 * The question for a secret's value. Its first line holds all that a reply needs: the name, and what the question is good
 * for. So it is understood after a restart as well, and nothing that an agent wrote stands there. No other text of the
 * bot begins like this.
 */
export const secretPrompt = (name: string, asked: Asked, why = ''): string =>
  `🔑 ${bold(`Value of ${name}?`)} (${escapeHtml(goodFor(asked))})\n${why}Reply to this message with the value; the reply is deleted at once.`

/**
 * A request that waits for it, or a version of the secret (0: none) that the reply is to follow, and the only hosts that
 * it is to go to, where they were named.
 */
export type Asked =
  | { readonly requestId: RequestId }
  | { readonly version: number; readonly hosts?: readonly string[] }

const goodFor = (asked: Asked): string => {
  if ('requestId' in asked) return `for ${asked.requestId}`
  const follows = asked.version === 0 ? 'new' : `replaces version ${asked.version}`
  return asked.hosts === undefined ? follows : `${follows}, to ${asked.hosts.join(' ')} alone`
}

/** Where the value will be able to go is said before it is given. */
export const missingFor = (skillId: string, hosts: readonly string[]): string =>
  `${code(skillId)} is approved and waits for it. It will be bound to ${code(hosts.join(', ')) || 'no host'}.\n`

const PROMPT =
  /^🔑 Value of ([A-Za-z_][A-Za-z0-9_]{0,127})\?(?: \((?:for (req_[0-9a-f]{32})|(?:(new)|replaces version ([0-9]{1,15}))(?:, to ([^\s()]+(?: [^\s()]+)*) alone)?)\)(?:\n|$))?/u

/** What a text of the bot asks for; `asked` is missing where it does not say what it is good for. */
export function promptedSecret(
  text: string | undefined,
): { readonly name: string; readonly asked: Asked | undefined } | undefined {
  const [, name, requestId, isNew, version, hosts] = PROMPT.exec(text ?? '') ?? []
  if (name === undefined) return undefined
  if (requestId !== undefined) return { name, asked: { requestId: requestId as RequestId } }
  if (isNew === undefined && version === undefined) return { name, asked: undefined }
  const follows = { version: Number(version ?? 0) }
  return { name, asked: hosts === undefined ? follows : { ...follows, hosts: hosts.split(' ') } }
}

/** The question for a vendor's key; `slot` is `PROVIDER` or `PROVIDER:LABEL`. Good until a key of this number is stored. */
export const keyPrompt = (slot: string, number: number): string =>
  `🔑 ${bold(`Key for ${slot}?`)} (key ${number})\nReply to this message with the key; the reply is deleted at once.`

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

/** The place that a text of the bot asks a key for, and the number that it is to get; 0 where none is said. */
export function promptedKey(
  text: string | undefined,
): { readonly slot: KeySlot; readonly number: number } | undefined {
  const [, place = '', number = '0'] =
    /^🔑 Key for ([A-Za-z0-9._:-]{1,129})\?(?: \(key ([0-9]{1,15})\))?/u.exec(text ?? '') ?? []
  const slot = readKeySlot(place)
  return slot && { slot, number: Number(number) }
}
