import { once } from 'node:events'
import { readFileSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { config as loadDotenv } from 'dotenv'
import {
  CliError,
  type DemoAnswer,
  type DemoPlay,
  EXIT,
  findSocket,
  type MigrateOptions,
  runCli,
  styleFor,
} from './cli/index.ts'
import type { BackupMade, Restored } from './compose/daemon-backup.ts'
import type { Migrated } from './compose/daemon-migrate.ts'
import type { Uninstall } from './compose/daemon-uninstall.ts'
import { isReaderGone } from './compose/lost-reader.ts'
import { watchStopSignals } from './compose/stop-signals.ts'
import type { Config } from './config/index.ts'
import { openToOthers } from './kernel/index.ts'
import { VERSION } from './version.ts'

/** The process's edge: arguments, signals, exit code. Only the `daemon` and `demo` commands load the daemon. */
const EXIT_GRACE_MS = 2_000

let isOutputLost = false
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    // What was begun is ended in good order all the same.
    if (isReaderGone(error) || isOutputLost) return
    isOutputLost = true
    if (stream === process.stdout) process.exitCode ||= EXIT.failed
    process.stderr.write(`oauth3: what it prints cannot be written: ${error.message}\n`)
  })
}

const { stdin, stdout, stderr, env } = process
const around = { stdin, stdout, stderr, env, cwd: process.cwd() }
const code = await runCli(process.argv.slice(2), around, {
  version: VERSION,
  daemon,
  demo,
  init,
  images,
  backup,
  restore,
  migrate,
  uninstall,
})
if (code !== EXIT.done) process.exitCode = code
// A handle that somebody forgot does not keep a finished command alive.
setTimeout(() => process.exit(), EXIT_GRACE_MS).unref()

async function daemon(): Promise<number> {
  return await withSettings(async (config) => {
    // Before anything runs: a stop that comes during the start is not lost.
    const { stopped } = watchStopSignals({ endNow: () => process.exit(EXIT.failed) })
    // Commands are answered while the rest is loaded.
    const { enableOwnCompileCache } = await import('./compose/compile-cache.ts')
    const cacheProblem = enableOwnCompileCache(dirname(config.dbPath))
    const { openFront } = await import('./compose/daemon-front.ts')
    const front = await openFront(config)
    const { startDaemon } = await import('./compose/daemon.ts')
    const running = await startDaemon(config, { front, cacheProblem })
    const { raiseEventLoop } = await import('./workers/cpu-priority/index.ts')
    raiseEventLoop()
    if (stdout.isTTY) {
      const { renderBanner } = await import('./compose/daemon-banner.ts')
      // Another terminal has `.env`, not what this daemon was given in its environment.
      const found = findSocket(undefined, {}, process.cwd())
      const otherSocket = found === config.adminSocketPath ? null : config.adminSocketPath
      const overview = await running.overview()
      stdout.write(renderBanner(VERSION, overview, { ...config, otherSocket }, styleFor(stdout, env)))
    }
    const ended = AbortSignal.any([stopped, running.taken])
    if (!ended.aborted) await once(ended, 'abort')
    await running.stop()
    if (running.taken.aborted && !stopped.aborted) throw running.taken.reason
    return EXIT.done
  })
}

/** The environment, and `.env` where there is one. Throws ConfigError for all that is wrong with both. */
async function readSettings(): Promise<Config> {
  const { ConfigError, readConfig, strayLines, unclearLines } = await import('./config/index.ts')
  const open = openToOthers('.env', statSync('.env', { throwIfNoEntry: false })?.mode ?? 0)
  const { parsed, error } = loadDotenv({ quiet: true })
  if (error && (error as NodeJS.ErrnoException).code !== 'ENOENT') {
    throw new ConfigError(`.env cannot be read: ${error.message}`)
  }
  const text = parsed === undefined || error ? '' : readFileSync('.env', 'utf8')
  const problems = [
    ...(open === undefined ? [] : [open]),
    ...strayLines(text).map(
      (line) => `.env: line ${line} sets nothing; a setting is NAME=value, a comment begins with #.`,
    ),
    ...unclearLines(text).map(
      (line) =>
        `.env: line ${line} has a value that others read in another way; put all of it in straight quotes: NAME="value".`,
    ),
  ]
  try {
    const config = readConfig(process.env, Object.keys(parsed ?? {}))
    if (problems.length === 0) return config
  } catch (problem) {
    if (!(problem instanceof ConfigError)) throw problem
    throw new ConfigError(...problems, ...problem.problems)
  }
  throw new ConfigError(...problems)
}

async function demo(options: { what: DemoPlay; approve: DemoAnswer | undefined }): Promise<number> {
  const { runClaudeDemo, runDemo, runHostDemo } = await import('./demo/index.ts')
  const { stopped } = watchStopSignals({ endNow: () => process.exit(EXIT.failed) })
  const plays = { code: runDemo, run: runClaudeDemo, host: runHostDemo }
  return await plays[options.what](around, options, stopped)
}

async function init(): Promise<number> {
  const { runInit } = await import('./init/index.ts')
  return await runInit(around)
}

async function images(options: { base: string | undefined }): Promise<number> {
  const [{ buildImages }, { createEngineClient }] = await Promise.all([
    import('./sandbox/images/index.ts'),
    import('./sandbox/engine/index.ts'),
  ])
  await buildImages({ docker: createEngineClient(), base: options.base, log: (line) => console.log(line) })
  return EXIT.done
}

async function backup(file: string): Promise<BackupMade> {
  const { makeBackup } = await import('./compose/daemon-backup.ts')
  return await withSettings((config) => makeBackup(config, file, stdout))
}

async function restore(file: string): Promise<Restored> {
  const { restoreBackup } = await import('./compose/daemon-backup.ts')
  return await withSettings((config) => restoreBackup(config, file, stdin))
}

async function migrate(to: string, options: MigrateOptions): Promise<Migrated> {
  const { migrateDatabase } = await import('./compose/daemon-migrate.ts')
  return await withSettings((config) => migrateDatabase(config, to, stdin, options))
}

async function uninstall(): Promise<Uninstall> {
  const [{ createEngineClient }, { openUninstall }] = await Promise.all([
    import('./sandbox/engine/index.ts'),
    import('./compose/daemon-uninstall.ts'),
  ])
  return await withSettings((config) => openUninstall(config, createEngineClient()))
}

/** What is done to the files of the daemon that is set up here. */
async function withSettings<T>(work: (config: Config) => Promise<T>): Promise<T> {
  const { ConfigError } = await import('./config/index.ts')
  try {
    return await work(await readSettings())
  } catch (error) {
    if (error instanceof ConfigError) throw new CliError('config', EXIT.usage, error.message, error.problems)
    throw startFailure(error)
  }
}

function startFailure(error: unknown): unknown {
  const { code, exitCode, message } = error as NodeJS.ErrnoException & { exitCode?: number }
  if (code === 'EADDRINUSE')
    return new CliError('config', EXIT.usage, `HOST:PORT is taken (${message}); set another PORT.`)
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND')
    return new CliError('config', EXIT.usage, `HOST is not an address of this machine (${message}).`)
  return typeof exitCode === 'number' ? new CliError(String(code), exitCode, message) : error
}
