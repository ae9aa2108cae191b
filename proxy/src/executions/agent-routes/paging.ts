import { type AgentId, AppError } from '../../kernel/index.ts'
import type { ExecutionFilter, ExecutionStatus } from '../index.ts'

export interface PageQuery {
  readonly status?: ExecutionStatus[] | undefined
  readonly limit: number
  readonly before?: string | undefined
}

/** One more than the page is asked for, so that its end is known without counting. */
export function pageFilter(agentId: AgentId, query: PageQuery): { filter: ExecutionFilter; limit: number } {
  const { status: statuses, limit } = query
  const before = query.before === undefined ? undefined : rowOf(query.before)
  return {
    limit,
    filter: {
      agentId,
      limit: limit + 1,
      ...(statuses === undefined ? {} : { statuses }),
      ...(before === undefined ? {} : { before }),
    },
  }
}

export const cursorOf = (rowId: number): string => Buffer.from(`1:${rowId}`).toString('base64url')

function rowOf(cursor: string): number {
  const row = Number(/^1:([0-9]{1,15})$/.exec(Buffer.from(cursor, 'base64url').toString('latin1'))?.[1])
  if (Number.isInteger(row) && cursorOf(row) === cursor) return row
  const message = 'before takes the `next` of a page.'
  throw new AppError('invalid_request', message, { details: [{ path: ['before'], message }] })
}
