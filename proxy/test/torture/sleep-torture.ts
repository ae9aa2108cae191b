import { type FilesRef, withRetries } from '../../src/hosting/persistence/index.ts'
import { DEFAULT_TENANT } from '../../src/kernel/index.ts'
import { createMemoryStore, withFaults } from '../support/faulty-store.ts'
import { file, folder, treeOf, type Volume } from '../support/machine-volumes.ts'
import { createPersistenceKit } from '../support/persistence-kit.ts'
import { type Seeded, seeded } from '../support/seeded.ts'

export interface SleepTorture {
  readonly cycles: number
  /** Goes on past its cycles until so much was refused and killed, for at most twenty times as many: what happens at once comes in another order each time, and so do the faults. */
  readonly atLeast?: { readonly refusals: number; readonly kills: number }
  readonly seed: number
  /** How many of a hundred requests to the store fail. */
  readonly percent: number
  readonly log?: (line: string) => void
}

export interface SleepReport {
  readonly saves: number
  readonly refusals: number
  readonly kills: number
  /** Each is a broken promise; empty when all held. */
  readonly broken: readonly string[]
}

const SIZES = { min: 256, max: 4_096, bits: 9 }
const MACHINE = 'mch_torture'
const MAX_TRIES = 500

/**
 * A machine sleeps and wakes, over and over, with a store that fails, a disk that is full and a daemon that is killed: after each
 * wake its files are those with which it went to sleep, or those of the snapshot that was chosen, no one more and no one less.
 */
export async function tortureSleeps({
  cycles,
  atLeast = { refusals: 0, kills: 0 },
  seed,
  percent,
  log = () => {},
}: SleepTorture): Promise<SleepReport> {
  await using kit = await createPersistenceKit()
  const random = seeded(seed)
  const memory = createMemoryStore()
  const store = withFaults(memory, random)
  const retries = { attempts: 3, wait: async () => undefined }
  const open = () => kit.open({ objects: withRetries(store, retries), sizes: SIZES })
  log(`seed ${seed}`)
  let persistence = await open()
  const report = { saves: 0, refusals: 0, kills: 0, broken: [] as string[] }
  const never = new AbortController().signal
  let generation = 1
  const ref = (): FilesRef => ({ tenant: DEFAULT_TENANT, machine: MACHINE, generation })
  /** Of each snapshot that was kept. */
  const trees = new Map<number, Record<string, string>>()

  async function insist<T>(act: () => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries += 1) {
      store.killAfter = random.chance(0.2) ? random.below(12) : Number.POSITIVE_INFINITY
      kit.volumes.spaceBytes = random.chance(0.1) ? random.below(100_000) : Number.POSITIVE_INFINITY
      try {
        const done = await act()
        if (random.chance(0.5)) store.land()
        return done
      } catch (error) {
        report.refusals += 1
        if (tries === MAX_TRIES) throw error
        // What was given up may come through now, in the middle of what comes next, or much later.
        if (random.chance(0.5)) store.land()
        if (store.killAfter >= 0 && random.chance(0.7)) continue
        report.kills += 1
        persistence = await open()
      }
    }
  }

  kit.volumes.of(MACHINE).set('home', folder())
  await persistence.restore(ref(), never)
  store.percent = percent
  const isEnough = (cycle: number): boolean =>
    report.broken.length > 0 ||
    cycle > 20 * cycles ||
    (cycle > cycles && report.refusals >= atLeast.refusals && report.kills >= atLeast.kills)
  for (let cycle = 1; !isEnough(cycle); cycle += 1) {
    const volume = kit.volumes.of(MACHINE)
    for (let left = random.below(12); left > 0; left -= 1) change(volume, random)
    let expected = treeOf(volume)
    await insist(() => persistence.save(ref(), never))
    report.saves += 1
    const [newest] = await persistence.snapshots(ref())
    if (newest !== undefined) trees.set(newest.number, expected)
    kit.volumes.purge(MACHINE)
    if (random.chance(0.15)) {
      const chosen = random.pick(await persistence.snapshots(ref()))
      await persistence.rollBack(ref(), chosen.number)
      expected = trees.get(chosen.number) ?? {}
    }
    generation += 1
    const begun = async (): Promise<void> => {
      if (!(await persistence.isHalf(ref(), never)))
        report.broken.push(`cycle ${cycle}: a machine might be up with a half that does not say so`)
    }
    const isBeside = random.chance(0.5)
    await insist(async () => {
      if ((await persistence.restore(ref(), never, isBeside ? begun : undefined)) === 'ready') return
      kit.volumes.purge(MACHINE)
      throw new Error('unusable')
    })
    if (await persistence.isHalf(ref(), never)) report.broken.push(`cycle ${cycle}: a half was ready`)
    const actual = treeOf(kit.volumes.of(MACHINE))
    const names = new Set([...Object.keys(expected), ...Object.keys(actual)])
    for (const name of names)
      if (expected[name] !== actual[name])
        report.broken.push(
          `cycle ${cycle}: ${name} ${expected[name] === undefined ? 'rose' : 'was lost or changed'}`,
        )
    if (cycle % 100 === 0) log(`${cycle} cycles, ${report.refusals} refusals, ${report.kills} kills`)
  }

  // With a store that is well again nothing is left but what is kept.
  store.percent = 0
  store.killAfter = Number.POSITIVE_INFINITY
  store.land()
  await persistence.settled()
  persistence = await open()
  await persistence.save(ref(), never)
  await persistence.settled()
  const kept = await persistence.snapshots(ref())
  const manifests = [...memory.objects.keys()].filter((name) => name.endsWith('/manifest'))
  if (manifests.length !== kept.length) report.broken.push(`${manifests.length} manifests of ${kept.length}`)
  await persistence.forget(ref(), never)
  const left = [...memory.objects.keys()].filter((name) => !name.startsWith('probe/'))
  if (left.length > 0) report.broken.push(`${left.length} objects are left`)
  return report
}

