/**
 * Signals that end the daemon. One wish to stop comes as several: a terminal's ^C reaches npm, the launcher and node, and
 * the first two pass theirs on; closing a terminal, `docker compose` and process groups do alike. So what comes within two
 * seconds of the first is the same one, and what comes later is a person who does not want to wait.
 */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
const SAME_WISH_MS = 2_000

export interface StopSignals extends Disposable {
  /** Aborts at the first signal. */
  readonly stopped: AbortSignal
}

export function watchStopSignals(deps: {
  /** A later signal: ends the process at once. What it leaves in the sandbox engine is swept at the next start. */
  readonly endNow: () => void
  readonly now?: () => number
}): StopSignals {
  const now = deps.now ?? (() => performance.now())
  const stopping = new AbortController()
  let since: number | undefined
  const onSignal = (): void => {
    if (since === undefined) {
      since = now()
      stopping.abort(new Error('The process was told to stop.'))
    } else if (now() - since > SAME_WISH_MS) deps.endNow()
  }
  for (const signal of SIGNALS) process.on(signal, onSignal)
  return {
    stopped: stopping.signal,
    [Symbol.dispose]() {
      for (const signal of SIGNALS) process.off(signal, onSignal)
    },
  }
}
