/**
 * One step of the reconciler for one machine: what the row says, what the driver shows, and what of it follows. A row enters the
 * state that an act belongs to before the act, so that whoever comes after a crash knows what may have been begun, and repeats it.
 */
import { AppError, type Clock } from '../../kernel/index.ts'
import { type LiveMachine, refOf, tryClose } from './live-machine.ts'
import type { MachineRef, MachineState } from './machine.ts'
import { isUp, type MachineDriver, type MachinePersistence, type Phase } from './machine-driver.ts'
import type { Change } from './machine-ledger.ts'
import type { MemoryGate } from './memory-gate.ts'
import { type Cause, TRANSIENT } from './transitions.ts'

export interface StepTools {
  readonly driver: MachineDriver
  readonly clock: Clock
  readonly gate: MemoryGate
  readonly persistence: MachinePersistence | null
  /** Whether it answers; an open port alone says nothing. */
  readonly isReady: (ref: MachineRef, signal: AbortSignal) => Promise<boolean>
  readonly stopGraceMs: number
  /** Until the act is answered, its time is up, or the machine's deadline has passed. */
  call<T>(live: LiveMachine, act: (signal: AbortSignal) => Promise<T>, limitMs?: number): Promise<T>
  /** Looks at it again at that time. */
  planAt(live: LiveMachine, at: number): void
  /** How long until what failed so often is tried again, in milliseconds. */
  pauseAfter(failures: number): number
}

/** Moved: there may be more to do at once. */
type Step = Promise<'moved' | 'rest'>
type StepOf = (live: LiveMachine, tools: StepTools) => Step

/** A machine that ends by itself so often, each time soon after its start, fails. */
const MAX_CRASHES = 5
/** Whoever ran for so long starts over. */
const STABLE_MS = 60_000
/** What the driver may take beyond the time that the machine has. */
const STOP_SLACK_MS = 25_000
const RETRY_DELETE_MS = 30_000
const READY_MS = 3_600_000
/** What saving or restoring files may take, and what of the state comes before and after. */
const COPY_MS = 600_000
const COPY_SLACK_MS = 60_000

const wantsAwake = ({ row }: LiveMachine): boolean => row.desired === 'awake'

async function move(live: LiveMachine, to: MachineState, cause: Cause, change?: Change): Step {
  await live.ledger.move(live.row.id, to, cause, change)
  return 'moved'
}

const observe = (live: LiveMachine, { driver, call }: StepTools): Promise<Phase> =>
  call(live, (signal) => driver.observe(refOf(live), signal))

const hasMemory = (live: LiveMachine, { gate }: StepTools): boolean =>
  gate.take(live.row.id, live.key.tenant, live.row.spec.memoryBytes)

const recreate = (live: LiveMachine): Step =>
  move(live, 'creating', 'drift', { generation: live.row.generation + 1 })

/** Files take minutes: the state's time begins anew with them, and they have a time of their own. */
async function copy<T>(
  live: LiveMachine,
  { call, clock }: StepTools,
  act: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  await live.ledger.note(live.row.id, { deadline: clock.now() + COPY_MS + COPY_SLACK_MS })
  return call(live, act, COPY_MS)
}

/**
 * False: half of something else is there. One that waits for its configuration, which it gets in no state before `starting`, comes up beside its
 * files; where it does not it is started in its turn.
 */
async function bringFiles(live: LiveMachine, tools: StepTools, store: MachinePersistence): Promise<boolean> {
  const { driver } = tools
  const ref = refOf(live)
  const restored = await copy(live, tools, (signal) =>
    store.restore(ref, signal, async () => {
      if (!wantsAwake(live) || !(await driver.waits?.(ref, signal)) || !hasMemory(live, tools)) return
      await driver.start(ref, signal).catch(() => {})
    }),
  )
  return restored === 'ready'
}

