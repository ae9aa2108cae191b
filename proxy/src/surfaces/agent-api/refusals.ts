import type { Logger } from 'pino'
import type { AuditLog, Transactor } from '../../domain/audit/index.ts'
import type { AppError, ErrorCode } from '../../kernel/index.ts'

/**
 * The audit of what was refused: who and with which error, never what was sent. Refusals that a flood repeats are
 * written at most once a minute for each caller, with a count of those since.
 */
export interface Refusals extends Disposable {
  /** `actor` is `agent:<id>` or `address:<ip>`. */
  record(actor: string, error: AppError, surface: 'http' | 'mcp'): void
}

/** Of a caller rather than of one request. */
export const DAMPED: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'unauthenticated',
  'address_not_allowed',
  'rate_limited',
  'storage_unavailable',
])
const WINDOW_MS = 60_000
/** Callers told apart in one window; whoever comes on top of them shares one line. */
const MAX_CALLERS = 256

export function createRefusals(deps: {
  readonly audit: Pick<AuditLog, 'append'>
  readonly transactor: Transactor
  readonly log: Pick<Logger, 'error'>
}): Refusals {
  const open = new Map<string, { count: number; flush: () => void; timer: NodeJS.Timeout }>()

  const write = (actor: string, code: ErrorCode, surface: string, count: number): void => {
    try {
      deps.transactor.transact(
        () => deps.audit.append('request.refused', actor, null, { code, surface, count }),
        'grouped',
      )
    } catch (error) {
      deps.log.error({ err: error }, 'a refusal could not be written to the audit')
    }
  }

  const damped = (actor: string, code: ErrorCode, surface: string): void => {
    const own = `${actor}\n${code}\n${surface}`
    const shared = open.size >= MAX_CALLERS && !open.has(own)
    const name = shared ? 'address:others' : actor
    const key = shared ? `${name}\n${code}\n${surface}` : own
    const window = open.get(key)
    if (window) {
      window.count += 1
      return
    }
    write(name, code, surface, 1)
    const flush = (): void => {
      const count = open.get(key)?.count ?? 0
      open.delete(key)
      if (count > 0) write(name, code, surface, count)
    }
    open.set(key, { count: 0, flush, timer: setTimeout(flush, WINDOW_MS).unref() })
  }

  return {
    record(actor, error, surface) {
      if (DAMPED.has(error.code)) damped(actor, error.code, surface)
      else write(actor, error.code, surface, 1)
    },
    [Symbol.dispose]() {
      for (const { timer, flush } of [...open.values()]) {
        clearTimeout(timer)
        flush()
      }
    },
  }
}
