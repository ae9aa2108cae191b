import type { Logger } from 'pino'
import type { AuditLog } from '../../audit/index.ts'
import { type Actor, addressActor } from '../../identity/index.ts'
import type { AppError, ErrorCode, Storage } from '../../kernel/index.ts'

/**
 * The audit of what was refused: who and with which error, never what was sent; an audit that cannot be written refuses
 * all the same. Refusals that a flood repeats are
 * written at most once a minute for each caller, with a count of those since.
 */
export interface Refusals extends AsyncDisposable {
  /** `actor` is an agent or an address. Resolves once it is written; never rejects. */
  record(actor: Actor, error: AppError, surface: RefusalSurface): Promise<void>
}

export type RefusalSurface = 'http' | 'mcp' | 'console'

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
const OTHERS = addressActor('others')

export function createRefusals(deps: {
  readonly audit: Pick<AuditLog, 'append'>
  readonly storage: Storage
  readonly log: Pick<Logger, 'error'>
}): Refusals {
  const open = new Map<string, { count: number; flush: () => Promise<void>; timer: NodeJS.Timeout }>()

  const write = async (actor: Actor, code: ErrorCode, surface: string, count: number): Promise<void> => {
    try {
      await deps.storage.transaction(
        (tx) => deps.audit.append(tx, 'request.refused', actor, null, { code, surface, count }),
        'grouped',
      )
    } catch (error) {
      deps.log.error({ err: error }, 'a refusal could not be written to the audit')
    }
  }

  const damped = async (actor: Actor, code: ErrorCode, surface: string): Promise<void> => {
    const own = `${actor}\n${code}\n${surface}`
    const shared = open.size >= MAX_CALLERS && !open.has(own)
    const name = shared ? OTHERS : actor
    const key = shared ? `${name}\n${code}\n${surface}` : own
    const window = open.get(key)
    if (window) {
      window.count += 1
      return
    }
    const flush = async (): Promise<void> => {
      const count = open.get(key)?.count ?? 0
      open.delete(key)
      if (count > 0) await write(name, code, surface, count)
    }
    // Before anything is waited for: those that come meanwhile are counted, and not written one by one.
    open.set(key, { count: 0, flush, timer: setTimeout(() => void flush(), WINDOW_MS).unref() })
    await write(name, code, surface, 1)
  }

  return {
    async record(actor, error, surface) {
      if (DAMPED.has(error.code)) await damped(actor, error.code, surface)
      else await write(actor, error.code, surface, 1)
    },
    async [Symbol.asyncDispose]() {
      const windows = [...open.values()]
      for (const { timer } of windows) clearTimeout(timer)
      for (const { flush } of windows) await flush()
    },
  }
}
