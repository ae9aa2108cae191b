import { flushCompileCache } from 'node:module'
import { warmScrub } from '../scrub/index.ts'

/** Past the busy first moments of a daemon. */
const AFTER_MS = 2_000
const BETWEEN_MS = 250
/** When nothing is loaded any more. */
const COLLECT_MS = 10_000

/**
 * What is worked out when it is first used, ahead of the first request that would wait for it: a piece at a time, so that no request
 * waits for more than one. At the end what was compiled is written to the compile cache, if there is one.
 */
export function preload(hasCompileCache: boolean): Disposable {
  const collecting = setTimeout(collectStart, COLLECT_MS).unref()
  const pieces = [warmScrub, ...(hasCompileCache ? [flushCompileCache] : [])]
  let timer: NodeJS.Timeout | undefined
  const next = (at: number, afterMs: number): void => {
    timer = setTimeout(() => {
      pieces[at]?.()
      if (at + 1 < pieces.length) next(at + 1, BETWEEN_MS)
    }, afterMs).unref()
  }
  next(0, AFTER_MS)
  return {
    [Symbol.dispose]() {
      clearTimeout(timer)
      clearTimeout(collecting)
    },
  }
}

/**
 * What the start left behind is collected, code that ran once with it, and the pages go back to the system: an idle daemon reaches by
 * itself neither the heap nor the allocations at which V8 does so, and stays a quarter larger. Holds the event loop up for some
 * collections, once.
 */
function collectStart(): void {
  void globalThis.gc?.({ type: 'major', execution: 'async', flavor: 'last-resort' })
}
