import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startBotApiDouble } from '../test/support/bot-api-double.ts'
import { ANN, UNHURRIED } from '../test/support/telegram-kit.ts'
import { baselineCheckout, installationOf } from './baseline.ts'
import {
  AS_STARTED,
  freePort,
  pause,
  percentile,
  printGoal,
  repositoryRoot,
  residentMib,
  untilHealthy,
} from './support.ts'

interface StartBenchOptions {
  readonly rounds: number
  /** Of the look at the idle daemon. */
  readonly idleMinutes: number
  /** A checkout in the place of the commit that the goals name. */
  readonly baseline: string | null
}

/** The clock of a process's times in /proc ticks so often (proc(5)); `times` of a shell as well. */
const TICKS_PER_SECOND = 100
const COMMANDS_AT_ONCE = 10

/**
 * Processor time, since it holds on a loaded machine: of a daemon until its first /health, and of `oauth3 --version`; from a bundle and
 * from sources, beside the baseline's and an empty Node. Each starts again and again on one database, in turns; the first round,
 * which makes the database and fills the compile cache, does not count. And the memory of an idle daemon.
 */
export async function benchStart({ rounds, idleMinutes, baseline }: StartBenchOptions): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'oauth3-bench-start-'))
  try {
    const before = baseline ?? baselineCheckout(folder)
    const sourcesOf = (checkout: string): string => join(checkout, 'proxy/src/main.ts')
    const mains = {
      bundle: installationOf(repositoryRoot, join(folder, 'installed')),
      sources: sourcesOf(repositoryRoot),
      'baseline, sources': sourcesOf(before),
      'baseline, built': installationOf(before, join(folder, 'installed-before')),
    }
    const starts = await inTurns(mains, rounds, (main, name) =>
      startCpuMs(main, join(folder, `data ${name}`)),
    )
    const commands = await inTurns(
      { 'an empty Node': ['-e', '0'], ...versionsOf(mains) },
      rounds,
      commandCpuMs,
    )
    print('start to the first /health', starts)
    print('oauth3 --version', commands)
    const start = (one: keyof typeof mains, of: keyof typeof mains): string => ratio(starts, one, of)
    const goal = (text: string, value: string, most: number): void =>
      printGoal(`${text}: ${value}×`, `≤ ${most}`, Number(value) <= most)
    goal(
      "start, installed ÷ the baseline's install (its sources)",
      start('bundle', 'baseline, sources'),
      0.35,
    )
    goal("start, installed ÷ the baseline's image (built)", start('bundle', 'baseline, built'), 0.35)
    goal("start, checkout ÷ the baseline's", start('sources', 'baseline, sources'), 0.6)
    goal('--version, installed ÷ an empty Node', ratio(commands, 'bundle', 'an empty Node'), 6)
    const mib = await idleMib(mains.bundle, join(folder, 'idle'), idleMinutes)
    printGoal(`idle for ${idleMinutes} min, with a bot, resident: ${mib.toFixed(0)} MiB`, '≤ 110', mib <= 110)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

type Samples = Readonly<Record<string, readonly number[]>>

/** Rounds of all, one after the other, and a first one that does not count. */
async function inTurns<T>(
  all: Readonly<Record<string, T>>,
  rounds: number,
  measure: (one: T, name: string) => Promise<number> | number,
): Promise<Samples> {
  const samples = new Map(Object.keys(all).map((name) => [name, [] as number[]]))
  for (let round = 0; round <= rounds; round++) {
    for (const [name, one] of Object.entries(all)) {
      const value = await measure(one, name)
      if (round > 0) samples.get(name)?.push(value)
    }
  }
  return Object.fromEntries(samples)
}

const median = (samples: Samples, name: string): number => percentile(samples[name] ?? [], 0.5)
const ratio = (samples: Samples, one: string, of: string): string =>
  (median(samples, one) / median(samples, of)).toFixed(2)

function print(what: string, samples: Samples): void {
  console.log(`\n${what}: processor time, ms (n = ${Object.values(samples)[0]?.length ?? 0})`)
  for (const [name, values] of Object.entries(samples)) {
    const [least, middle] = [Math.min(...values), median(samples, name)].map((one) =>
      one.toFixed(0).padStart(7),
    )
    console.log(`${name.padEnd(20)} p50${middle}  least${least}`)
  }
}

const versionsOf = (mains: Readonly<Record<string, string>>): Record<string, readonly string[]> =>
  Object.fromEntries(Object.entries(mains).map(([name, main]) => [name, [main, '--version']]))

function commandCpuMs(args: readonly string[]): number {
  const counted = `for i in $(seq ${COMMANDS_AT_ONCE}); do "$@" > /dev/null || exit 1; done; times`
  const said = execFileSync('/bin/sh', ['-c', counted, 'sh', process.execPath, ...args], { encoding: 'utf8' })
  const seconds = [...(said.trim().split('\n').at(-1) ?? '').matchAll(/([0-9]+)m([0-9.]+)s/g)]
  const total = seconds.reduce((sum, [, minutes, rest]) => sum + Number(minutes) * 60 + Number(rest), 0)
  return (total * 1_000) / COMMANDS_AT_ONCE
}

async function withDaemon<T>(
  main: string,
  folder: string,
  settings: Record<string, string>,
  look: (pid: number) => Promise<T> | T,
): Promise<T> {
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, '.env'), '', { mode: 0o600 })
  const port = await freePort()
  const env = {
    ...process.env,
    ...AS_STARTED.env,
    PORT: String(port),
    DB_PATH: join(folder, 'data/proxy.db'),
    LOG_LEVEL: 'error',
  }
  const child = spawn(process.execPath, [...AS_STARTED.options, main, 'daemon'], {
    env: { ...env, ...settings },
    cwd: folder,
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  try {
    await untilHealthy(`http://127.0.0.1:${port}`, child)
    return await look(child.pid ?? 0)
  } finally {
    const gone = child.exitCode === null ? once(child, 'exit') : undefined
    child.kill('SIGTERM')
    await gone
  }
}

/** Of the process with all of its threads, until now. */
function cpuMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return ((Number(fields[11]) + Number(fields[12])) * 1_000) / TICKS_PER_SECOND
}

const startCpuMs = (main: string, folder: string): Promise<number> =>
  withDaemon(main, folder, { OAUTH3_SANDBOX: 'embedded' }, cpuMs)

/** In containers where an engine has the images, as it is used; else embedded. */
async function idleMib(main: string, folder: string, minutes: number): Promise<number> {
  await using telegram = await startBotApiDouble({ flood: UNHURRIED })
  telegram.addChat({ id: ANN.id, type: 'private' })
  const settings = {
    OAUTH3_SANDBOX: 'auto',
    TELEGRAM_BOT_TOKEN: telegram.token,
    TELEGRAM_CHAT_ID: String(ANN.id),
    TELEGRAM_API_ROOT: telegram.root,
  }
  return await withDaemon(main, folder, settings, async (pid) => {
    await pause(minutes * 60_000)
    return residentMib(pid)
  })
}
