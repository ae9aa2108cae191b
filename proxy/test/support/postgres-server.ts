import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { randomToken } from '../../src/kernel/index.ts'
import { openStorage } from '../../src/storage/index.ts'
import { addressOf, asAdmin, makeServer, startServer, stopServer } from './postgres-process.ts'

/**
 * One PostgreSQL server for a run of the tests, started by the first that wants it, in a temporary folder.
 */
const FOLDER = 'TEST_POSTGRES_FOLDER'
/** The process whose end is the end of the run. */
const RUN = 'TEST_POSTGRES_RUN'
const TEMPLATE = 'template_migrated'
/** As DATABASE_URL names it: owner of its database, and nothing beyond. */
const ROLE = 'app'

/** Begins and ends a run, once for each project of its process: the end stops the server, if it was started. */
export function setup(): () => void {
  const isOurs = process.env[RUN] === String(process.pid)
  // What stands here of another process is the server of the run that started this one, which goes on after it.
  const inherited = isOurs ? process.env[FOLDER] : undefined
  const folder = inherited ?? join(tmpdir(), `oauth3-postgres-${process.pid}-${randomToken(48)}`)
  process.env[FOLDER] = folder
  process.env[RUN] = String(process.pid)
  return () => {
    if (!existsSync(folder)) return
    stopServer(folder, 'immediate')
    rmSync(folder, { recursive: true, force: true })
  }
}

/** A run that is killed stops nothing: this does, when it is gone. */
function stopAfterRun(folder: string): void {
  const script = `while kill -0 "$1" 2>/dev/null; do sleep 1; done
    [ -d "$0" ] || exit 0
    [ -f "$0/data/postmaster.pid" ] && kill -QUIT "$(head -n 1 "$0/data/postmaster.pid")"
    sleep 1; rm -rf "$0"`
  const args = ['-c', script, folder, process.env[RUN] ?? '']
  spawn('/bin/sh', args, { detached: true, stdio: 'ignore', cwd: '/' }).unref()
}

async function start(folder: string): Promise<void> {
  stopAfterRun(folder)
  makeServer(folder)
  await asAdmin(folder, `CREATE ROLE ${ROLE} LOGIN`, `CREATE DATABASE ${TEMPLATE} OWNER ${ROLE}`)
  await using _migrated = await openStorage({
    database: { url: addressOf(folder, ROLE, TEMPLATE), connections: 1 },
    stores: {} as never,
    onDefect: () => {},
  })
}

/** The first of the processes that ask starts it; the others wait for that one's word. */
async function started(): Promise<string> {
  const folder = process.env[FOLDER]
  if (folder === undefined) throw new Error('PostgreSQL is set up by vitest.config.ts')
  const ready = join(folder, 'ready')
  const failed = join(folder, 'failed')
  if (existsSync(ready)) return folder
  try {
    mkdirSync(folder, { mode: 0o700 })
  } catch {
    while (!existsSync(ready)) {
      if (existsSync(failed)) throw new Error('PostgreSQL did not start; another test file says why')
      await sleep(50)
    }
    return folder
  }
  try {
    await start(folder)
    writeFileSync(ready, '')
    return folder
  } catch (error) {
    writeFileSync(failed, '')
    const said = String((error as { stderr?: unknown }).stderr ?? '')
    throw new Error(`PostgreSQL does not start: ${(error as Error).message} ${said}`, { cause: error })
  }
}

export interface TestServer {
  /** A database that nobody else has, at the newest version. */
  readonly url: string
  /** The same one for who may do everything: ends backends, sees all rows. */
  readonly adminUrl: string
  drop(): Promise<void>
}

let databases = 0

export async function freshDatabase({ isEmpty = false } = {}): Promise<TestServer> {
  const folder = await started()
  databases += 1
  const name = `test_${process.pid}_${databases}`
  await asAdmin(folder, `CREATE DATABASE ${name} OWNER ${ROLE}${isEmpty ? '' : ` TEMPLATE ${TEMPLATE}`}`)
  return {
    url: addressOf(folder, ROLE, name),
    adminUrl: addressOf(folder, 'postgres', name),
    drop: () => asAdmin(folder, `DROP DATABASE ${name} WITH (FORCE)`),
  }
}

export interface OwnServer extends AsyncDisposable {
  readonly folder: string
  /** As DATABASE_URL names it. */
  readonly url: string
  readonly adminUrl: string
  start(): void
  stop(mode: 'fast' | 'immediate'): void
}

/** A server that nobody else uses, for who stops it. */
export async function ownServer(): Promise<OwnServer> {
  const folder = mkdtempSync(join(tmpdir(), 'oauth3-own-postgres-'))
  const remove = (): void => {
    stopServer(folder, 'immediate')
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    makeServer(folder)
    await asAdmin(folder, `CREATE ROLE ${ROLE} LOGIN`, `CREATE DATABASE ${ROLE} OWNER ${ROLE}`)
  } catch (error) {
    remove()
    throw error
  }
  return {
    folder,
    url: addressOf(folder, ROLE, ROLE),
    adminUrl: addressOf(folder, 'postgres', ROLE),
    start: () => startServer(folder),
    stop: (mode) => stopServer(folder, mode),
    [Symbol.asyncDispose]: async () => remove(),
  }
}
