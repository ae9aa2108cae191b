import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** What benchmarks share: a real daemon in a process of its own, percentiles, and a table. */
export const repositoryRoot = join(fileURLToPath(import.meta.url), '../../..')
/** As `npm start` has it. */
export const AS_STARTED = {
  options: [
    '--max-semi-space-size=16',
    '--initial-old-space-size=64',
    '--heap-growing-percent=30',
    '--no-allocation-site-pretenuring',
    '--no-parallel-scavenge',
    '--bytecode-old-age=2',
    '--expose-gc',
  ],
  env: { MALLOC_ARENA_MAX: '2', MALLOC_TRIM_THRESHOLD_: '131072' },
}

export interface BenchDaemon extends AsyncDisposable {
  readonly url: string
  readonly token: string
  readonly pid: number
  readonly folder: string
  /** From spawn to the first 200 of /health. */
  readonly startupMs: number
  cli(args: readonly string[], input?: string): Promise<string>
  /** Ends it, and leaves its folder. */
  stop(): Promise<void>
}

export async function startBenchDaemon(
  environment: Record<string, string> = {},
  folder: string = mkdtempSync(join(tmpdir(), 'oauth3-bench-')),
  /** Options of Node's own, such as `--cpu-prof`. */
  execArgv: readonly string[] = [],
  /** Of another checkout, to compare with. */
  root: string = repositoryRoot,
): Promise<BenchDaemon> {
  mkdirSync(folder, { recursive: true })
  const launcher = join(root, 'proxy/src/main.ts')
  const port = await freePort()
  const env = {
    ...process.env,
    ...AS_STARTED.env,
    PORT: String(port),
    DB_PATH: join(folder, 'proxy.db'),
    LOG_LEVEL: 'warn',
    OAUTH3_RATE_LIMIT: '1000000',
    ...environment,
  }
  const began = performance.now()
  const child = spawn(process.execPath, [...AS_STARTED.options, ...execArgv, launcher, 'daemon'], {
    env,
    cwd: folder,
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  const url = `http://127.0.0.1:${port}`
  await untilHealthy(url, child)
  const startupMs = performance.now() - began
  const cli = (args: readonly string[], input = ''): Promise<string> =>
    capture(process.execPath, [launcher, ...args], { env, cwd: folder, input })
  const known = process.env.OAUTH3_TOKEN
  const token =
    known ?? (JSON.parse(await cli(['agent', 'add', `bench-${port}`, '--json'])) as { token: string }).token
  const stop = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const gone = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGTERM')
    await gone
  }
  return {
    url,
    token,
    pid: child.pid ?? 0,
    folder,
    startupMs,
    cli,
    stop,
    async [Symbol.asyncDispose]() {
      await stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

export async function untilHealthy(url: string, child: ChildProcess): Promise<void> {
  for (;;) {
    if (child.exitCode !== null) throw new Error(`the daemon ended with code ${child.exitCode}`)
    const healthy = await fetch(`${url}/health`).then(
      (response) => response.ok,
      () => false,
    )
    if (healthy) return
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

export async function freePort(): Promise<number> {
  const { createServer } = await import('node:net')
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (typeof address !== 'object' || !address) throw new Error('no free port')
  return address.port
}

/** Runs a program to its end; rejects with its standard error unless it exits with 0. */
export function capture(
  command: string,
  args: readonly string[],
  options: { env?: NodeJS.ProcessEnv; cwd?: string; input?: string } = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      env: options.env ?? process.env,
      cwd: options.cwd,
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    let stdout = ''
    let stderr = ''
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
    child.once('error', reject)
    child.once('close', (code) =>
      code === 0
        ? resolve(stdout)
        : reject(new Error(`${command} ${args.join(' ')} exited with ${code}: ${stderr}`)),
    )
    // A program that reads no input may have ended before it is written.
    child.stdin.on('error', () => {})
    child.stdin.end(options.input ?? '')
  })
}

export async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now()
  await work()
  return performance.now() - began
}

/** The value below which `share` of the samples lie (nearest rank). */
export function percentile(samples: readonly number[], share: number): number {
  const ordered = [...samples].sort((a, b) => a - b)
  return ordered[Math.min(ordered.length - 1, Math.ceil(share * ordered.length) - 1)] ?? Number.NaN
}

export interface Comparison {
  readonly name: string
  readonly ours: readonly number[]
  readonly baseline: readonly number[]
  readonly unit: string
}

/** p50, p95 and p99 of both, and baseline ÷ ours: how many times faster ours is. */
export function printComparison({ name, ours, baseline, unit }: Comparison): void {
  const figures = (samples: readonly number[]): string =>
    [0.5, 0.95, 0.99].map((share) => percentile(samples, share).toFixed(1).padStart(9)).join('')
  const ratios = [0.5, 0.95, 0.99].map((share) =>
    `${(percentile(baseline, share) / percentile(ours, share)).toFixed(2)}×`.padStart(9),
  )
  console.log(`\n${name} (${unit}; n = ${ours.length} and ${baseline.length})`)
  console.log(`${''.padEnd(12)}${['p50', 'p95', 'p99'].map((label) => label.padStart(9)).join('')}`)
  console.log(`${'baseline'.padEnd(12)}${figures(baseline)}`)
  console.log(`${'oauth3'.padEnd(12)}${figures(ours)}`)
  console.log(`${'ratio'.padEnd(12)}${ratios.join('')}`)
}

export function printGoal(figure: string, wanted: string, reached: boolean): void {
  console.log(`${figure} (goal: ${wanted})${reached ? '' : ', MISSED'}`)
}

/** A figure of ours as a part of the same figure of a baseline in the same run. */
export const printRatio = (what: string, ratio: number, most: number): void =>
  printGoal(`${what}: ${ratio.toFixed(2)}`, `at most ${most}`, ratio <= most)

/** Resident memory of a process, in MiB. */
export function residentMib(pid: number): number {
  const kib = /VmRSS:\s+([0-9]+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  return Number(kib) / 1_024
}

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
