import { Listeners } from './listeners.ts'

/**
 * A body as it comes, under backpressure: told piece by piece, in order, and its end last. While it is paused what comes is held, which is no more than one
 * read of the socket, since `hold` stops that.
 */
export abstract class BodyFlow extends Listeners {
  #isPaused: boolean
  #held: Buffer[] = []
  #hasEnded = false
  #isTold = false
  #isScheduled = false

  constructor(isPaused: boolean) {
    super()
    this.#isPaused = isPaused
  }

  /** Nothing is told until it flows; also when nothing came yet. */
  get isPaused(): boolean {
    return this.#isPaused
  }

  /** All of it has come, whether it was told or not. */
  get hasCome(): boolean {
    return this.#hasEnded
  }

  take(bytes: Buffer): void {
    if (!this.#isPaused && this.#held.length === 0) {
      this.tellBytes(bytes)
      return
    }
    this.#held.push(bytes)
    this.hold()
  }

  takeEnd(): void {
    this.#hasEnded = true
    if (!this.#isPaused && this.#held.length === 0) this.#tellEnd()
  }

  protected stopFlow(): void {
    this.#isPaused = true
  }

  /** What was held is told in a later step, as streams do, so that nobody hears of it while he still asks for it. */
  protected startFlow(): void {
    this.#isPaused = false
    if (this.#held.length === 0 && !this.#hasEnded) this.unhold()
    else if (!this.#isScheduled && !this.#isTold) {
      this.#isScheduled = true
      process.nextTick(() => this.#goOn())
    }
  }

  /** Nothing more is told. */
  protected drop(): void {
    this.#held = []
    this.#isTold = true
  }

  /** Stops the socket. */
  protected abstract hold(): void
  protected abstract unhold(): void
  protected abstract tellBytes(bytes: Buffer): void
  protected abstract tellEnd(): void

  #goOn(): void {
    this.#isScheduled = false
    while (!this.#isPaused) {
      const bytes = this.#held.shift()
      if (bytes === undefined) break
      this.tellBytes(bytes)
    }
    if (this.#isPaused || this.#isTold) return
    if (this.#hasEnded) this.#tellEnd()
    else this.unhold()
  }

  #tellEnd(): void {
    if (this.#isTold) return
    this.#isTold = true
    this.tellEnd()
  }
}
