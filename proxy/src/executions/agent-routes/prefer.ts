import { MAX_WAIT_SECONDS, waitProblem, wholeNumberIn } from '../../contracts/agent/index.ts'
import { AppError } from '../../kernel/index.ts'

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

function waitSeconds(text: string | undefined, what: string): number {
  const seconds = wholeNumberIn(text ?? '', 0, MAX_WAIT_SECONDS)
  if (seconds !== undefined) return seconds
  const message = waitProblem(what)
  throw new AppError('invalid_request', message, { details: [{ path: ['wait'], message }] })
}
