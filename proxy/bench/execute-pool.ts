import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Docker from 'dockerode'
import { VERSION } from '../src/version.ts'
import { baselineCheckout } from './baseline.ts'
import { capture, pause, percentile, printRatio, repositoryRoot, startBenchDaemon } from './support.ts'

/**
 * Processor time of a container that is made for the pool, until it waits for code: as the engine counts it, beside the baseline's
 * daemon with an image of its own. What the engine itself takes is the same for both, and not in it.
 */
const POOL_SIZE = 8
/** From the daemon's start until all of them wait for code, with room. */
const WINDOW_MS = 12_000
const OF_BASELINE = 0.8
const BASELINE_VERSION = `${VERSION}-baseline`
const BASELINE_IMAGE = `oauth3-sandbox-deno:${BASELINE_VERSION}`

const docker = new Docker()

export async function benchPool(rounds: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'oauth3-bench-pool-'))
  try {
    const roots = { oauth3: repositoryRoot, baseline: await baselineWithImage(folder) }
    const names = ['oauth3', 'baseline'] as const
    const each = { oauth3: [] as number[], baseline: [] as number[] }
    for (let round = 0; round < rounds; round++) {
      for (const name of round % 2 === 0 ? names : [...names].reverse())
        each[name].push(percentile(await poolCpuMs(roots[name], join(folder, `${name} ${round}`)), 0.5))
    }
    console.log(
      `\ncontainers made for the pool: processor time of each, ms (n = ${rounds} pools of ${POOL_SIZE})`,
    )
    for (const name of names) {
      const [middle, least] = [percentile(each[name], 0.5), Math.min(...each[name])]
      console.log(
        `${name.padEnd(12)}p50${middle.toFixed(1).padStart(8)}  least${least.toFixed(1).padStart(8)}`,
      )
    }
    const ratio = percentile(each.oauth3, 0.5) / percentile(each.baseline, 0.5)
    printRatio("a container for the pool ÷ the baseline's", ratio, OF_BASELINE)
  } finally {
    await docker
      .getImage(BASELINE_IMAGE)
      .remove({ force: true })
      .catch(() => {})
    rmSync(folder, { recursive: true, force: true })
  }
}

/** A daemon takes the image of its own version. */
async function baselineWithImage(folder: string): Promise<string> {
  const root = baselineCheckout(folder)
  const path = join(root, 'proxy/package.json')
  const manifest = JSON.parse(readFileSync(path, 'utf8')) as object
  writeFileSync(path, JSON.stringify({ ...manifest, version: BASELINE_VERSION }))
  await capture(process.execPath, ['proxy/scripts/build-images.ts', '--only', 'deno'], { cwd: root })
  return root
}

/** Of each container of a new daemon's pool. Throws when they are not all there in time. */
async function poolCpuMs(root: string, folder: string): Promise<readonly number[]> {
  const before = new Set(await running())
  const windowEnd = performance.now() + WINDOW_MS
  const settings = { OAUTH3_SANDBOX: 'docker', OAUTH3_POOL_SIZE: String(POOL_SIZE) }
  await using _daemon = await startBenchDaemon(settings, folder, [], root)
  await pause(Math.max(0, windowEnd - performance.now()))
  const made = (await running()).filter((id) => !before.has(id))
  if (made.length < POOL_SIZE) throw new Error(`${made.length} containers of ${POOL_SIZE} were made in time`)
  return await Promise.all(made.map(cpuMsOf))
}

const running = async (): Promise<string[]> => (await docker.listContainers()).map(({ Id }) => Id)

async function cpuMsOf(id: string): Promise<number> {
  const { cpu_stats } = await docker.getContainer(id).stats({ stream: false, 'one-shot': true })
  return cpu_stats.cpu_usage.total_usage / 1e6
}
