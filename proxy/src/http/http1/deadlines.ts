/** Something that is to be over by a time of `performance.now()`; `Infinity` while nothing is waited for. */
export interface Timed {
  readonly deadline: number
  expired(): void
}

const LOOK_MS = 1_000

/** One clock for all connections: a timer for each would cost more than most requests last. Each expires up to a second late. */
export class Deadlines<T extends Timed> implements Disposable, Iterable<T> {
  readonly #all = new Set<T>()
  #clock: NodeJS.Timeout | undefined = undefined

  get size(): number {
    return this.#all.size
  }

  add(timed: T): void {
    this.#all.add(timed)
    // Behind the next reading: where the event loop stood still, what came meanwhile counts before the time that passed.
    this.#clock ??= setInterval(() => setImmediate(() => this.#look()), LOOK_MS).unref()
  }

  delete(timed: T): void {
    this.#all.delete(timed)
    if (this.#all.size === 0) this[Symbol.dispose]()
  }

  [Symbol.iterator](): Iterator<T> {
    return this.#all.values()
  }

  [Symbol.dispose](): void {
    clearInterval(this.#clock)
    this.#clock = undefined
  }

  #look(): void {
    const now = performance.now()
    for (const timed of this.#all) if (timed.deadline <= now) timed.expired()
  }
}
