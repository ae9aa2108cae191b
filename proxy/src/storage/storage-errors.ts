import { AppError } from '../kernel/index.ts'

/** Of files and sockets: what the system says when a disk or a server cannot be used. */
export const UNUSABLE_FILE = /^E(ACCES|DQUOT|EXIST|IO|ISDIR|NOSPC|NOTDIR|PERM|ROFS)$/

export const codeOf = (error: unknown): string => String((error as { code?: unknown } | null)?.code ?? '')

export const unavailable = (message: string, cause: unknown): AppError => {
  const code = codeOf(cause)
  return new AppError('storage_unavailable', code === '' ? `${message}.` : `${message} (${code}).`, { cause })
}

/** A transaction may be committed, or not: the server does not say. */
export class UnknownOutcome extends AppError {
  constructor(cause: unknown) {
    super(
      'storage_unavailable',
      'The database did not answer a commit, and does not say whether it was made. Look before you repeat it.',
      { cause },
    )
  }
}

/** Whether it was for want of space: SQLite's, PostgreSQL's `disk_full`, the system's. */
export const isFull = (error: unknown): boolean =>
  error instanceof AppError && /^(SQLITE_FULL|53100|ENOSPC|EDQUOT)$/.test(codeOf(error.cause))

/** Whether a statement wrote where only reading is allowed. */
export const isReadOnly = (error: unknown): boolean => /^(SQLITE_READONLY|25006$)/.test(codeOf(error))
