import type { z } from 'zod'
import { AppError } from '../../kernel/index.ts'

/** The body in its documented form, or invalid_request with every issue. */
export function parse<T extends z.ZodType>(schema: T, body: unknown): z.output<T> {
  const parsed = schema.safeParse(body)
  if (parsed.success) return parsed.data
  const issues = parsed.error.issues.map((issue) => ({ path: issue.path.join('.'), message: issue.message }))
  const first = issues[0]
  throw new AppError(
    'invalid_request',
    `${first?.path || 'The body'}: ${first?.message ?? 'is not valid'}.`,
    {
      details: { issues },
    },
  )
}

export function wholeNumber(text: string, what: string): number {
  if (!/^[0-9]{1,15}$/.test(text)) throw new AppError('invalid_request', `${what} is a whole number.`)
  return Number(text)
}
