/** One request to the front of a browser's image, over a stream into its machine. What answers is the machine's to say: bounded, and read as data. */
import type { Duplex } from 'node:stream'
import { z } from 'zod'
import { requestOver } from '../../hosting/agents/index.ts'
import { AppError } from '../../kernel/index.ts'

const MAX_ANSWER_BYTES = 4 * 1_048_576

const text = z.string().max(500)
export const versionAnswer = z.object({
  Browser: text,
  'Protocol-Version': text,
  'User-Agent': text,
  'V8-Version': text,
  'WebKit-Version': text,
})
export const targetAnswer = z.object({
  id: z.string().regex(/^[\w-]{1,64}$/),
  type: text,
  title: z.string().max(100_000),
  url: z.string().max(4_000_000),
  description: z.string().max(100_000),
})
export type TargetAnswer = z.output<typeof targetAnswer>

const noAnswer = (why: string): AppError =>
  new AppError('sandbox_unavailable', `The browser does not answer: ${why}.`, { retryAfterSeconds: 5 })

/** Throws `sandbox_unavailable` for what is no answer of the schema. */
export async function askFront<T>(
  stream: Duplex,
  {
    method,
    path,
    answer,
    signal,
  }: { method: string; path: string; answer: z.ZodType<T>; signal: AbortSignal },
): Promise<T> {
  try {
    const response = await requestOver(stream, { method, path, signal })
    const parts: Buffer[] = []
    let bytes = 0
    for await (const part of response) {
      bytes += (part as Buffer).length
      if (bytes > MAX_ANSWER_BYTES) throw noAnswer('too long an answer')
      parts.push(part as Buffer)
    }
    const said: unknown = JSON.parse(Buffer.concat(parts).toString('utf8'))
    if (response.statusCode !== 200) throw noAnswer(reasonOf(said))
    return answer.parse(said)
  } catch (error) {
    if (error instanceof AppError) throw error
    signal.throwIfAborted()
    throw noAnswer('the connection ended, or what came was no answer')
  } finally {
    stream.destroy()
  }
}

const reasonOf = (said: unknown): string =>
  z.object({ error: z.string().max(200) }).safeParse(said).data?.error ?? 'it refused'
