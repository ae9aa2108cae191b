import {
  EXECUTION_STATES,
  type ExecutionFilter,
  type ExecutionStatus,
} from '../../domain/executions/index.ts'
import { type AgentId, AppError } from '../../kernel/index.ts'

const DEFAULT_LIMIT = 20
export const MAX_LIMIT = 100

export interface PageQuery {
  readonly status: string | undefined
  readonly limit: string | undefined
  readonly before: string | undefined
}

/** One more than the page is asked for, so that its end is known without counting. */
export function pageFilter(agentId: AgentId, query: PageQuery): { filter: ExecutionFilter; limit: number } {
  const limit = query.limit === undefined ? DEFAULT_LIMIT : Number(/^[0-9]{1,3}$/.exec(query.limit)?.[0] ?? 0)
  if (limit < 1 || limit > MAX_LIMIT) throw invalid('limit', `limit takes 1–${MAX_LIMIT}.`)
  const statuses =
    query.status === undefined ? undefined : [...new Set(query.status.split(',').map(statusOf))]
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

function statusOf(text: string): ExecutionStatus {
  const status = EXECUTION_STATES.find((state) => state === text)
  if (!status) throw invalid('status', `status takes ${EXECUTION_STATES.join(', ')}, comma-separated.`)
  return status
}

export const cursorOf = (rowId: number): string => Buffer.from(`1:${rowId}`).toString('base64url')

function rowOf(cursor: string): number {
  const row = Number(/^1:([0-9]{1,15})$/.exec(Buffer.from(cursor, 'base64url').toString('latin1'))?.[1])
  if (!Number.isInteger(row) || cursorOf(row) !== cursor)
    throw invalid('before', 'before takes the `next` of a page.')
  return row
}

const invalid = (field: string, message: string): AppError =>
  new AppError('invalid_request', message, { details: [{ path: [field], message }] })
