/** A letter as it is, in either case, or as JSON may escape it. */
const letter = (code: number): string => {
  const cases = [...new Set([code, code ^ 0x20])].map((one) => one.toString(16).padStart(4, '0'))
  return `(?:${String.fromCharCode(code)}|\\\\u(?:${cases.join('|')}))`
}

const QUOTE = new RegExp(
  `${[...'fileid'].map((text) => letter(text.charCodeAt(0))).join('')}(?::|\\\\u003a)`,
  'i',
)

/**
 * Whether a text of the body stands for a file of the account: Alibaba Cloud takes `fileid://…` in a message for one. One search over all
 * of the bytes, whatever they hold: nothing is made of what is escaped.
 */
export const quotesFile = (body: Buffer): boolean => QUOTE.test(body.toString('latin1'))
