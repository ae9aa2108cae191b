import { expect, it } from 'vitest'
import type { Machine } from '../../src/hosting/machines/index.ts'
import { describeEngines } from '../support/engines.ts'
import { ACTS, type DriverAct, type DriverFault } from '../support/machine-driver-double.ts'
import { createHostKit, type HostKit, keyOf, MACHINE_IMAGE, machineSpec } from '../support/machine-kit.ts'
import { patience } from '../support/pace.ts'
import { owner } from '../support/principals.ts'
import { type Seeded, seeded } from '../support/seeded.ts'

/** `WALK_STEPS=10000 WALK_SEED=8 npx vitest run …` walks further, and elsewhere. */
const STEPS = {
  sqlite: Number(process.env.WALK_STEPS ?? 3_000),
  postgres: Number(process.env.WALK_POSTGRES_STEPS ?? 150),
}
const QUOTA = 6
const MIB = 1_048_576
const FAULTS: readonly DriverFault[] = ['refuse', 'lose_answer', 'hang', 'late', 'half']
/** What a call of the driver, a queue for one and the sweep that finds it may take after a deadline has passed. */
const GRACE_MS = 60_000

interface Walk {
  readonly kit: HostKit
  readonly random: Seeded
  readonly known: Machine[]
  readonly calls: Set<Disposable>
  readonly done: Record<string, number>
}

async function act({ kit, random, known, calls, done }: Walk): Promise<void> {
  const machine = known.length > 0 ? random.pick(known) : undefined
  const roll = random.below(100)
  const count = (name: string): void => {
    done[name] = (done[name] ?? 0) + 1
  }
  if (roll < 14 || machine === undefined) {
    const spec = machineSpec({
      memoryBytes: 100 * MIB,
      sleepAfterMs: random.pick([null, 10_000, 60_000, 600_000]),
    })
    const name = `m${random.below(12)}`
    const ordered = await kit.machines.create({ name, image: MACHINE_IMAGE, spec }, owner())
    count('machine' in ordered ? 'created' : ordered.denied)
    if ('machine' in ordered) known.push(ordered.machine)
  } else if (roll < 40) {
    count('access')
    const limit = new AbortController()
    void kit.machines.ensureAwake(machine.id, random.pick(['message', 'model_call']), limit.signal).then(
      (call) => calls.add(call),
      () => count('access refused'),
    )
    if (random.chance(0.1)) limit.abort()
  } else if (roll < 60) {
    const to = random.pick(['awake', 'paused', 'asleep', 'asleep', 'deleted'] as const)
    count(`ask ${to}`)
    await kit.machines.ask(machine.id, to, owner()).catch(() => {})
  } else if (roll < 75) {
    count('outside')
    kit.driver.outside(random.pick(['kill', 'remove', 'pause', 'unpause', 'start']), keyOf(machine))
  } else if (roll < 85) {
    for (const call of calls) if (random.chance(0.7) && calls.delete(call)) call[Symbol.dispose]()
  } else if (roll < 88) kit.driver.doLate()
  else if (roll < 89) {
    count('restart')
    calls.clear()
    await kit.restart()
  } else await kit.time.advance(random.pick([10, 1_000, 5_000, 30_000]))
}

/** Now and then a spell of trouble: one act that fails most of the time, or all that fail now and then. */
function trouble(random: Seeded): (act: DriverAct) => DriverFault {
  if (random.chance(0.3)) return () => 'none'
  const [chance, which] = random.chance(0.3) ? [0.9, random.pick(ACTS)] : [0.1, undefined]
  return (name) =>
    (which === undefined || which === name) && random.chance(chance) ? random.pick(FAULTS) : 'none'
}

async function check({ kit, known }: Walk): Promise<void> {
  expect(kit.driver.violations).toEqual([])
  const live = await kit.machines.list()
  expect(live.length).toBeLessThanOrEqual(QUOTA)
  const now = kit.time.clock.now()
  const late = (rows: readonly Machine[]) =>
    rows.filter(({ deadline }) => deadline !== null && now - deadline > GRACE_MS)
  // Time stands still meanwhile: what is only on its way to the database gets there.
  for (let look = 0; look < 200 && late(await kit.machines.list()).length > 0; look += 1)
    await kit.storage.transaction(async () => {})
  expect(late(await kit.machines.list())).toEqual([])
  const ids = new Set(live.map(({ id }) => id))
  known.splice(0, known.length, ...known.filter(({ id }) => ids.has(id)))
}

/** Once nothing fails any more and all that came late has come: everything is where it is wanted, and nothing else is there. */
async function calm(walk: Walk): Promise<void> {
  const { kit, calls } = walk
  kit.driver.faults = () => 'none'
  for (const call of calls) call[Symbol.dispose]()
  calls.clear()
  // The longest deadline: whatever hangs now has its end.
  await kit.time.advance(400_000)
  kit.driver.doLate()
  await kit.time.advance(10_000)
  for (const machine of await kit.machines.list())
    await kit.machines.ask(machine.id, 'awake', owner()).catch(() => {})
  // Who waits for memory may rise between the look at its row and the one at its driver: it is looked at again.
  const agrees = ({ id, observed }: Machine): boolean => {
    const phases = kit.driver.phasesOf(keyOf({ id }))
    if (observed === 'running' || observed === 'paused') return phases.length === 1 && phases[0] === observed
    return observed === 'asleep' && phases.every((phase) => phase === 'stopped' || phase === 'created')
  }
  await kit.until(async () => {
    const live = await kit.machines.list()
    // What hung may fail only now: the way out of it is to be asked for once more.
    for (const { id, observed, retryAt } of live)
      if (observed === 'failed' && retryAt === null) await kit.machines.ask(id, 'awake', owner())
    return live.every(agrees)
  })
  for (const { id } of await kit.machines.list()) await kit.machines.ask(id, 'deleted', owner())
  await kit.until(async () => (await kit.machines.list()).length === 0, 1_000)
  await kit.time.advance(10_000)
  expect(kit.driver.things).toBe(0)
  expect(kit.driver.violations).toEqual([])
}

describeEngines('a random walk of a host of machines', ({ engine }) => {
  it(
    'is never stuck past a deadline, never has two of one, never passes the quota, and comes to rest',
    async () => {
      const random = seeded(Number(process.env.WALK_SEED ?? 7))
      await using kit = await createHostKit({
        engine,
        quota: QUOTA,
        memoryBytes: 350 * MIB,
        asleepAfterMs: 120_000,
      })
      const walk: Walk = { kit, random, known: [], calls: new Set(), done: {} }
      for (let step = 1; step <= STEPS[engine]; step += 1) {
        await act(walk)
        if (step % 50 === 0) kit.driver.faults = trouble(random)
        if (step % 10 === 0) await check(walk)
        if (step % 2_500 === 0) await calm(walk)
      }
      await calm(walk)
      if (engine === 'postgres') return
      // It went everywhere.
      for (const name of [
        'created',
        'quota',
        'name_taken',
        'access',
        'access refused',
        'ask deleted',
        'restart',
      ])
        expect([name, (walk.done[name] ?? 0) > 10]).toEqual([name, true])
      const states = new Set(
        (await kit.database.storage.read((tx) => tx.audit.newest(20_000))).flatMap(({ event, data }) =>
          event === 'machine.changed' ? [`${JSON.parse(data).to}`] : [],
        ),
      )
      expect(states.size).toBe(11)
    },
    patience(300_000),
  )
})
