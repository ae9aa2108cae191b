import { once } from 'node:events'
import { readFileSync, statSync } from 'node:fs'
import { config as loadDotenv } from 'dotenv'
import { CliError, EXIT, findSocket, runCli, styleFor } from './cli/index.ts'
import type { Config } from './config/index.ts'
import type { BackupMade, Restored } from './daemon-backup.ts'
import type { Uninstall } from './daemon-uninstall.ts'
import { openToOthers } from './kernel/index.ts'
import { isReaderGone } from './lost-reader.ts'
import { watchStopSignals } from './stop-signals.ts'
import { VERSION } from './version.ts'

/** The process's edge: arguments, signals, exit code. Only the `daemon` and `demo` commands load the daemon. */
const EXIT_GRACE_MS = 2_000

for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    // What was begun is ended in good order all the same.
    if (!isReaderGone(error)) throw error
  })
}

const { stdin, stdout, stderr, env } = process
const around = { stdin, stdout, stderr, env, cwd: process.cwd() }
process.exitCode = await runCli(process.argv.slice(2), around, {
  version: VERSION,
  daemon,
  demo,
  init,
  images,
  backup,
  restore,
  uninstall,
})
// A handle that somebody forgot does not keep a finished command alive.
setTimeout(() => process.exit(), EXIT_GRACE_MS).unref()

async function daemon(): Promise<number> {
  return await withSettings(async (config) => {
    // Before anything runs: a stop that comes during the start is not lost.
    const { stopped } = watchStopSignals({ endNow: () => process.exit(EXIT.failed) })
    // Commands are answered while the rest is loaded.
    const { openFront } = await import('./daemon-front.ts')
    const front = await openFront(config)
    const { startDaemon } = await import('./daemon.ts')
    const running = await startDaemon(config, { front })
    if (stdout.isTTY) {
      const { renderBanner } = await import('./daemon-banner.ts')
      // Another terminal has `.env`, not what this daemon was given in its environment.
      const found = findSocket(undefined, {}, process.cwd())
      const otherSocket = found === config.adminSocketPath ? null : config.adminSocketPath
      const overview = await running.overview()
      stdout.write(renderBanner(VERSION, overview, { ...config, otherSocket }, styleFor(stdout, env)))
    }
    if (!stopped.aborted) await once(stopped, 'abort')
    await running.stop()
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

async function demo(options: { approve: 'once' | '24h' | 'forever' | 'deny' | undefined }): Promise<number> {
  const { runDemo } = await import('./demo/index.ts')
  const { stopped } = watchStopSignals({ endNow: () => process.exit(EXIT.failed) })
  return await runDemo(around, options, stopped)
}

async function init(): Promise<number> {
  const { runInit } = await import('./init/index.ts')
  return await runInit(around)
}

async function images(options: { base: string | undefined }): Promise<number> {
  const [{ default: Docker }, { buildImages }] = await Promise.all([
    import('dockerode'),
    import('./adapters/sandbox/index.ts'),
  ])
  await buildImages({ docker: new Docker(), base: options.base, log: (line) => console.log(line) })
  return EXIT.done
}

async function backup(file: string): Promise<BackupMade> {
  const { makeBackup } = await import('./daemon-backup.ts')
  return await withSettings((config) => makeBackup(config, file, stdout))
}

async function restore(file: string): Promise<Restored> {
  const { restoreBackup } = await import('./daemon-backup.ts')
  return await withSettings((config) => restoreBackup(config, file, stdin))
}

async function uninstall(): Promise<Uninstall> {
  const [{ default: Docker }, { openUninstall }] = await Promise.all([
    import('dockerode'),
    import('./daemon-uninstall.ts'),
  ])
  return await withSettings((config) => openUninstall(config, new Docker()))
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
