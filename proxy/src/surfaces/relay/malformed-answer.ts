/**
 * Whether the host answered, but not in HTTP that is read here: an error of undici's parser, more than one length, a head beyond
 * its limit, or an interim `100` that nobody asked for, which it takes for a broken answer.
 */
export function isMalformedAnswer(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const { code = '' } = cause as { code?: string }
    if (cause.name === 'HTTPParserError' || CODES.has(code)) return true
    if (code === 'UND_ERR_SOCKET' && cause.message === 'bad response') return true
  }
  return false
}

const CODES: ReadonlySet<string> = new Set([
  'UND_ERR_RES_CONTENT_LENGTH_MISMATCH',
  'UND_ERR_HEADERS_OVERFLOW',
])
