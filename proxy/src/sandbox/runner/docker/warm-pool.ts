/**
 * Warm pool: started containers that wait for one run each. A claim takes a waiting one, or the next that becomes ready;
 * what was taken is replaced in the background, with growing pauses while the engine does not answer.
 */
import type { SandboxContainer } from './docker-container.ts'
import { createPoolSize } from './pool-size.ts'

export interface WarmPool {
  /** One that waits now; undefined where none does. It is replaced when it is gone, unless it is given back. */
  take(): SandboxContainer | undefined
  /** One that was taken and told nothing waits again. */
  giveBack(container: SandboxContainer): void
  claim(signal: AbortSignal): Promise<SandboxContainer>
  fill(): void
  /** A run of one that was claimed has its outcome: what it left free is filled when that is told. */
  ended(): void
  readonly warm: number
  /** Removes every waiting container; none waits from here on. */
  close(): Promise<void>
}

interface WarmPoolDeps {
  /** How many wait at least. */
  readonly size: number
  /** After a burst at most so many times as many; the usual number when left out. */
  readonly mostTimes?: number
  /** Creates and starts one container. */
  launch(): Promise<SandboxContainer>
  /** Told of a refill that failed. */
  onFailure(error: unknown): void
}

const FIRST_PAUSE_MS = 250
const LONGEST_PAUSE_MS = 15_000
/** A refill takes no processor from the run that emptied the place, nor from its answer; but a long run is not waited for. */
const AFTER_RUN_MS = 30
const DURING_RUN_MS = 250

const pauseAfter = (failures: number): number =>
  Math.min(FIRST_PAUSE_MS * 2 ** Math.min(failures - 1, 10), LONGEST_PAUSE_MS)

export function createWarmPool({ size, mostTimes, launch, onFailure }: WarmPoolDeps): WarmPool {
  const wantedSize = createPoolSize(size, undefined, mostTimes)
  const idle: SandboxContainer[] = []
  const waiters: PromiseWithResolvers<SandboxContainer>[] = []
  let launching = 0
  let failures = 0
  let timer: NodeJS.Timeout | undefined
  let dueAt = 0
  let claimedAt = Number.NEGATIVE_INFINITY
  let closed = false

  function launchOne(): void {
    launching += 1
    launch()
      .finally(() => {
        launching -= 1
      })
      .then(
        (container) => {
          failures = 0
          void container.whenClosed.then(() => forget(container))
          giveBack(container)
          balance()
        },
        (error: unknown) => {
          failures += 1
          onFailure(error)
          // Whoever waits is told at once; only refilling is patient.
          if (waiters.length > launching) waiters.shift()?.reject(error)
          balance()
        },
      )
  }

  function giveBack(container: SandboxContainer): void {
    if (closed || !container.alive) {
      void container.remove()
      return
    }
    const waiter = waiters.shift()
    if (waiter !== undefined) {
      waiter.resolve(container)
      return
    }
    idle.push(container)
  }

  function forget(container: SandboxContainer): void {
    const at = idle.indexOf(container)
    if (at === -1) return
    idle.splice(at, 1)
    void container.remove()
    balance()
  }

  function take(): SandboxContainer | undefined {
    for (let next = idle.shift(); next !== undefined; next = idle.shift()) {
      if (next.alive) return next
      void next.remove()
    }
    return undefined
  }

  function claimed(): void {
    claimedAt = performance.now()
    wantedSize.claimed()
  }

  /** `pauseMs`: how long a refill may wait; whoever waits for a container does not. */
  function balance(pauseMs = 0): void {
    if (closed) return
    while (launching < waiters.length) launchOne()
    while (idle.length > wantedSize.wanted) void idle.pop()?.remove()
    const isFull = idle.length + launching >= wantedSize.wanted
    const { fewerInMs } = wantedSize
    if (waiters.length === 0 && !isFull) planFill(failures === 0 ? pauseMs : pauseAfter(failures))
    else if (isFull && fewerInMs !== undefined) planFill(fewerInMs + 1)
  }

  /** The earliest plan holds. */
  function planFill(inMs: number): void {
    const at = performance.now() + inMs
    if (timer !== undefined && dueAt <= at) return
    clearTimeout(timer)
    dueAt = at
    timer = setTimeout(() => {
      timer = undefined
      while (!closed && idle.length + launching < wantedSize.wanted + waiters.length) launchOne()
      balance()
    }, inMs)
    timer.unref()
  }

  return {
    take() {
      const taken = take()
      if (taken !== undefined) claimed()
      balance(DURING_RUN_MS)
      return taken
    },
    giveBack,
    async claim(signal) {
      const taken = take()
      claimed()
      if (taken !== undefined) {
        balance(DURING_RUN_MS)
        return taken
      }
      signal.throwIfAborted()
      const waiter = Promise.withResolvers<SandboxContainer>()
      waiters.push(waiter)
      const abort = () => {
        const at = waiters.indexOf(waiter)
        if (at !== -1) waiters.splice(at, 1)
        waiter.reject(signal.reason)
      }
      signal.addEventListener('abort', abort, { once: true })
      balance()
      try {
        return await waiter.promise
      } finally {
        signal.removeEventListener('abort', abort)
      }
    },
    fill: () => balance(performance.now() - claimedAt < DURING_RUN_MS ? DURING_RUN_MS : 0),
    ended: () => balance(AFTER_RUN_MS),
    get warm() {
      return idle.length
    },
    async close() {
      closed = true
      clearTimeout(timer)
      for (const waiter of waiters.splice(0)) waiter.reject(new Error('the sandbox is closing'))
      await Promise.all(idle.splice(0).map((container) => container.remove()))
    },
  }
}
