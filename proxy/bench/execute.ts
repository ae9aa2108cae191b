import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { VERSION } from '../src/version.ts'
import { benchCall } from './execute-call.ts'
import { benchPool } from './execute-pool.ts'
import {
  type BenchDaemon,
  capture,
  pause,
  percentile,
  printComparison,
  printGoal,
  startBenchDaemon,
  timed,
} from './support.ts'
import { trustedRun } from './trusted-run.ts'

/**
 * A trusted POST /execute to its result, beside the one-shot `docker run --rm … deno run` of a script file, in
 * the same run and with the same image. Rounds are interleaved, so that a drift of the machine meets both.
 */
const CODE = `console.log('token of', Deno.env.get('BENCH_SECRET')?.length, 'characters')\n`
const SECRET = 'bench-value-not-a-real-one'
/** How many times faster than `docker run` a warm run is to be. */
const WANTED_FASTER = 30
const IMAGE = `oauth3-sandbox-deno:${VERSION}`

export async function benchExecute(rounds: {
  readonly paced: number
  readonly cold: number
  readonly unpaced: number
  /** Of runs with and without a call through the gateway. */
  readonly calls: number
  readonly pools: number
}): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'oauth3-baseline-'))
  try {
    const script = join(folder, 'script.js')
    writeFileSync(script, CODE)
    const baseline = (): Promise<unknown> =>
      capture('docker', [
        'run',
        '--rm',
        '--env',
        `BENCH_SECRET=${SECRET}`,
        '--network',
        'none',
        '--volume',
        `${script}:/app/script.js:ro`,
        '--entrypoint',
        '/bin/deno',
        IMAGE,
        'run',
        '--allow-env',
        '/app/script.js',
      ])
    await baseline()
    await warmPool(baseline, rounds.paced)
    await emptyPool(baseline, rounds.cold)
    await unpaced(baseline, rounds.unpaced)
    await benchCall(rounds.calls)
    await benchPool(rounds.pools)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function trustedDaemon(
  environment: Record<string, string>,
): Promise<{ daemon: BenchDaemon; run: () => Promise<unknown> }> {
  const daemon = await startBenchDaemon({ OAUTH3_SANDBOX: 'docker', ...environment })
  await daemon.cli(['secret', 'add', 'BENCH_SECRET'], SECRET)
  const body = { skill_id: 'bench', code: CODE, secrets: [{ name: 'BENCH_SECRET', mode: 'raw' }] }
  const run = await trustedRun(daemon, body, (stdout) => stdout.includes(String(SECRET.length)))
  await pause(2_000)
  return { daemon, run }
}

async function warmPool(baseline: () => Promise<unknown>, rounds: number): Promise<void> {
  const { daemon, run } = await trustedDaemon({ OAUTH3_POOL_SIZE: '2' })
  await using _owned = daemon
  const ours: number[] = []
  const theirs: number[] = []
  for (let round = 0; round < rounds; round++) {
    theirs.push(await timed(baseline))
    await pause(1_200)
    ours.push(await timed(run))
    await pause(300)
  }
  printComparison({ name: 'trusted run, warm pool, paced', ours, baseline: theirs, unit: 'ms' })
  const faster = percentile(theirs, 0.5) / percentile(ours, 0.5)
  printGoal(
    `docker run ÷ trusted run, p50: ${faster.toFixed(1)}×`,
    `≥ ${WANTED_FASTER}×`,
    faster >= WANTED_FASTER,
  )
}

async function emptyPool(baseline: () => Promise<unknown>, rounds: number): Promise<void> {
  const { daemon, run } = await trustedDaemon({ OAUTH3_POOL_SIZE: '0' })
  await using _owned = daemon
  const ours: number[] = []
  const theirs: number[] = []
  for (let round = 0; round < rounds; round++) {
    theirs.push(await timed(baseline))
    await pause(400)
    ours.push(await timed(run))
    await pause(400)
  }
  printComparison({ name: 'trusted run, pool empty', ours, baseline: theirs, unit: 'ms' })
}

async function unpaced(baseline: () => Promise<unknown>, runs: number): Promise<void> {
  const { daemon, run } = await trustedDaemon({ OAUTH3_POOL_SIZE: '2', OAUTH3_MAX_RUNS: '8' })
  await using _owned = daemon
  console.log('\ntrusted runs, unpaced (runs per second)')
  for (const concurrency of [1, 2, 8]) {
    const ours: number[] = []
    const theirs: number[] = []
    for (let round = 0; round < 3; round++) {
      theirs.push(await throughput(baseline, concurrency, runs))
      await pause(2_000)
      ours.push(await throughput(run, concurrency, runs))
      await pause(2_000)
    }
    const middle = (values: number[]): number => values.sort((a, b) => a - b)[1] ?? Number.NaN
    console.log(
      `concurrency ${concurrency}: baseline ${middle(theirs).toFixed(2)}, oauth3 ${middle(ours).toFixed(2)}, ratio ${(middle(ours) / middle(theirs)).toFixed(2)}×`,
    )
  }
}

/** Runs per second of `total` runs by `concurrency` callers, each calling again as soon as it has its answer. */
async function throughput(work: () => Promise<unknown>, concurrency: number, total: number): Promise<number> {
  let left = total
  const took = await timed(() =>
    Promise.all(
      Array.from({ length: concurrency }, async () => {
        while (left-- > 0) await work()
      }),
    ),
  )
  return total / (took / 1_000)
}
