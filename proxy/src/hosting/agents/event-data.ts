/** Server-sent events that a machine answers with, whose text is the machine's. */
import type { IncomingMessage } from 'node:http'
import { AppError } from '../../kernel/index.ts'

export const unanswered = (why: string): AppError =>
  new AppError('sandbox_unavailable', `The agent gave no answer: ${why}.`, { retryAfterSeconds: 5 })

/** The data of each event; every one of them is one line. Throws `too_large`. */
export async function* eventData(response: IncomingMessage, maxChars: number): AsyncGenerator<string> {
  let rest: string[] = []
  let chars = 0
  for await (const part of response.setEncoding('utf8')) {
    const [first = '', ...more] = (part as string).split('\n')
    rest.push(first)
    chars += first.length
    if (chars > maxChars || more.some((line) => line.length > maxChars))
      throw new AppError('too_large', 'A line of what the agent answers is too long.')
    if (more.length === 0) continue
    const last = more.pop() ?? ''
    for (const line of [rest.join(''), ...more])
      if (line.startsWith('data:')) yield line.slice('data:'.length).trim()
    rest = [last]
    chars = last.length
  }
}
