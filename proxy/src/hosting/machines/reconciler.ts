/** Works on one machine at a time each, some machines at once, until what is there is what is wanted, or waiting is all that is left. */
import { setTimeout as delay } from 'node:timers/promises'
import { type Clock, createFairSlots, type FairSlots } from '../../kernel/index.ts'
import { answered, type Wait } from '../../sandbox/engine/index.ts'
import type { LiveMachine } from './live-machine.ts'
import { reconcileStep, type StepTools } from './reconcile-step.ts'

export interface Reconciler {
  /** Looks at it soon; told while it is looked at, looks again. */
  poke(live: LiveMachine): void
  /** What it waits for no longer matters: its act is let go, pauses between attempts are over. */
  interrupt(live: LiveMachine): void
  /** For good; resolves when nothing is under way with it any more. */
  leave(live: LiveMachine): Promise<void>
  /** Resolves when nothing is under way any more. */
  close(): Promise<void>
}

export interface ReconcilerDeps {
  readonly clock: Clock
  readonly tools: Omit<StepTools, 'call' | 'planAt' | 'pauseAfter' | 'clock'>
  /** How many machines rise at once: each is work for the engine and the processor. */
  readonly concurrency: number
  readonly random?: (() => number) | undefined
  readonly wait?: Wait | undefined
  readonly log: (message: string, error?: unknown) => void
  /** Nothing is done with it for the moment. */
  readonly rested: (live: LiveMachine) => void
}

/** What takes the places of others least: machines that rise, that are put down, and that take their time to end. */
type Lane = 'rise' | 'lower' | 'drain'

const FIRST_PAUSE_MS = 250
const LONGEST_PAUSE_MS = 15_000
/** Of an act that is not told otherwise: one that hangs is tried again before the deadline. */
const CALL_LIMIT_MS = 30_000
const DRAINS_AT_ONCE = 64
const WAITING = { perOwner: 10_000, total: 100_000 }

const laneOf = ({ row }: LiveMachine): Lane => {
  if (row.observed === 'stopping' || (row.desired === 'asleep' && row.observed !== 'asleep')) return 'drain'
  return row.desired === 'awake' || row.observed === 'creating' ? 'rise' : 'lower'
}

export function createReconciler({
  clock,
  tools: given,
  concurrency,
  random = Math.random,
  wait = (ms, options) => delay(ms, undefined, { ...options, ref: false }),
  log,
  rested,
}: ReconcilerDeps): Reconciler {
  const slotsOf = (total: number): FairSlots =>
    createFairSlots({ total, perOwner: Math.max(1, total - 1), waiting: WAITING })
  const slots: Readonly<Record<Lane, FairSlots>> = {
    rise: slotsOf(concurrency),
    lower: slotsOf(concurrency),
    drain: slotsOf(DRAINS_AT_ONCE),
  }
  const interrupts = new WeakMap<LiveMachine, AbortController>()
  const jobs = new Set<Promise<void>>()
  const closing = new AbortController()

  const isOver = ({ leaving }: LiveMachine): boolean => leaving.signal.aborted || closing.signal.aborted

  const pauseAfter = (failures: number): number => {
    const ceiling = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(failures, 10))
    return Math.round(ceiling / 2 + (random() * ceiling) / 2)
  }

  const tools: StepTools = {
    ...given,
    clock,
    pauseAfter,
    planAt,
    async call(live, act, limitMs = CALL_LIMIT_MS) {
      const interrupt = new AbortController()
      interrupts.set(live, interrupt)
      const limit = Math.min(limitMs, (live.row.deadline ?? Number.POSITIVE_INFINITY) - clock.now())
      const stopped = Promise.withResolvers<never>()
      stopped.promise.catch(() => {})
      const stop = () => stopped.reject(new Error('it is wanted otherwise by now'))
      interrupt.signal.addEventListener('abort', stop, { once: true })
      closing.signal.addEventListener('abort', stop, { once: true })
      try {
        closing.signal.throwIfAborted()
        return await answered(
          Math.max(0, limit),
          (signal) => Promise.race([act(AbortSignal.any([signal, interrupt.signal])), stopped.promise]),
          wait,
        )
      } finally {
        interrupt.abort()
        closing.signal.removeEventListener('abort', stop)
      }
    },
  }

  /** The earliest look is the one that is kept; the next plan replaces it. */
  function planAt(live: LiveMachine, at: number): void {
    live.planned?.abort()
    const planned = new AbortController()
    live.planned = planned
    const until = Math.min(at, live.row.deadline ?? at)
    wait(Math.max(1, until - clock.now()), { signal: planned.signal }).then(
      () => {
        if (live.planned === planned) live.planned = undefined
        poke(live)
      },
      () => {},
    )
  }

  async function attempt(live: LiveMachine): Promise<'moved' | 'rest'> {
    try {
      const step = await reconcileStep(live, tools)
      if (step === 'moved') live.attempts = 0
      return step
    } catch (error) {
      live.closing = false
      if (isOver(live)) return 'rest'
      live.attempts += 1
      live.notBefore = clock.now() + pauseAfter(live.attempts)
      const message = reasonOf(error)
      log(`machine ${live.row.id} (${live.row.observed}): ${message}`)
      if (live.row.lastError !== message)
        await live.ledger
          .note(live.row.id, { lastError: message })
          .catch((failure: unknown) => log('a machine’s error could not be stored', failure))
      planAt(live, live.notBefore)
      return 'rest'
    }
  }

  async function work(live: LiveMachine): Promise<void> {
    let step: 'moved' | 'rest'
    do {
      live.again = false
      const lane = laneOf(live)
      using _place = await placeOf(live, lane)
      if (isOver(live)) return
      do step = await attempt(live)
      while (step === 'moved' && laneOf(live) === lane && !isOver(live))
    } while ((step === 'moved' || live.again) && !isOver(live))
  }

  /** Undefined once its deadline has passed: then it only fails, which takes no act of the driver. */
  async function placeOf(live: LiveMachine, lane: Lane): Promise<Disposable | undefined> {
    const waiting = slots[lane]
    const late = new AbortController()
    const { deadline } = live.row
    const signal = AbortSignal.any([late.signal, live.leaving.signal, closing.signal])
    const timer = new AbortController()
    if (deadline !== null)
      wait(Math.max(1, deadline - clock.now()), { signal: timer.signal }).then(
        () => late.abort(),
        () => {},
      )
    try {
      return await waiting.take(live.key.tenant, signal)
    } catch {
      return undefined
    } finally {
      timer.abort()
    }
  }

  function poke(live: LiveMachine): void {
    if (isOver(live)) return
    live.again = true
    if (live.job !== undefined) return
    const job = work(live)
      .catch((error: unknown) => log(`machine ${live.row.id} could not be looked at`, error))
      .finally(() => {
        live.job = undefined
        jobs.delete(job)
        rested(live)
        if (live.again) poke(live)
      })
    live.job = job
    jobs.add(job)
  }

  return {
    poke,
    interrupt(live) {
      live.notBefore = 0
      interrupts.get(live)?.abort()
      poke(live)
    },
    async leave(live) {
      live.leaving.abort()
      live.planned?.abort()
      interrupts.get(live)?.abort()
      await live.job
    },
    async close() {
      closing.abort()
      await Promise.all(jobs)
    },
  }
}

/** What a person may read: the first line, and no more than a screen has. */
const reasonOf = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).split('\n')[0]?.slice(0, 300) ?? ''
