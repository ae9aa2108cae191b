import type { RequestId } from '../../kernel/index.ts'
import { type Execution, type ExecutionStatus, isFinal } from './execution.ts'

/**
 * Tells waiting HTTP calls and event streams of changes. Listeners run in a microtask: after the synchronous
 * transaction that changed the row, so what they read is committed.
 */
export interface Changes {
  announce(requestId: RequestId): void
  subscribe(requestId: RequestId, listener: () => void): Disposable
}

export function createChanges(): Changes {
  const listeners = new Map<string, Set<() => void>>()
  return {
    announce(requestId) {
      const waiting = listeners.get(requestId)
      if (waiting) queueMicrotask(() => [...waiting].forEach((listener) => void listener()))
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
  let execution = read()
  if (isFinal(execution.status) || timeoutMs <= 0 || signal.aborted) return execution
  const { promise, resolve } = Promise.withResolvers<void>()
  using _subscription = changes.subscribe(execution.requestId, () => {
    execution = read()
    if (isFinal(execution.status)) resolve()
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

/** Every transition from now on, beginning with the present state, until the final one. */
export async function* followExecution(
  changes: Changes,
  read: () => Execution,
  signal: AbortSignal,
): AsyncGenerator<Execution> {
  let last: ExecutionStatus | undefined
  let wake = Promise.withResolvers<void>()
  const poke = (): void => wake.resolve()
  using _subscription = changes.subscribe(read().requestId, poke)
  signal.addEventListener('abort', poke, { once: true })
  while (!signal.aborted) {
    wake = Promise.withResolvers<void>()
    const execution = read()
    if (execution.status !== last) {
      last = execution.status
      yield execution
      if (isFinal(execution.status)) return
    }
    await wake.promise
  }
}