const creating: StepOf = async (live, tools) => {
  const { driver, clock, call, persistence } = tools
  const { row, key } = live
  if (row.generation === 0) {
    // Its time began when it was ordered, and begins again when its turn has come.
    await live.ledger.note(row.id, { generation: 1, deadline: clock.now() + (TRANSIENT.creating ?? 0) })
    return 'moved'
  }
  const held = await call(live, (signal) => driver.list(signal, key))
  for (const { generation } of held) {
    if (generation === null || generation === row.generation) continue
    // Two of one would share their files: the old is gone before there is a new one.
    await call(live, (signal) => driver.remove({ ...key, generation }, signal))
  }
  const create = (): Promise<Phase> =>
    call(live, (signal) => driver.create(refOf(live), { image: row.image, spec: row.spec }, signal))
  const phase = await create()
  if (phase === 'absent') throw new Error('what was created is not there')
  // Whatever its phase: a daemon may have ended when it was up and its files were half.
  if (persistence !== null && !(await bringFiles(live, tools, persistence))) {
    await call(live, (signal) => driver.purge(key, signal))
    await create()
    if (!(await bringFiles(live, tools, persistence))) throw new Error('its files cannot be restored')
  }
  return wantsAwake(live) && hasMemory(live, tools)
    ? move(live, 'starting', 'done')
    : move(live, 'asleep', 'done')
}

/** On its way to `running`, the first time or again. */
const rising: StepOf = async (live, tools) => {
  const { driver, call, isReady, persistence } = tools
  if (live.row.desired === 'asleep') return move(live, 'stopping', 'asked')
  const ref = refOf(live)
  let phase = await observe(live, tools)
  if (phase === 'absent') return recreate(live)
  // One whose creation was given up may lack its files.
  if (persistence !== null && live.row.observed === 'waking' && phase !== 'paused')
    if (phase === 'created' || (await call(live, (signal) => persistence.isHalf(ref, signal))))
      return recreate(live)
  if (phase === 'paused') phase = await call(live, (signal) => driver.unpause(ref, signal))
  if (phase === 'created' || phase === 'stopped' || phase === 'changing')
    phase = await call(live, (signal) => driver.start(ref, signal))
  if (phase !== 'running') throw new Error(`it was started, and is ${phase}`)
  // As long as the state lasts: what is inside may take a minute and more to come up.
  if (!(await call(live, (signal) => isReady(ref, signal), READY_MS)))
    throw new Error('it does not answer yet')
  return move(live, 'running', 'done', { lastError: null })
}

/** It ended by itself. */
function crashed(live: LiveMachine, { clock, pauseAfter }: StepTools): Step {
  const { failures, changedAt } = live.row
  const count = clock.now() - changedAt > STABLE_MS ? 1 : failures + 1
  const change = { failures: count, lastError: 'it ended by itself' }
  if (count > MAX_CRASHES) return move(live, 'failed', 'fault', change)
  live.notBefore = clock.now() + pauseAfter(count)
  return move(live, 'starting', 'drift', change)
}

const running: StepOf = async (live, tools) => {
  const phase = await observe(live, tools)
  if (phase === 'absent') return wantsAwake(live) ? recreate(live) : move(live, 'asleep', 'drift')
  if (!isUp(phase)) return wantsAwake(live) ? crashed(live, tools) : move(live, 'asleep', 'drift')
  if (wantsAwake(live)) return phase === 'running' ? 'rest' : move(live, 'waking', 'drift')
  // The last call that ends looks again.
  if (!tryClose(live)) return 'rest'
  const { pauses } = tools.driver.capabilities
  return move(live, live.row.desired === 'paused' && pauses ? 'pausing' : 'stopping', 'asked')
}

const pausing: StepOf = async (live, tools) => {
  const phase = await observe(live, tools)
  if (!isUp(phase)) return move(live, 'asleep', 'drift')
  if (wantsAwake(live)) return move(live, phase === 'running' ? 'running' : 'waking', 'asked')
  const after = await tools.call(live, (signal) => tools.driver.pause(refOf(live), signal))
  if (after === 'running' || after === 'changing') throw new Error(`it was paused, and is ${after}`)
  return after === 'paused' ? move(live, 'paused', 'done') : move(live, 'asleep', 'drift')
}

const paused: StepOf = async (live, tools) => {
  if (wantsAwake(live)) return move(live, 'waking', 'asked')
  if (live.row.desired === 'asleep') return move(live, 'stopping', 'asked')
  const phase = await observe(live, tools)
  if (phase === 'paused') return 'rest'
  return move(live, phase === 'running' ? 'running' : 'asleep', 'drift')
}

