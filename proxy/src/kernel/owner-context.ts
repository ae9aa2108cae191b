import { AsyncLocalStorage } from 'node:async_hooks'

/** Whoever the daemon works for of its own accord. */
export const DAEMON_OWNER = 'daemon'

const context = new AsyncLocalStorage<string>()

/**
 * Work on behalf of an owner: what it begins, at once or later, is counted against that owner's shares. A context, not
 * a parameter, because a connection pool that owners share opens its connections without saying for whose request.
 */
export const onBehalfOf = <T>(owner: string, work: () => T): T => context.run(owner, work)

/** The agent id of whoever the current work is for; the daemon itself where nobody was named. */
export const currentOwner = (): string => context.getStore() ?? DAEMON_OWNER
