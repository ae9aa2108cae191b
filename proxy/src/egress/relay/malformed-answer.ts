import { MalformedAnswer } from '../../http/http1/index.ts'
import { wordSet } from '../../kernel/index.ts'

/**
 * Whether the host answered, but not in HTTP that is read here: an error of the daemon's own reader, or one of undici's: of its parser, more
 * than one length, a head beyond its limit, or an interim `100` that nobody asked for.
 */
export function isMalformedAnswer(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const { code = '' } = cause as { code?: string }
    if (cause instanceof MalformedAnswer) return true
    if (cause.name === 'HTTPParserError' || CODES.has(code)) return true
    if (code === 'UND_ERR_SOCKET' && cause.message === 'bad response') return true
  }
  return false
}

const CODES: ReadonlySet<string> = wordSet('UND_ERR_RES_CONTENT_LENGTH_MISMATCH UND_ERR_HEADERS_OVERFLOW')
