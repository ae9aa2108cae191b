import { flushCompileCache } from 'node:module'
import { performance } from 'node:perf_hooks'
import { warmScrub } from '../scrub/index.ts'

/** Past the busy first moments of a daemon. */
const AFTER_MS = 2_000
const BETWEEN_MS = 250
/** When nothing is loaded any more. */
const COLLECT_MS = 10_000
const COLLECT_AGAIN_MS = 180_000
/** Of the event loop's time: what is looked at each second, with nothing to do, takes a hundredth or two. */
const AT_REST = 0.05

/**
 * What is worked out when it is first used, ahead of the first request that would wait for it: a piece at a time, so that no request
 * waits for more than one. At the end what was compiled is written to the compile cache, if there is one.
 */
export function preload(hasCompileCache: boolean): Disposable {
  const collecting = collectAtRest()
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
      collecting[Symbol.dispose]()
    },
  }
}

/**
 * What the start left behind is collected, code that ran once with it, and the pages go back to the system; then what a daemon at rest
 * leaves behind, each few minutes. By itself it reaches neither the heap nor the allocations at which V8 does so: it would stay a
 * quarter larger, and grow. A collection holds the event loop up, so none is begun where there is work.
 */
function collectAtRest(): Disposable {
  let before = performance.eventLoopUtilization()
  const again = (): void => {
    const now = performance.eventLoopUtilization()
    const { utilization } = performance.eventLoopUtilization(now, before)
    before = now
    // V8's memory reducer goes on from here, in the time that is left.
    if (utilization < AT_REST) void globalThis.gc?.({ type: 'major', execution: 'async' })
  }
  let timer = setTimeout(() => {
    void globalThis.gc?.({ type: 'major', execution: 'async', flavor: 'last-resort' })
    timer = setInterval(again, COLLECT_AGAIN_MS).unref()
  }, COLLECT_MS).unref()
  return {
    [Symbol.dispose]() {
      clearTimeout(timer)
    },
  }
}
