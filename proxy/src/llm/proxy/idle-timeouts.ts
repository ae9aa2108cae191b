/** Something with an idle timeout: it may be waited for as long as it is heard of now and then. */
export abstract class IdleTimed {
  /** Set by whoever hears of it, taken back at each look. */
  isAlive = true
  /** Its neighbours, while it is looked at. */
  before: IdleTimed | null = null
  after: IdleTimed | null = null

  /** Nothing was heard between two looks. */
  abstract onIdle(): void
}

/** Idle timeouts: ends what nothing is heard of. One clock for all: a timer for each would cost more than most of them last. */
export interface IdleTimeouts extends Disposable {
  begin(timed: IdleTimed): void
  end(timed: IdleTimed): void
}

/**
 * `onIdle` is called after two looks without a word between them, so after this long at least. A chain and no Set: the
 * tables that a busy Set leaves behind keep what was in them alive until the next great collection.
 */
export function createIdleTimeouts(idleMs: number): IdleTimeouts {
  let first: IdleTimed | null = null
  const clock = setInterval(() => {
    for (let timed = first; timed !== null; ) {
      // It may end by being told.
      const { after }: IdleTimed = timed
      if (timed.isAlive) timed.isAlive = false
      else timed.onIdle()
      timed = after
    }
  }, idleMs).unref()
  return {
    begin(timed) {
      timed.after = first
      if (first !== null) first.before = timed
      first = timed
    },
    end(timed) {
      const { before, after } = timed
      if (before !== null) before.after = after
      else if (first === timed) first = after
      if (after !== null) after.before = before
      timed.before = timed.after = null
    },
    [Symbol.dispose]: () => clearInterval(clock),
  }
}