const stopping: StepOf = async (live, tools) => {
  const { driver, call, persistence, stopGraceMs, gate } = tools
  let phase = await observe(live, tools)
  if (isUp(phase))
    phase = await call(
      live,
      (signal) => driver.stop(refOf(live), stopGraceMs, signal),
      stopGraceMs + STOP_SLACK_MS,
    )
  if (isUp(phase)) throw new Error(`it was stopped, and is ${phase}`)
  let change: Change = {}
  const hasFiles = phase === 'stopped' || (phase === 'created' && live.keeping)
  if (persistence !== null && hasFiles) {
    try {
      await copy(live, tools, (signal) => persistence.save(refOf(live), signal))
      await call(live, (signal) => driver.purge(live.key, signal))
    } catch (error) {
      const isTooLarge = error instanceof AppError && error.code === 'too_large'
      // Whoever comes is not to wait for a store that is down.
      if (!isTooLarge && !wantsAwake(live)) throw error
      // It keeps what it has with its driver.
      change = { lastError: error instanceof Error ? error.message : 'its files could not be kept' }
    }
  }
  if (!wantsAwake(live)) gate.drop(live.row.id)
  return move(live, 'asleep', 'done', change)
}

const asleep: StepOf = async (live, tools) => {
  const { row } = live
  const { gate } = tools
  if (wantsAwake(live)) return hasMemory(live, tools) ? move(live, 'waking', 'asked') : 'rest'
  if (isUp(await observe(live, tools))) {
    gate.force(row.id, row.spec.memoryBytes)
    return move(live, 'stopping', 'drift')
  }
  gate.drop(row.id)
  return 'rest'
}

const failed: StepOf = async (live, tools) => {
  const { driver, clock, call, gate, planAt } = tools
  const { row } = live
  const isRetried = wantsAwake(live) && row.retryAt !== null
  const isDue = isRetried && clock.now() >= (row.retryAt ?? 0)
  if (isRetried && !isDue) planAt(live, row.retryAt ?? 0)
  // Before it is woken anew, too: one that is up with half of its files would begin with them.
  let phase = await observe(live, tools)
  if (isUp(phase)) phase = await call(live, (signal) => driver.stop(refOf(live), 0, signal))
  if (isUp(phase)) throw new Error(`it failed, was ended, and is ${phase}`)
  // Who waits for memory waits asleep, in its place of the queue: the failure is over.
  if (isDue) return hasMemory(live, tools) ? move(live, 'waking', 'asked') : move(live, 'asleep', 'done')
  gate.drop(row.id)
  return wantsAwake(live) ? 'rest' : move(live, 'asleep', 'done')
}

const deleting: StepOf = async (live, { driver, call, persistence }) => {
  await call(live, (signal) => driver.purge(live.key, signal))
  if (persistence !== null) await call(live, (signal) => persistence.forget(live.key, signal))
  const left = await call(live, (signal) => driver.list(signal, live.key))
  if (left.length > 0) throw new Error(`${left.length} of its things are still there`)
  return move(live, 'deleted', 'done')
}

const STEPS: Readonly<Record<MachineState, StepOf>> = {
  creating,
  starting: rising,
  running,
  pausing,
  paused,
  stopping,
  asleep,
  waking: rising,
  failed,
  deleting,
  deleted: async () => 'rest',
}

export async function reconcileStep(live: LiveMachine, tools: StepTools): Step {
  const { row } = live
  const now = tools.clock.now()
  if (row.observed === 'deleted') return 'rest'
  if (row.deadline !== null && now >= row.deadline) {
    // What is to be deleted is never given up.
    const retryAt = row.desired === 'deleted' ? now + RETRY_DELETE_MS : null
    return move(live, 'failed', 'fault', { retryAt, lastError: row.lastError ?? `no end of ${row.observed}` })
  }
  if (row.desired === 'deleted' && row.observed !== 'deleting') {
    if (row.observed !== 'failed' || row.retryAt === null || now >= row.retryAt)
      return move(live, 'deleting', 'asked')
    tools.planAt(live, row.retryAt)
    return 'rest'
  }
  if (now < live.notBefore) {
    tools.planAt(live, live.notBefore)
    return 'rest'
  }
  return STEPS[row.observed](live, tools)
}
