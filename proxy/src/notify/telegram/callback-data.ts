const FORM = /^a1:([A-Za-z0-9_-]{22}):([a-z0-9_]{1,20})$/

/** On a button below a list: brings the card of what waits back. */
export const SHOW = 'show'
/** On a card that expired: asks it once more. */
export const AGAIN = 'again'
/** On the card of a run that goes on: it is ended. */
export const STOP = 'stop'
/** On a card: tells the whole hash of its code. */
export const WHOLE_HASH = 'hash'

/** What a button carries, 1–64 bytes: a version, the card's token, the decision. */
export const callbackData = (token: string, choice: string): string => `a1:${token}:${choice}`

/** Both empty when the text is not of this form. */
export function readCallbackData(data: string | undefined): {
  readonly token: string
  readonly decision: string
} {
  const [, token = '', decision = ''] = FORM.exec(data ?? '') ?? []
  return { token, decision }
}
