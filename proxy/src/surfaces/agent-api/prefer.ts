import { AppError } from '../../kernel/index.ts'

export const MAX_WAIT_SECONDS = 120

export interface WaitPreference {
  readonly seconds: number
  /** For the header Preference-Applied (RFC 7240). */
  readonly applied: string
}

/** Reads `Prefer: wait=N, respond-async`; preferences that are not ours are left alone, as RFC 7240 asks. */
export function preferredWait(header: string | undefined): WaitPreference | undefined {
  if (header === undefined) return undefined
  let async = false
  for (const part of header.split(',')) {
    const [name, value] =
      part
        .split(';')[0]
        ?.split('=', 2)
        .map((text) => text.trim()) ?? []
    if (name?.toLowerCase() === 'wait') {
      const seconds = waitSeconds(value?.replace(/^"(.*)"$/, '$1'), 'The header Prefer: wait')
      return { seconds, applied: `wait=${seconds}` }
    }
    if (name?.toLowerCase() === 'respond-async') async = true
  }
  return async ? { seconds: 0, applied: 'respond-async' } : undefined
}

export function waitSeconds(text: string | undefined, what: string): number {
  const seconds = /^[0-9]{1,3}$/.test(text ?? '') ? Number(text) : Number.NaN
  if (!(seconds <= MAX_WAIT_SECONDS)) {
    const message = `${what} takes whole seconds, 0–${MAX_WAIT_SECONDS}.`
    throw new AppError('invalid_request', message, { details: [{ path: ['wait'], message }] })
  }
  return seconds
}
