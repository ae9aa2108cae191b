import { AsyncLocalStorage } from 'node:async_hooks'

/** Whoever the daemon works for of its own accord. */
export const DAEMON_OWNER = 'daemon'

const context = new AsyncLocalStorage<string>()
type Run = <T>(work: () => T) => T
/** Each owner's context, once made: making one anew copies a table, which is much for a request. */
const runs = new Map<string, Run>()
/** So many owners are at work at once, and far more than that. */
const MAX_KEPT = 1_024

function runOf(owner: string): Run {
  const known = runs.get(owner)
  if (known !== undefined) return known
  const run = context.run(owner, () => AsyncLocalStorage.snapshot())
  if (runs.size >= MAX_KEPT) runs.clear()
  runs.set(owner, run)
  return run
}

/**
 * Attribution by asynchronous context (AsyncLocalStorage): what work on behalf of an owner begins, at once or later, counts
 * against that owner's shares. A context, not a parameter, because a connection pool that owners share opens its
 * connections without saying for whose request.
 */
export const onBehalfOf = <T>(owner: string, work: () => T): T => runOf(owner)(work)

/** The agent id of whoever the current work is for; the daemon itself where nobody was named. */
export const currentOwner = (): string => context.getStore() ?? DAEMON_OWNER
