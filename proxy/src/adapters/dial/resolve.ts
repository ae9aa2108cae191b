import { lookup } from 'node:dns/promises'

/** All addresses of a host name, as literals. */
export type Resolve = (host: string, signal: AbortSignal) => Promise<readonly string[]>

/**
 * A look-up holds one of the four threads that Node shares with its file system until it ends, and nothing can end it
 * early. Code may name hosts whose servers never answer, so not all four are for look-ups.
 */
const MAX_AT_ONCE = 3

const waiting: (() => void)[] = []
let running = 0

/** Asks the operating system, `/etc/hosts` included. */
export async function resolveWithSystem(host: string, signal: AbortSignal): Promise<readonly string[]> {
  const { promise: gaveUp, reject } = Promise.withResolvers<never>()
  const giveUp = (): void => reject(signal.reason)
  signal.addEventListener('abort', giveUp, { once: true })
  try {
    const found = inTurn(async () => {
      signal.throwIfAborted()
      return await lookup(host, { all: true, order: 'verbatim' })
    })
    return (await Promise.race([found, gaveUp])).map((entry) => entry.address)
  } finally {
    signal.removeEventListener('abort', giveUp)
  }
}

async function inTurn<T>(work: () => Promise<T>): Promise<T> {
  if (running >= MAX_AT_ONCE) await new Promise<void>((resolve) => waiting.push(resolve))
  else running += 1
  try {
    return await work()
  } finally {
    // The place goes to the next in line, or is free.
    const next = waiting.shift()
    if (next) next()
    else running -= 1
  }
}
