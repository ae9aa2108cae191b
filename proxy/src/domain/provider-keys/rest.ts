import type { UnixMs } from '../../kernel/index.ts'

const REFUSED_REST_MS = 5 * 60_000
const DEFAULT_REST_MS = 30_000
const MIN_REST_MS = 1_000
/** No key rests longer, whatever the vendor says. */
export const MAX_REST_MS = 60 * 60_000

/**
 * How long a key is left alone after this answer of the vendor's; 0 when the key is not at fault. A 403 is about one path
 * or one model.
 */
export function restMs(status: number, retryAfter: string | null, now: UnixMs): number {
  if (status === 401) return REFUSED_REST_MS
  if (status !== 429) return 0
  const asked = askedMs(retryAfter?.trim() ?? '', now)
  return asked === undefined ? DEFAULT_REST_MS : Math.min(MAX_REST_MS, Math.max(MIN_REST_MS, asked))
}

/** Seconds, which some vendors give with a fraction, or a date of HTTP. */
function askedMs(text: string, now: UnixMs): number | undefined {
  if (/^[0-9]{1,12}(?:\.[0-9]{1,6})?$/.test(text)) return Math.ceil(Number(text) * 1_000)
  if (!/^[A-Z][a-z]{2,8},? .*GMT$/.test(text)) return undefined
  const at = Date.parse(text)
  return Number.isNaN(at) ? undefined : at - now
}
