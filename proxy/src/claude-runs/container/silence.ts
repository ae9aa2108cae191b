/** Notices a run in which nothing happens any more: neither the CLI nor the model's endpoint, while nobody is asked. */
export interface Silence {
  sign(): void
  end(): void
}

export function createSilence(options: {
  readonly limitMs: number
  /** Whether a person is asked something. */
  isWaiting(): boolean
  /** Bytes of the model's endpoint so far. */
  traffic(): number
  onSilent(): void
}): Silence {
  let lastSignAt = performance.now()
  let lastTraffic = options.traffic()
  let timer: NodeJS.Timeout

  const look = (): void => {
    const traffic = options.traffic()
    if (traffic !== lastTraffic || options.isWaiting()) lastSignAt = performance.now()
    lastTraffic = traffic
    const leftMs = lastSignAt + options.limitMs - performance.now()
    if (leftMs <= 0) options.onSilent()
    else plan(leftMs)
  }
  const plan = (inMs: number): void => {
    timer = setTimeout(look, inMs)
    timer.unref()
  }
  plan(options.limitMs)

  return {
    sign() {
      lastSignAt = performance.now()
    },
    end: () => clearTimeout(timer),
  }
}
