/**
 * Hosted agents, beside what is done without us: a real OpenClaw that is awake again after a pause, after a start and from its files, those
 * beside `rclone`, and what agents that sleep take of the daemon's memory.
 */
import { Session } from 'node:inspector/promises'
import { createAuditLog } from '../src/audit/index.ts'
import { systemClock } from '../src/kernel/index.ts'
import { engineKits } from '../test/support/engines.ts'
import { createMachineDriverDouble } from '../test/support/machine-driver-double.ts'
import { MACHINE_STORES, machineQuota, openHost, sampleMachine } from '../test/support/machine-kit.ts'
import { benchHostingStreams } from './hosting-streams.ts'
import { answers, benchWake, openMachine } from './hosting-wake.ts'
import { benchPersistence } from './persistence.ts'
import { percentile, printComparison, printGoal, timed } from './support.ts'

const AGENTS = 1_000
const MIB = 1_048_576

export async function benchHosting(of: {
  readonly pauses: number
  readonly starts: number
  readonly rounds: number
  readonly scale: number
  readonly streams: Parameters<typeof benchHostingStreams>[0]
}): Promise<void> {
  await benchAsleep()
  await benchHostingStreams(of.streams)
  await benchPause(of)
  await benchPersistence(of)
  await benchWake(of)
}

async function benchPause({
  pauses,
  starts,
}: {
  readonly pauses: number
  readonly starts: number
}): Promise<void> {
  await using machine = await openMachine()
  const rise = async (): Promise<void> => {
    const from = machine.told.length
    await machine.start()
    await answers(machine, from)
  }
  await rise()
  const ours: number[] = []
  for (let at = 0; at < pauses; at += 1) {
    await machine.pause()
    ours.push(
      await timed(async () => {
        await machine.unpause()
        await machine.http('/')
      }),
    )
  }
  const baseline: number[] = []
  for (let at = 0; at < starts; at += 1) {
    await machine.stop(30)
    baseline.push(await timed(rise))
  }
  printComparison({
    name: 'OpenClaw’s first byte after a pause; baseline: docker start',
    ours,
    baseline,
    unit: 'ms',
  })
  const ratio = percentile(baseline, 0.5) / percentile(ours, 0.5)
  printGoal(`a wake from a pause is ${ratio.toFixed(0)} × as fast`, 'at least 40', ratio >= 40)
}

async function benchAsleep(): Promise<void> {
  await using database = await engineKits.sqlite.fresh({ stores: MACHINE_STORES })
  const { storage } = database
  const audit = createAuditLog({ storage, clock: systemClock, auditKey: Buffer.alloc(32, 1) })
  const { host, machines } = await openHost(
    { storage, audit, quota: machineQuota(AGENTS) },
    createMachineDriverDouble(),
    {},
  )
  await using _host = host
  const before = await heapBytes()
  await storage.transaction(async (tx) => {
    for (let at = 0; at < AGENTS; at += 1)
      await tx.machines.insert(sampleMachine({ name: `m${at}`, desired: 'asleep', observed: 'asleep' }))
  })
  const { host: second } = await openHost(
    { storage, audit, quota: machineQuota(AGENTS) },
    createMachineDriverDouble(),
    {},
  )
  await using _second = second
  // All of them were looked at.
  await second.sweep()
  const taken = (await heapBytes()) - before
  if ((await machines.list()).length !== AGENTS) throw new Error('not all of them are there')
  printGoal(
    `${AGENTS} agents asleep take ${(taken / MIB).toFixed(1)} MiB of the heap`,
    'at most 30',
    taken <= 30 * MIB,
  )
}

/** Behind a collection of garbage. */
async function heapBytes(): Promise<number> {
  const session = new Session()
  session.connect()
  await session.post('HeapProfiler.collectGarbage')
  session.disconnect()
  return process.memoryUsage().heapUsed
}
