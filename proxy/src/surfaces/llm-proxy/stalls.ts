/** Something that may be waited for as long as it is heard of now and then. */
export abstract class Heard {
  /** Set by whoever hears of it, taken back at each look. */
  isAlive = true
  /** Its neighbours, while it is looked at. */
  before: Heard | null = null
  after: Heard | null = null

  /** Nothing was heard between two looks. */
  abstract silent(): void
}

/** Ends what nothing is heard of. One clock for all: a timer for each would cost more than most of them last. */
export interface Stalls extends Disposable {
  begin(heard: Heard): void
  end(heard: Heard): void
}

/**
 * `silent` is called after two looks without a word between them, so after this long at least. A chain and no Set: the
 * tables that a busy Set leaves behind keep what was in them alive until the next great collection.
 */
export function createStalls(stallMs: number): Stalls {
  let first: Heard | null = null
  const clock = setInterval(() => {
    for (let heard = first; heard !== null; ) {
      // It may end by being told.
      const { after }: Heard = heard
      if (heard.isAlive) heard.isAlive = false
      else heard.silent()
      heard = after
    }
  }, stallMs).unref()
  return {
    begin(heard) {
      heard.after = first
      if (first !== null) first.before = heard
      first = heard
    },
    end(heard) {
      const { before, after } = heard
      if (before !== null) before.after = after
      else if (first === heard) first = after
      if (after !== null) after.before = before
      heard.before = heard.after = null
    },
    [Symbol.dispose]: () => clearInterval(clock),
  }
}
