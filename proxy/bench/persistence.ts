/**
 * A machine of 200 MB that sleeps and wakes, through a real engine and a folder as the store, beside `rclone`, which copies files as they
 * are and does not seal them. What is sent when 1 % has changed, and how long it takes until all files are there again.
 */
import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { createEngineFiles, type MachineFiles, openObjectStore } from '../src/hosting/persistence/index.ts'
import { DEFAULT_TENANT } from '../src/kernel/index.ts'
import { createEngineClient } from '../src/sandbox/engine/index.ts'
import { DENO, imageTag } from '../src/sandbox/runtimes/index.ts'
import { createPersistenceKit, PLACE } from '../test/support/persistence-kit.ts'
import { changeWorkspace, makeWorkspace } from './persistence-workspace.ts'
import { capture, percentile, printComparison, printGoal, timed } from './support.ts'

const NEVER = new AbortController().signal
const QUOTA = { bytes: 4_000_000_000, files: 100_000 }
/** Takes files, and has none. */
const NOWHERE: MachineFiles = {
  read: async () => undefined,
  async write(_ref, archive) {
    for await (const _ of archive);
  },
}
const mb = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`

export async function benchPersistence({
  rounds,
  scale,
}: {
  readonly rounds: number
  readonly scale: number
}): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-persistence-'))
  const machine = await createBenchMachine()
  try {
    await using kit = await createPersistenceKit()
    const home = join(folder, 'home')
    mkdirSync(home)
    makeWorkspace(home, scale)
    const objects = openObjectStore({ url: join(folder, 'objects') })
    await using persistence = await kit.open({ objects, files: machine.files, quota: QUOTA })
    const ref = { tenant: DEFAULT_TENANT, machine: 'bench', generation: 1 }

    await machine.anew()
    await persistence.restore(ref, NEVER)
    await machine.put(folder)
    const first = await timed(() => persistence.save(ref, NEVER))
    const copied = await timed(() => rclone('sync', home, join(folder, 'rclone')))
    const [snapshot] = await persistence.snapshots(ref)
    console.log(
      `${snapshot?.files} files, ${mb(snapshot?.bytes ?? 0)}, kept as ${mb(snapshot?.sentBytes ?? 0)}`,
    )
    console.log(`the first sleep ${(first / 1e3).toFixed(1)} s, rclone sync ${(copied / 1e3).toFixed(1)} s`)

    changeWorkspace(home, scale)
    await machine.put(folder)
    const second = await timed(() => persistence.save(ref, NEVER))
    const [changed] = await persistence.snapshots(ref)
    const sent = changed?.sentBytes ?? Number.NaN
    const before = performance.now()
    const synced = await rclone('sync', home, join(folder, 'rclone'))
    const syncMs = performance.now() - before
    console.log(
      `after a change of 1 %: ${mb(sent)} in ${(second / 1e3).toFixed(1)} s, rclone sync ${mb(synced)} in ${(syncMs / 1e3).toFixed(1)} s`,
    )
    printGoal(
      `rclone sync sends ${(synced / sent).toFixed(1)} times as much`,
      'at least 5',
      synced / sent >= 5,
    )

    const ours: number[] = []
    const baseline: number[] = []
    for (let round = 0; round < rounds; round += 1) {
      await machine.anew()
      ours.push(await timed(() => persistence.restore({ ...ref, generation: round + 2 }, NEVER)))
      rmSync(join(folder, 'copy'), { recursive: true, force: true })
      baseline.push(await timed(() => rclone('copy', join(folder, 'rclone'), join(folder, 'copy'))))
    }
    printComparison({ name: 'all files there again; baseline: rclone copy', ours, baseline, unit: 'ms' })
    await using alone = await kit.open({ objects, files: NOWHERE, quota: QUOTA })
    const ownMs = await timed(() => alone.restore({ ...ref, generation: rounds + 2 }, NEVER))
    console.log(`without the engine, which unpacks them: ${ownMs.toFixed(0)} ms`)
    const ratio = percentile(baseline, 0.5) / percentile(ours, 0.5)
    console.log(
      `a wake has its files at ${((changed?.bytes ?? 0) / 1e3 / percentile(ours, 0.5)).toFixed(0)} MB/s, rclone × ${ratio.toFixed(2)}`,
    )
    const peak = process.resourceUsage().maxRSS / 1_024
    console.log(`memory of this process at most ${peak.toFixed(0)} MiB`)
  } finally {
    await machine.remove()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Resolves to the bytes that were sent. */
async function rclone(act: 'sync' | 'copy', from: string, to: string): Promise<number> {
  const script = 'exec rclone "$@" --config /dev/null --use-json-log --log-level INFO --stats 1h 2>&1'
  const log = await capture('sh', ['-c', script, 'sh', act, from, to])
  const all = [...log.matchAll(/"bytes":(\d+)/g)].map(([, bytes]) => Number(bytes))
  return Math.max(0, ...all)
}

async function createBenchMachine() {
  const engine = createEngineClient()
  const name = `oauth3-bench-persistence-${process.pid}`
  const remove = async (): Promise<void> => {
    await engine
      .getContainer(name)
      .remove({ force: true })
      .catch(() => {})
    await engine
      .getVolume(name)
      .remove()
      .catch(() => {})
  }
  return {
    remove,
    files: createEngineFiles({ docker: engine, containerOf: () => name, mount: PLACE.mount }),
    async anew(): Promise<void> {
      await remove()
      const volume = { NoCopy: true, Labels: {}, DriverConfig: { Name: 'local', Options: {} } }
      await engine.createContainer({
        name,
        Image: imageTag(DENO),
        HostConfig: {
          ReadonlyRootfs: true,
          Mounts: [{ Type: 'volume', Source: name, Target: PLACE.mount, VolumeOptions: volume }],
        },
      })
    },
    async put(folder: string): Promise<void> {
      const owner = [`--owner=${PLACE.owner}`, `--group=${PLACE.owner}`]
      const tar = spawn('tar', ['-c', '-C', folder, ...owner, 'home'], {
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      await engine.getContainer(name).putArchive(tar.stdout as Readable, { path: PLACE.mount })
    },
  }
}
