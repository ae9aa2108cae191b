import { createReadStream, createWriteStream, existsSync, readdirSync, rmSync, statSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Config } from '../config/index.ts'
import { AppError } from '../kernel/index.ts'
import {
  copyDatabase,
  giveName,
  installationValue,
  openCopy,
  readDataKeys,
  replaceDatabase,
  sync,
} from '../storage/files/index.ts'
import { openStorage } from '../storage/index.ts'
import { lockFile } from '../storage/lock/index.ts'
import { createSodiumCipher, keyFingerprint } from '../vault/crypto/index.ts'
import { VERSION } from '../version.ts'
import { STORES } from './compose-stores.ts'
import { findMasterKey } from './daemon-keys.ts'
import { runBodiesFolder } from './state-files.ts'

/** Standard output or input in the place of a file. */
const STREAM = '-'
/** Row of a backup's `meta` that tells of it; not in a database that a daemon works on. */
const NOTE = 'backup'

interface Note {
  readonly key_fingerprint: string
  readonly made_at: string
  readonly version: string
}

type Place = Pick<Config, 'dbPath' | 'databaseUrl' | 'masterKey'> & {
  readonly storage: Pick<Config['storage'], 'auditArchiveDirectory'>
}

export interface BackupMade {
  /** Null where it went to standard output. */
  readonly file: string | null
  readonly bytes: number
  /** Of the master key that opens it, which is not in it. */
  readonly key_fingerprint: string
  /** Archives of the audit, which are files of their own. */
  readonly archives: { readonly folder: string; readonly files: number }
  /** Files, conversations and results of runs of apps, sealed by keys that are in it. */
  readonly run_bodies: { readonly folder: string; readonly files: number }
}

/**
 * Writes the whole database as it stands now, whether a daemon works on it or not, and tries that the master key opens the
 * copy. The file appears whole or not at all, and is its owner's alone. Nothing is overwritten.
 */
export async function makeBackup(place: Place, file: string, output: Writable): Promise<BackupMade> {
  assertFile(place, 'Back it up with pg_dump')
  if (!existsSync(place.dbPath)) throw new AppError('not_found', `There is no database at ${place.dbPath}.`)
  const target = file === STREAM ? place.dbPath : resolve(file)
  if (file !== STREAM && existsSync(target))
    throw new AppError('conflict', `${target} is there already; name another file.`)
  dropOldDrafts(target)
  const draft = `${target}.${process.pid}.draft`
  try {
    await copyDatabase(place.dbPath, draft)
    const fingerprint = await writeNote(place, draft)
    sync(draft)
    const bytes = statSync(draft).size
    if (file === STREAM) await pipeline(createReadStream(draft), output, { end: false })
    else giveName(draft, target)
    if (file !== STREAM) sync(dirname(target))
    return {
      file: file === STREAM ? null : target,
      bytes,
      key_fingerprint: fingerprint,
      archives: filesBelow(place.storage.auditArchiveDirectory),
      run_bodies: filesBelow(runBodiesFolder(place)),
    }
  } finally {
    removeDraft(draft)
  }
}

/** What `DB_PATH` names is not what a daemon on PostgreSQL works on, or what it worked on before. */
function assertFile({ databaseUrl }: Place, instead: string): void {
  if (databaseUrl === null) return
  throw new AppError(
    'invalid_request',
    `DATABASE_URL is set, so the database is on PostgreSQL. ${instead}, as DEPLOYMENT.md says under "PostgreSQL", and keep the master key and the archives of the audit with it.`,
  )
}

function removeDraft(draft: string): void {
  for (const end of ['', '-journal', '-wal', '-shm']) rmSync(draft + end, { force: true })
}

/** Those of backups that were killed: they hold what the database held then. */
function dropOldDrafts(target: string): void {
  const folder = dirname(target)
  if (!existsSync(folder)) throw new AppError('not_found', `There is no folder ${folder}.`)
  for (const name of readdirSync(folder)) {
    const [, of, pid] = /^(.+)\.([0-9]+)\.draft$/.exec(name) ?? []
    if (of !== basename(target) || isRunning(Number(pid))) continue
    rmSync(join(folder, name), { force: true })
  }
}

