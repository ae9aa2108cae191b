import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { baselineCheckout } from './baseline.ts'
import { capture, pause, percentile, printRatio, repositoryRoot, startBenchDaemon } from './support.ts'

/**
 * Processor time for a container that is made for the pool, of the daemon, the engine and what runs in it together, beside the
 * baseline's daemon with the same image: what a daemon with a pool takes in its first seconds beyond one without. It is the time of
 * the whole machine, so nothing else may run.
 */
const POOL_SIZE = 8
/** From the daemon's start until all of them wait for code, with room. */
const WINDOW_MS = 12_000
const OF_BASELINE = 0.8
/** The clock of /proc/stat ticks so often (proc(5)). */
const TICKS_PER_SECOND = 100

export async function benchPool(rounds: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'oauth3-bench-pool-'))
  try {
    const roots = { oauth3: repositoryRoot, baseline: baselineCheckout(folder) }
    const each = { oauth3: [] as number[], baseline: [] as number[] }
    const names = ['oauth3', 'baseline'] as const
    for (let round = 0; round < rounds; round++) {
      for (const name of round % 2 === 0 ? names : [...names].reverse()) {
        const data = join(folder, `${name} ${round}`)
        const without = await startMs(roots[name], join(data, 'without'), 0)
        const within = await startMs(roots[name], join(data, 'with'), POOL_SIZE)
        each[name].push((within - without) / POOL_SIZE)
      }
    }
    console.log(`\ncontainers made for the pool: processor time of the machine for each, ms (n = ${rounds})`)
    for (const name of names) {
      const middle = percentile(each[name], 0.5).toFixed(0)
      console.log(`${name.padEnd(12)}p50 ${middle.padStart(5)}  least ${Math.min(...each[name]).toFixed(0)}`)
    }
    const ratio = percentile(each.oauth3, 0.5) / percentile(each.baseline, 0.5)
    printRatio("a container for the pool ÷ the baseline's", ratio, OF_BASELINE)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Of all processors, from before the start of a daemon to the end of its first seconds. Throws when its pool is not full by then. */
async function startMs(root: string, folder: string, poolSize: number): Promise<number> {
  const running = await containers()
  const before = busyMs()
  const windowEnd = performance.now() + WINDOW_MS
  const settings = { OAUTH3_SANDBOX: 'docker', OAUTH3_POOL_SIZE: String(poolSize) }
  await using _daemon = await startBenchDaemon(settings, folder, [], root)
  await pause(windowEnd - performance.now())
  const took = busyMs() - before
  const made = (await containers()).filter((id) => !running.includes(id)).length
  if (made < poolSize) throw new Error(`${made} containers of ${poolSize} were made in ${WINDOW_MS} ms`)
  return took
}

const containers = async (): Promise<string[]> =>
  (await capture('docker', ['ps', '--quiet'])).split('\n').filter((id) => id !== '')

/** user, nice and system of the first line. */
function busyMs(): number {
  const [, user = 0, nice = 0, system = 0] = (readFileSync('/proc/stat', 'utf8').split('\n')[0] ?? '')
    .split(/\s+/)
    .map(Number)
  return ((user + nice + system) * 1_000) / TICKS_PER_SECOND
}
