import type { Request } from 'express'
import type { z } from 'zod'
import type { Route } from '../contracts/index.ts'
import { AppError } from '../kernel/index.ts'

type Part = 'params' | 'query' | 'body'

/** What a route's handler is given, each part checked by its schema; AppError `invalid_request` with every issue. */
export function readRouteInput(route: Route, request: Request): Record<Part, unknown> {
  const part = (name: Part): unknown => {
    const schema = route[name]
    return schema === undefined ? request[name] : parsePart(schema, request[name], name)
  }
  return { params: part('params'), query: part('query'), body: part('body') }
}

function parsePart(schema: z.ZodType, value: unknown, part: Part): unknown {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const issues = parsed.error.issues.map((issue) => ({ path: issue.path.join('.'), message: issue.message }))
  const first = issues[0]
  throw new AppError(
    'invalid_request',
    `${first?.path || WHOLE[part]}: ${first?.message ?? 'is not valid'}.`,
    { details: { issues } },
  )
}

const WHOLE: Readonly<Record<Part, string>> = { params: 'The path', query: 'The query', body: 'The body' }
