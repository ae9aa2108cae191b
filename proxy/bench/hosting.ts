/**
 * Hosted agents, beside what is done without us: a real OpenClaw that is awake again after a pause and after a start, its files that are
 * there again beside `rclone`, and what agents that sleep take of the daemon's memory.
 */
import { Session } from 'node:inspector/promises'
import { createAuditLog } from '../src/audit/index.ts'
import { systemClock } from '../src/kernel/index.ts'
import { engineKits } from '../test/support/engines.ts'
import { createMachineDriverDouble } from '../test/support/machine-driver-double.ts'
import { MACHINE_STORES, machineQuota, openHost, sampleMachine } from '../test/support/machine-kit.ts'
import { createOpenclawMachine, type OpenclawMachine } from '../test/support/openclaw-machine.ts'
import { benchHostingStreams } from './hosting-streams.ts'
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
  const start = await benchPause(of)
  const files = await benchPersistence(of)
  const [restore, copy] = [files.restore, files.copy].map((all) => percentile(all, 0.5)) as [number, number]
  const [ours, baseline] = [restore + start, copy + start]
  const ms = (value: number): string => `${value.toFixed(0)} ms`
  console.log(`a wake from files: ${ms(ours)} = files ${ms(restore)} + container and OpenClaw ${ms(start)}`)
  console.log(`without us: ${ms(baseline)} = rclone copy ${ms(copy)} + container and OpenClaw ${ms(start)}`)
  // OpenClaw's own start is on both sides: no way of bringing files is faster than none.
  console.log(`the most, with files in no time at all: ${(baseline / start).toFixed(2)} ×`)
  const ratio = baseline / ours
  printGoal(`a wake from files is ${ratio.toFixed(2)} × as fast`, 'at least 3', ratio >= 3)
}

/** Resolves to what a start takes until it is ready, in milliseconds (p50). */
async function benchPause({
  pauses,
  starts,
}: {
  readonly pauses: number
  readonly starts: number
}): Promise<number> {
  const none = (socket: { destroy(): unknown }): void => void socket.destroy()
  await using machine = await createOpenclawMachine({ model: none, agent: none })
  const rise = async (): Promise<void> => {
    const from = machine.told.length
    await machine.start()
    await machine.until(({ state }) => state === 'waiting', from)
    machine.tell(CONFIGURATION)
    const { state } = await machine.until((told) => told.state === 'ready' || told.state === 'failed', from)
    if (state === 'failed') throw new Error('OpenClaw did not start: this machine is too busy')
  }
  await rise()
  const ours: number[] = []
  for (let at = 0; at < pauses; at += 1) {
    await machine.pause()
    ours.push(
      await timed(async () => {
        await machine.unpause()
        await answered(machine)
      }),
    )
  }
  const baseline: number[] = []
  for (let at = 0; at < starts; at += 1) {
    await machine.stop(30)
    baseline.push(
      await timed(async () => {
        await rise()
        await answered(machine)
      }),
    )
  }
  printComparison({
    name: 'OpenClaw’s first byte after a pause; baseline: docker start',
    ours,
    baseline,
    unit: 'ms',
  })
  const ratio = percentile(baseline, 0.5) / percentile(ours, 0.5)
  printGoal(`a wake from a pause is ${ratio.toFixed(0)} × as fast`, 'at least 40', ratio >= 40)
  return percentile(baseline, 0.5)
}

const CONFIGURATION = {
  do: 'configure',
  token: null,
  model: 'anthropic/claude-sonnet-5-5',
  providers: [
    { id: 'anthropic', path: '', api: 'anthropic-messages', models: [{ id: 'claude-sonnet-5-5' }] },
  ],
}

async function answered(machine: OpenclawMachine): Promise<void> {
  await machine.http('/')
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
