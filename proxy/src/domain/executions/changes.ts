import type { RequestId } from '../../kernel/index.ts'
import type { Transactor } from '../audit/index.ts'
import { type Execution, isFinal } from './execution.ts'

/** Tells waiting HTTP calls and event streams of every transition, in order, once it is on disk. */
export interface Changes {
  /** Inside the transition's transaction. */
  announce(execution: Execution): void
  subscribe(requestId: RequestId, listener: (execution: Execution) => void): Disposable
}

export function createChanges(transactor: Pick<Transactor, 'afterCommit'>): Changes {
  const listeners = new Map<string, Set<(execution: Execution) => void>>()
  return {
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
  if (isFinal(execution.status) || timeoutMs <= 0 || signal.aborted) return execution
  const { promise, resolve } = Promise.withResolvers<void>()
  using _subscription = changes.subscribe(execution.requestId, (changed) => {
    if (isFinal(changed.status)) resolve()
  })
  const timer = setTimeout(resolve, timeoutMs)
  const leave = (): void => resolve()
  signal.addEventListener('abort', leave, { once: true })
  try {
    await promise
    return read()
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', leave)
  }
}

/** The present state, then every transition, until the final one. */
export async function* followExecution(
  changes: Changes,
  read: () => Execution,
  signal: AbortSignal,
): AsyncGenerator<Execution> {
  const present = read()
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