function isRunning(pid: number): boolean {
  if (pid === process.pid) return false
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

async function writeNote(place: Place, draft: string): Promise<string> {
  const db = openCopy(draft)
  try {
    const fingerprint = keyFingerprint(await keyOf(place, db))
    const note: Note = {
      key_fingerprint: fingerprint,
      made_at: new Date().toISOString(),
      version: VERSION,
    }
    installationValue(db, NOTE).set(JSON.stringify(note))
    return fingerprint
  } finally {
    db.close()
  }
}

async function keyOf(
  { masterKey }: Pick<Config, 'masterKey'>,
  db: ReturnType<typeof openCopy>,
): Promise<Uint8Array> {
  return await findMasterKey({
    source: masterKey,
    records: readDataKeys(db),
    kdf: installationValue(db, 'kdf').get(),
    cipher: await createSodiumCipher(),
  })
}

function filesBelow(folder: string): BackupMade['archives'] {
  // Those of other tenants stand in folders of their own.
  const found = existsSync(folder) ? readdirSync(folder, { recursive: true, withFileTypes: true }) : []
  return { folder, files: found.filter((entry) => !entry.isDirectory()).length }
}

export interface Restored {
  readonly database: string
  /** Where what stood there before is; null where there was nothing. */
  readonly aside: string | null
  readonly key_fingerprint: string
  /** When the backup was made; null of one that does not say. */
  readonly made_at: string | null
}

/**
 * Puts a backup in the place of the database. Refused while a daemon runs, where the master key at hand does not open it, and
 * where it is not whole; then nothing has changed.
 */
export async function restoreBackup(place: Place, file: string, input: Readable): Promise<Restored> {
  assertFile(place, 'Restore it with pg_restore')
  using _lock = lockFile(place.dbPath)
  const { dbPath } = place
  if (file !== STREAM) assertBackupFile(resolve(file), dbPath)
  // Under the lock there is one restore at a time; whatever stands there is of one that was killed.
  const draft = `${dbPath}.restore.draft`
  removeDraft(draft)
  try {
    await pipeline(
      file === STREAM ? input : createReadStream(resolve(file)),
      createWriteStream(draft, { flags: 'wx', mode: 0o600 }),
    )
    const { fingerprint, note } = await verifyDraft(place, draft)
    const hadOne = existsSync(dbPath)
    const aside = `${dbPath}.before-restore-${new Date().toISOString().replace(/[:.]/g, '-')}`
    replaceDatabase(dbPath, draft, aside)
    return {
      database: dbPath,
      aside: hadOne ? aside : null,
      key_fingerprint: fingerprint,
      made_at: note?.made_at ?? null,
    }
  } finally {
    removeDraft(draft)
  }
}

function assertBackupFile(file: string, dbPath: string): void {
  const found = statSync(file, { throwIfNoEntry: false })
  if (found === undefined) throw new AppError('not_found', `There is no file ${file}.`)
  if (!found.isFile()) throw new AppError('invalid_request', `${file} is not a file.`)
  const current = statSync(dbPath, { throwIfNoEntry: false })
  if (current?.ino === found.ino && current.dev === found.dev)
    throw new AppError('invalid_request', `${file} is the database itself.`)
}

/** Everything that a start would stumble over, tried on the copy. */
async function verifyDraft(
  place: Place,
  draft: string,
): Promise<{ readonly fingerprint: string; readonly note: Note | undefined }> {
  const db = openCopy(draft)
  let note: Note | undefined
  let fingerprint: string
  try {
    note = noteOf(installationValue(db, NOTE).get())
    const key = await keyOf(place, db).catch((error: unknown) => {
      throw error instanceof AppError && note !== undefined
        ? new AppError(
            'locked',
            `The backup needs the master key with the fingerprint ${note.key_fingerprint}: ${error.message}`,
          )
        : error
    })
    fingerprint = keyFingerprint(key)
    installationValue(db, NOTE).remove()
  } finally {
    db.close()
  }
  // Brings it to this version, and refuses one that is newer.
  await using _opened = await openStorage({ database: { path: draft }, stores: STORES, onDefect: () => {} })
  return { fingerprint, note }
}

function noteOf(text: string | undefined): Note | undefined {
  try {
    const note = JSON.parse(text ?? '') as Note
    return typeof note.key_fingerprint === 'string' && typeof note.made_at === 'string' ? note : undefined
  } catch {
    return undefined
  }
}
