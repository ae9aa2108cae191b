/** Server-sent events that a machine answers with, whose text is the machine's. */
import type { IncomingMessage } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { AppError } from '../../kernel/index.ts'
import { createReadingPace } from './reading-pace.ts'

export const unanswered = (why: string): AppError =>
  new AppError('sandbox_unavailable', `The agent gave no answer: ${why}.`, { retryAfterSeconds: 5 })

export interface EventBounds {
  readonly maxLineChars: number
  /** Of all that comes, whatever it is; left out: of one that tells without end. */
  readonly max?: { readonly lines: number; readonly chars: number }
}

/**
 * What `read` makes of the data of each event, which is one line. Bounded in memory, and in time by turns with others: `read` is timed, and
 * awaits nothing. Throws `too_large`, what `read` throws, and an AbortError.
 */
export async function* eventData<T>(
  response: IncomingMessage,
  read: (data: string) => T,
  bounds: EventBounds,
  signal: AbortSignal,
): AsyncGenerator<T> {
  const pace = createReadingPace()
  const whole = createLines(bounds)
  const rest = async (pauseMs: number): Promise<void> => {
    if (pauseMs > 0) await sleep(pauseMs, undefined, { signal, ref: false })
    pace.begin()
  }
  for await (const part of response.setEncoding('utf8')) {
    pace.begin()
    for (const line of whole(part as string)) {
      if (!line.startsWith('data:')) continue
      const heard = read(line.slice('data:'.length).trim())
      const pauseMs = pace.lap()
      yield heard
      await rest(pauseMs)
    }
    await rest(pace.lap())
  }
}

/** Lines as they become whole. */
function createLines({ maxLineChars, max }: EventBounds): (part: string) => readonly string[] {
  let rest: string[] = []
  let restChars = 0
  let [lines, chars] = [0, 0]
  return (part) => {
    const [first = '', ...more] = part.split('\n')
    rest.push(first)
    restChars += first.length
    if (restChars > maxLineChars || more.some((line) => line.length > maxLineChars))
      throw new AppError('too_large', 'A line of what the agent answers is too long.')
    lines += more.length
    chars += part.length
    if (max !== undefined && (lines > max.lines || chars > max.chars))
      throw new AppError('too_large', 'The agent’s answer has no end.')
    const last = more.pop()
    if (last === undefined) return []
    const whole = [rest.join(''), ...more]
    rest = [last]
    restChars = last.length
    return whole
  }
}