/** What a machine does to its files between two sleeps. */
function change(volume: Volume, random: Seeded): void {
  const names = [...volume.keys()].filter((name) => name.startsWith('home/'))
  const folders = ['home', ...names.filter((name) => volume.get(name)?.kind === 'folder')]
  const part = random.pick(['a', 'b', 'ü', '日', ' ', '\\', '-n', '\xff', 'x'.repeat(120)]) + random.below(30)
  // Names are bytes, of which one need be no text.
  const fresh = `${random.pick(folders)}/${part.includes('\xff') ? part : Buffer.from(part).toString('latin1')}`
  const bytes = (): Buffer => {
    const unit = Buffer.from(`${random.below(1_000_000)} `)
    return Buffer.alloc(random.below(random.chance(0.1) ? 60_000 : 3_000), unit)
  }
  const name = names.length > 0 ? random.pick(names) : undefined
  const old = name === undefined ? undefined : volume.get(name)
  // As many come as go, in the long run.
  const act = names.length > 60 ? 0 : random.below(7)
  if (name !== undefined && act === 0) {
    for (const each of names) if (each === name || each.startsWith(`${name}/`)) volume.delete(each)
  } else if (name !== undefined && old?.kind === 'file' && act <= 2) {
    const at = random.below(old.content.length + 1)
    const content = Buffer.concat([
      old.content.subarray(0, at),
      bytes().subarray(0, 99),
      old.content.subarray(at),
    ])
    volume.set(name, { ...old, content, modifiedAt: old.modifiedAt + 1 })
  } else if (!volume.has(fresh)) {
    if (act === 3) volume.set(fresh, folder())
    else if (act === 4)
      volume.set(fresh, { ...folder(), kind: 'symlink', mode: 0o777, target: '/etc/passwd' })
    else volume.set(fresh, file(bytes(), random.pick([0o644, 0o600, 0o755, 0o4755])))
  }
}
