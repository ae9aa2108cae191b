import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import type { Config } from '../config/index.ts'
import { AppError } from '../kernel/index.ts'
import { type CopyProgress, type CopyResult, copyDatabase, type DatabasePlace } from '../storage/index.ts'
import { lockDaemon } from '../storage/lock/index.ts'
import { type AuditProblem, findAuditProblems } from './daemon-migrate-audit.ts'

/** In the place of a name: the address comes from standard input, where no list of processes shows its password. */
const STREAM = '-'
const POSTGRES = /^postgres(?:ql)?:\/\/\S+$/

export interface Migrated extends CopyResult {
  readonly from: 'sqlite' | 'postgres'
  readonly to: 'sqlite' | 'postgres'
  /** The new file; null of PostgreSQL, whose address may hold a password. */
  readonly file: string | null
  /** Audits that were copied as they are, by the wish of the caller. */
  readonly auditProblems: readonly AuditProblem[]
}

export interface MigrateOptions {
  /** An audit that does not verify is copied as it is, and told of in the result. Default: nothing is copied. */
  readonly allowBrokenAudit: boolean
  readonly onProgress: (progress: CopyProgress) => void
}

/**
 * Copies the database of this daemon, which must not run, into another one: PostgreSQL by its address, SQLite by the name of a new
 * file. What happens, and what does not, is `copyDatabase`'s. Throws AppError; `refused` where the audit of a tenant does not verify.
 */
export async function migrateDatabase(
  { dbPath, databaseUrl, masterKey }: Pick<Config, 'dbPath' | 'databaseUrl' | 'masterKey'>,
  target: string,
  input: Readable,
  { allowBrokenAudit, onProgress }: MigrateOptions,
): Promise<Migrated> {
  const to = placeOf(target === STREAM ? (await text(input)).trim() : target, target === STREAM)
  // A lock makes the folder that it is in.
  if (databaseUrl === null && !existsSync(dbPath))
    throw new AppError('not_found', `There is no database ${dbPath}.`)
  // The lock of the daemon, whichever engine it works with.
  await using daemon = await lockDaemon({ path: dbPath, url: databaseUrl?.open() ?? null })
  const from: DatabasePlace =
    databaseUrl === null ? { path: dbPath } : { url: databaseUrl.open(), heldBy: daemon.fence?.sign }
  const isHeld = 'path' in to && to.path === dbPath
  let auditProblems: readonly AuditProblem[] = []
  const result = await copyDatabase({
    from,
    to: isHeld ? { ...to, isHeld } : to,
    onProgress,
    async inspect(copy, heads) {
      auditProblems = await findAuditProblems(copy, heads, masterKey, onProgress)
      if (auditProblems.length > 0 && !allowBrokenAudit) throw brokenAudit(auditProblems)
    },
  })
  return {
    ...result,
    auditProblems,
    from: 'path' in from ? 'sqlite' : 'postgres',
    to: 'path' in to ? 'sqlite' : 'postgres',
    file: 'path' in to ? to.path : null,
  }
}

const brokenAudit = (problems: readonly AuditProblem[]): AppError =>
  new AppError(
    'refused',
    `${problems.map(describe).join('; ')}. Nothing was copied. Restore a backup whose audit verifies, or copy it as it is, with --allow-broken-audit.`,
    { details: { problems } },
  )

const describe = ({ tenant, entry, reason }: AuditProblem): string =>
  entry === null
    ? `The audit of ${tenant} cannot be verified: ${reason.replace(/\.$/, '')}`
    : `The audit of ${tenant} is broken at entry ${entry}: ${reason}`

function placeOf(target: string, isPrivate: boolean): DatabasePlace {
  if (!POSTGRES.test(target)) {
    if (target === '' || /^[a-z][a-z0-9+.-]*:/i.test(target))
      throw new AppError('invalid_request', 'Name a PostgreSQL database, postgres://…, or a new file.')
    return { path: resolve(target) }
  }
  if (!isPrivate && hasPassword(target)) {
    throw new AppError(
      'invalid_request',
      'Every user of this machine may read the arguments of a command: give an address with a password on standard input, with --to -.',
    )
  }
  return { url: target }
}

function hasPassword(url: string): boolean {
  try {
    const { password, searchParams } = new URL(url)
    return password !== '' || searchParams.has('password')
  } catch {
    // A host that is the folder of a socket makes it no URL to the standard.
    return /\/\/[^/@]*:[^/@]*@/.test(url) || /[?&]password=/.test(url)
  }
}
