import { type ExecFileSyncOptions, execFileSync } from 'node:child_process'
import { chmodSync, chownSync, existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import { postgresBinaries } from './postgres-binaries.ts'

/**
 * A server on a Unix socket in its folder, without TCP, as an ordinary user, since it refuses to be root. Its collation is not that of
 * bytes, so that a column that forgot `COLLATE "C"` is found.
 */
const SERVER_USER = 'postgres'
const idOf = (flag: '-u' | '-g'): number =>
  Number(execFileSync('id', [flag, SERVER_USER], { encoding: 'utf8' }))

export function asServer([program, ...args]: readonly string[], folder: string): void {
  const path = join(postgresBinaries() ?? '', program ?? '')
  const options: ExecFileSyncOptions = { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] }
  if (process.getuid?.() !== 0) execFileSync(path, args, options)
  else execFileSync(path, args, { ...options, uid: idOf('-u'), gid: idOf('-g') })
}

export const addressOf = (folder: string, role: string, database: string): string =>
  `postgres://${role}@${encodeURIComponent(folder)}/${database}`

/** Makes its data in the folder, which is new, and starts it. */
export function makeServer(folder: string): void {
  const data = join(folder, 'data')
  mkdirSync(data, { mode: 0o700 })
  if (process.getuid?.() === 0) for (const path of [folder, data]) chownSync(path, idOf('-u'), idOf('-g'))
  chmodSync(folder, 0o755)
  const locale = ['--encoding=UTF8', '--locale=C', '--locale-provider=icu', '--icu-locale=en-US']
  asServer(
    ['initdb', '--pgdata', data, '--auth=trust', '--username=postgres', '--no-sync', ...locale],
    folder,
  )
  startServer(folder)
}

/** Resolves when it takes connections. */
export function startServer(folder: string): void {
  const settings = [
    'fsync=off',
    'listen_addresses=',
    `unix_socket_directories=${folder}`,
    'max_connections=200',
  ]
  const options = settings.map((setting) => `-c ${setting}`).join(' ')
  const data = join(folder, 'data')
  asServer(
    ['pg_ctl', 'start', '--pgdata', data, '--log', join(folder, 'log'), '--wait', '-o', options],
    folder,
  )
}

/** `fast` ends every session; `immediate` is a crash. */
export function stopServer(folder: string, mode: 'fast' | 'immediate'): void {
  const data = join(folder, 'data')
  if (existsSync(join(data, 'postmaster.pid')))
    asServer(['pg_ctl', 'stop', '--pgdata', data, '--mode', mode, '--wait'], folder)
}

export async function asAdmin(folder: string, ...statements: readonly string[]): Promise<void> {
  const client = new pg.Client({ connectionString: addressOf(folder, 'postgres', 'postgres') })
  await client.connect()
  try {
    for (const statement of statements) await client.query(statement)
  } finally {
    await client.end()
  }
}
