import type { RequestId } from '../../kernel/index.ts'
import type { Transactor } from '../audit/index.ts'
import { type Execution, isFinal } from './execution.ts'

/** Tells waiting HTTP calls and event streams of every transition, in order, once it is on disk. */
export interface Changes {
  /** Inside the transition's transaction. */
  announce(execution: Execution): void
  subscribe(requestId: RequestId, listener: (execution: Execution) => void): Disposable
  /** Resolves when all that was read so far is on disk; rejects with `storage_unavailable`. */
  flushed(): Promise<void>
}

export function createChanges(transactor: Pick<Transactor, 'afterCommit' | 'flushed'>): Changes {
  const listeners = new Map<string, Set<(execution: Execution) => void>>()
  return {
    flushed: () => transactor.flushed(),
    announce(execution) {
      transactor.afterCommit(() => {
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

/** Resolves when the execution is final, `timeoutMs` have passed, or the caller went away. */
export async function waitUntilFinal(
  changes: Changes,
  read: () => Execution,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Execution> {
  const execution = read()
  if (isFinal(execution.status) || timeoutMs <= 0 || signal.aborted) return readyToTell(changes, execution)
  let isAnnounced = false
  const { promise, resolve } = Promise.withResolvers<void>()
  using _subscription = changes.subscribe(execution.requestId, (changed) => {
    if (!isFinal(changed.status)) return
    isAnnounced = true
    resolve()
  })
  const timer = setTimeout(resolve, timeoutMs)
  const leave = (): void => resolve()
  signal.addEventListener('abort', leave, { once: true })
  try {
    await promise
    return isAnnounced ? read() : await readyToTell(changes, read())
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
  read: () => Execution,
  signal: AbortSignal,
): AsyncGenerator<Execution> {
  const present = read()
  if (isFinal(present.status)) {
    yield await readyToTell(changes, present)
    return
  }
  const queue = [present]
  let wake = Promise.withResolvers<void>()
  const poke = (): void => wake.resolve()
  using _subscription = changes.subscribe(present.requestId, (execution) => {
    queue.push(execution)
    poke()
  })
  signal.addEventListener('abort', poke, { once: true })
  while (!signal.aborted) {
    wake = Promise.withResolvers<void>()
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      yield next
      if (isFinal(next.status)) return
    }
    await wake.promise
  }
}
