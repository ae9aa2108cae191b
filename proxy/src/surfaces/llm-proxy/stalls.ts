/** Something that may be waited for as long as it is heard of now and then. */
export interface Heard {
  /** Set by whoever hears of it, taken back at each look. */
  isAlive: boolean
  /** Nothing was heard between two looks. */
  silent(): void
}

/** Ends what nothing is heard of. One clock for all: a timer for each would cost more than most of them last. */
export interface Stalls extends Disposable {
  begin(heard: Heard): void
  end(heard: Heard): void
}

/** `silent` is called after two looks without a word between them, so after this long at least. */
export function createStalls(stallMs: number): Stalls {
  const waiting = new Set<Heard>()
  const clock = setInterval(() => {
    for (const heard of waiting) {
      if (heard.isAlive) heard.isAlive = false
      else heard.silent()
    }
  }, stallMs).unref()
  return {
    begin: (heard) => void waiting.add(heard),
    end: (heard) => void waiting.delete(heard),
    [Symbol.dispose]: () => clearInterval(clock),
  }
}
