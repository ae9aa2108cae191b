import { readlinkSync } from 'node:fs'
import { getPriority, setPriority } from 'node:os'

/**
 * Shares of the processor within the daemon, by `nice`(2) values, against starvation of the event loop where there are fewer
 * processors than threads that want one. On Linux `setpriority(2)` takes a thread's id for one thread; elsewhere it would be the
 * whole process, so there all stay equals.
 */
const NICE = {
  /** Nine times the usual share: every agent, the owner's chat and the gateway wait for this one thread. */
  eventLoop: -10,
  usual: 0,
  /** A third of the usual share. */
  givesWay: 5,
} as const

/** The thread that the process began with bears its id. */
const MAIN_THREAD = process.pid
let isRaised = false

function setMain(niceness: number): boolean {
  try {
    setPriority(MAIN_THREAD, niceness)
    return true
  } catch {
    return false
  }
}

/**
 * Lets the event loop go first, where the system grants it: to root, with CAP_SYS_NICE, or within RLIMIT_NICE (systemd's
 * `LimitNICE`); false elsewhere, and where somebody chose another priority for the process. To be called in the main thread once
 * the runtime's own threads are there: what is started later inherits.
 */
export function raiseEventLoop(): boolean {
  if (process.platform !== 'linux' || isRaised) return isRaised
  isRaised = getPriority(MAIN_THREAD) === NICE.usual && setMain(NICE.eventLoop)
  return isRaised
}

/** Starts a process or a thread as if the event loop had not been raised, from its first instruction on: it may be an agent's. */
export function atUsualPriority<T>(start: () => T): T {
  if (!isRaised || !setMain(NICE.usual)) return start()
  try {
    return start()
  } finally {
    isRaised = setMain(NICE.eventLoop)
  }
}

/**
 * Called by a worker: leaves the processor to the event loop where there is not enough for both. `asProcess`: the worker is a
 * process of its own, else it is a thread of the daemon.
 */
export function giveWay({ asProcess }: { readonly asProcess: boolean }): void {
  if (process.platform !== 'linux') return
  try {
    if (asProcess) {
      if (getPriority(MAIN_THREAD) < NICE.givesWay) setMain(NICE.givesWay)
      return
    }
    const thread = Number(readlinkSync('/proc/thread-self').split('/').at(-1))
    if (!Number.isSafeInteger(thread) || thread === MAIN_THREAD) return
    // A priority that somebody chose for the process may be lower already, and then stays.
    if (getPriority(thread) < NICE.givesWay) setPriority(thread, NICE.givesWay)
  } catch {
    // Without /proc there is no such id, and the threads share as equals.
  }
}
