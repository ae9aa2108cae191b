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
export interface IdleTimeouts<T extends IdleTimed = IdleTimed> extends Disposable {
  begin(timed: T): void
  end(timed: T): void
}

/**
 * `onIdle` is called after two looks without a word between them, so after this long at least. A chain and no Set: the
 * tables that a busy Set leaves behind keep what was in them alive until the next great collection.
 */
export function createIdleTimeouts<T extends IdleTimed = IdleTimed>(
  idleMs: number,
): IdleTimeouts<T> & {
  /** All that is waited for now; a visit may end it. */
  forEach(visit: (timed: T) => void): void
} {
  let first: T | null = null
  const forEach = (visit: (timed: T) => void): void => {
    for (let timed = first; timed !== null; ) {
      // It may end by being told. The chain holds what `begin` took.
      const after = timed.after as T | null
      visit(timed)
      timed = after
    }
  }
  const clock = setInterval(() => {
    forEach((timed) => {
      if (timed.isAlive) timed.isAlive = false
      else timed.onIdle()
    })
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
      else if (first === timed) first = after as T | null
      if (after !== null) after.before = before
      timed.before = timed.after = null
    },
    forEach,
    [Symbol.dispose]: () => clearInterval(clock),
  }
}
