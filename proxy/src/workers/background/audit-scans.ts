import type { AuditScans } from '../../audit/index.ts'
import { AppError } from '../../kernel/index.ts'
import { JobFailed } from '../work-pool/index.ts'
import type { AuditPlace } from './audit-jobs.ts'
import type { Background } from './background.ts'

/** A process that gives way has little of a busy processor. */
const TIME_LIMIT_MS = 60_000
const LATE =
  'The audit was not read in time: the machine is busy, or its disk is slow. Nothing is said of the audit; ask again.'

/** The audit read in a process: hashing and a disk that is slow hold up no decision, and no connection is kept from one. */
export function createBackgroundScans(
  { database }: Pick<Background, 'database'>,
  place: AuditPlace,
): AuditScans {
  /** Tenants take turns, with each other and with what tends the log. */
  const run: Background['database']['run'] = async (owner, kind, input) => {
    try {
      return await database.run(owner, kind, input, { timeLimitMs: TIME_LIMIT_MS })
    } catch (error) {
      if (!(error instanceof JobFailed)) throw error
      const message = error.why === 'time' ? LATE : `The audit cannot be read: ${error.message}`
      throw new AppError('storage_unavailable', message, { cause: error })
    }
  }
  return {
    check: (check) => run(place.tenant, 'check-audit', { ...place, check }),
    rowsAfter: (after) => run(place.tenant, 'read-audit', { ...place, after }),
  }
}
