import type { RequestId, Storage, Tx } from '../kernel/index.ts'
import { type Execution, isFinal } from './execution.ts'

/** Tells waiting HTTP calls and event streams of every transition, in order, once it is on disk. */
export interface Changes {
  /** In the unit of the transition. */
  announce(tx: Tx, execution: Execution): void
  subscribe(requestId: RequestId, listener: (execution: Execution) => void): Disposable
  /** Resolves when all that was read so far is on disk; rejects with `storage_unavailable`. */
  flushed(): Promise<void>
}

export function createChanges(storage: Pick<Storage, 'flushed'>): Changes {
  const listeners = new Map<string, Set<(execution: Execution) => void>>()
  return {
    flushed: () => storage.flushed(),
    announce(tx, execution) {
      tx.afterCommit(() => {
        for (const listener of [...(listeners.get(execution.requestId) ?? [])]) listener(execution)
      })
    },
    subscribe(requestId, listener) {
      const set = listeners.get(requestId) ?? new Set()
      listeners.set(requestId, set.add(listener))
      return {
        [Symbol.dispose]() {
          set.delete(listener)
          if (set.size === 0 && listeners.get(requestId) === set) listeners.delete(requestId)
        },
      }
    },
  }
}

type ReadExecution = () => Promise<Execution>

/** Resolves when the execution is final, `timeoutMs` have passed, or the caller went away. */
export async function waitUntilFinal(
  changes: Changes,
  requestId: RequestId,
  read: ReadExecution,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Execution> {
  if (timeoutMs <= 0 || signal.aborted) return readyToTell(changes, await read())
  const { promise, resolve } = Promise.withResolvers<Execution | undefined>()
  // Before it is read: what changes while it is read is not missed.
  using _subscription = changes.subscribe(requestId, (changed) => {
    if (isFinal(changed.status)) resolve(changed)
  })
  const execution = await read()
  if (isFinal(execution.status)) return readyToTell(changes, execution)
  const leave = (): void => resolve(undefined)
  const timer = setTimeout(leave, timeoutMs)
  signal.addEventListener('abort', leave, { once: true })
  if (signal.aborted) leave()
  try {
    // What is announced is on disk already.
    return (await promise) ?? (await readyToTell(changes, await read()))
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', leave)
  }
}

/** An outcome that a power cut may still take is told to nobody; what was told once is on disk. */
async function readyToTell(changes: Pick<Changes, 'flushed'>, execution: Execution): Promise<Execution> {
  if (isFinal(execution.status) && execution.seenAt === null) await changes.flushed()
  return execution
}

/** The present state, then every transition, until the final one. */
export async function* followExecution(
  changes: Changes,
  requestId: RequestId,
  read: ReadExecution,
  signal: AbortSignal,
): AsyncGenerator<Execution> {
  const queue: Execution[] = []
  let wake = Promise.withResolvers<void>()
  const poke = (): void => wake.resolve()
  // Before the present state is read: no transition is lost between the two, and none is told before it.
  using _subscription = changes.subscribe(requestId, (execution) => {
    queue.push(execution)
    poke()
  })
  const present = await read()
  if (isFinal(present.status)) {
    yield await readyToTell(changes, present)
    return
  }
  yield present
  let told = present.status
  signal.addEventListener('abort', poke, { once: true })
  while (!signal.aborted) {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      // It was announced while it was read.
      if (next.status === told) continue
      told = next.status
      yield next
      if (isFinal(next.status)) return
    }
    if (queue.length > 0) continue
    wake = Promise.withResolvers<void>()
    if (queue.length > 0 || signal.aborted) continue
    await wake.promise
  }
}
