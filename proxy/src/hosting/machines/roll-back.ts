/** Files of before in the place of those that a machine has: what it has is kept first, as any sleep keeps it, and nobody wakes it meanwhile. */
import type { Actor } from '../../identity/index.ts'
import { AppError } from '../../kernel/index.ts'
import { isOpen, type LiveMachine, refOf } from './live-machine.ts'
import type { Machine } from './machine.ts'
import type { MachineDriver, MachinePersistence } from './machine-driver.ts'

interface RollBackDeps {
  readonly driver: MachineDriver
  readonly persistence: MachinePersistence | null
  readonly call: <T>(act: (signal: AbortSignal) => Promise<T>) => Promise<T>
  /** Looks at it soon. */
  readonly poke: (live: LiveMachine) => void
  /** Whoever waits for it may be answered again. */
  readonly released: (live: LiveMachine) => void
  readonly closing: AbortSignal
}

/** So often its files are tried to be kept. */
const TRIES = 3

export function createRollBack(deps: RollBackDeps) {
  const { driver, persistence, call, poke, released, closing } = deps

  /** Resolves when it is asleep. Rejects where it fails, is wanted otherwise by a person, or goes. */
  async function asleep(live: LiveMachine): Promise<Machine> {
    const until = AbortSignal.any([live.leaving.signal, closing])
    for (let wasUp = false; ; await changed(live, until)) {
      const { row } = live
      if (row.desired === 'deleted') throw new AppError('not_found', 'The machine is being deleted.')
      if (row.desired !== 'asleep')
        throw new AppError('conflict', 'It was asked for otherwise meanwhile; its files are as they were.')
      if (row.observed === 'asleep') return row
      if (row.observed !== 'failed') wasUp = true
      // One that had failed before is on its way to sleep.
      else if (wasUp) throw unkept(row)
      if (row.observed === 'stopping' && live.attempts >= TRIES) throw unkept(row)
    }
  }

  /** Of one that failed, or was found ended, its driver has the files still. */
  async function kept(live: LiveMachine): Promise<Machine> {
    const row = await asleep(live)
    const isKept = async () => (await call((signal) => driver.list(signal, live.key))).length === 0
    if (await isKept()) return row
    const phase = await call((signal) => driver.observe(refOf(live), signal))
    if ((phase === 'stopped' || phase === 'created') && live.row.observed === 'asleep') {
      await live.ledger.move(row.id, 'stopping', 'asked')
      poke(live)
      const again = await asleep(live)
      if (await isKept()) return again
    }
    throw unkept(live.row)
  }

  async function run(live: LiveMachine, to: number, store: MachinePersistence, actor: Actor): Promise<void> {
    const { ledger, key } = live
    using _pinned = await call((signal) => store.pin(key, to, signal))
    const wanted = live.row.desired
    const ask = (state: 'asleep' | 'awake') =>
      ledger.ask(live.row.id, state, { asker: 'owner', actor, why: 'rolled back' })
    await ask('asleep')
    try {
      await exchange(live, to, store, actor)
    } finally {
      // With what was chosen, or with what it had.
      if (wanted === 'awake' && live.row.desired === 'asleep') await ask('awake')
    }
  }

  async function exchange(
    live: LiveMachine,
    to: number,
    store: MachinePersistence,
    actor: Actor,
  ): Promise<void> {
    const { ledger, key } = live
    const row = await kept(live)
    const from = (await store.kept(key)).find(({ isCurrent }) => isCurrent)?.number ?? null
    await store.rollBack(key, to, (tx) => ledger.rolledBack(tx, row, { from, to }, actor))
  }

  return async (live: LiveMachine, to: number, actor: Actor): Promise<void> => {
    if (persistence === null)
      throw new AppError('refused', 'Nothing is kept of its files: they stay on its volume.')
    while (live.wishing !== undefined) await live.wishing.catch(() => {})
    if (isOpen(live) && live.calls > 0)
      throw new AppError('conflict', 'It is at something; interrupt that, or wait for its end.')
    // As while the ladder writes: no call begins, and whoever comes waits for what becomes of it.
    live.lowering = true
    live.keeping = true
    const work = run(live, to, persistence, actor).finally(() => {
      live.wishing = undefined
      live.lowering = false
      live.keeping = false
      released(live)
    })
    live.wishing = work
    await work
  }
}

const unkept = ({ lastError }: Machine): AppError =>
  new AppError(
    'conflict',
    `The files that it has cannot be kept, so they stay: ${lastError ?? 'its container is gone; wake it first'}`,
  )

const changed = (live: LiveMachine, until: AbortSignal): Promise<void> =>
  new Promise((resolve, reject) => {
    const end = (then: () => void) => (): void => {
      live.watchers.delete(told)
      until.removeEventListener('abort', left)
      then()
    }
    const told = end(resolve)
    const left = end(() => reject(new AppError('shutting_down', 'The daemon is stopping.')))
    if (until.aborted) return left()
    live.watchers.add(told)
    until.addEventListener('abort', left, { once: true })
  })
