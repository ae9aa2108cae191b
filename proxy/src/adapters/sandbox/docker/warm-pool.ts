/**
 * Started containers that wait for one run each. A claim takes a waiting one, or the next that becomes ready;
 * what was taken is replaced in the background, with growing pauses while the engine does not answer.
 */
import type { SandboxContainer } from './docker-container.ts'

export interface WarmPool {
  claim(signal: AbortSignal): Promise<SandboxContainer>
  fill(): void
  readonly warm: number
  /** Removes every waiting container; the pool can be filled again unless it was closed. */
  drain(): Promise<void>
  close(): Promise<void>
}

interface WarmPoolDeps {
  readonly size: number
  /** Creates and starts one container. */
  launch(): Promise<SandboxContainer>
  /** Told of a refill that failed. */
  onFailure(error: unknown): void
}

const FIRST_PAUSE_MS = 250
const LONGEST_PAUSE_MS = 15_000
/** A refill waits this long, so that it does not take the processor from the run that emptied the place. */
const REFILL_DELAY_MS = 50

export function createWarmPool({ size, launch, onFailure }: WarmPoolDeps): WarmPool {
  const idle: SandboxContainer[] = []
  const waiters: PromiseWithResolvers<SandboxContainer>[] = []
  let launching = 0
  let generation = 0
  let failures = 0
  let timer: NodeJS.Timeout | undefined
  let closed = false

  function launchOne(): void {
    const born = generation
    launching += 1
    launch()
      .finally(() => {
        launching -= 1
      })
      .then(
        (container) => {
          failures = 0
          if (closed || born !== generation) void container.remove()
          else place(container)
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

  function place(container: SandboxContainer): void {
    const waiter = waiters.shift()
    if (waiter !== undefined) {
      waiter.resolve(container)
      return
    }
    idle.push(container)
    void container.whenClosed.then(() => {
      const at = idle.indexOf(container)
      if (at === -1) return
      idle.splice(at, 1)
      void container.remove()
      balance()
    })
  }

  function balance(): void {
    if (closed) return
    while (launching < waiters.length) launchOne()
    if (waiters.length > 0 || timer !== undefined || idle.length + launching >= size) return
    const pauseMs =
      failures === 0
        ? REFILL_DELAY_MS
        : Math.min(FIRST_PAUSE_MS * 2 ** Math.min(failures - 1, 10), LONGEST_PAUSE_MS)
    timer = setTimeout(() => {
      timer = undefined
      while (!closed && idle.length + launching < size + waiters.length) launchOne()
    }, pauseMs)
    timer.unref()
  }

  async function drain(): Promise<void> {
    generation += 1
    await Promise.all(idle.splice(0).map((container) => container.remove()))
  }

  return {
    async claim(signal) {
      for (let next = idle.shift(); next !== undefined; next = idle.shift()) {
        if (next.alive) {
          balance()
          return next
        }
        void next.remove()
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
    fill: balance,
    get warm() {
      return idle.length
    },
    drain,
    async close() {
      closed = true
      clearTimeout(timer)
      for (const waiter of waiters.splice(0)) waiter.reject(new Error('the sandbox is closing'))
      await drain()
    },
  }
}
