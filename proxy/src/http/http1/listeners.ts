interface Entry {
  readonly event: string
  readonly listener: (value: never) => void
  readonly isOnce: boolean
}

/** `on` and `once` of an emitter, for objects that there is one of for each request: few listeners, and none is taken back. */
export abstract class Listeners {
  #entries: Entry[] = []

  on(event: 'data', listener: (bytes: Buffer) => void): this
  on(event: string, listener: () => void): this
  on(event: string, listener: Entry['listener']): this {
    this.#entries.push({ event, listener, isOnce: false })
    return this
  }

  once(event: string, listener: () => void): this {
    this.#entries.push({ event, listener, isOnce: true })
    return this
  }

  protected emit(event: string, value?: Buffer): void {
    const entries = this.#entries
    // What is added meanwhile hears of the next one.
    let { length } = entries
    for (let at = 0; at < length; at += 1) {
      const entry = entries[at] as Entry
      if (entry.event !== event) continue
      if (entry.isOnce) {
        entries.splice(at, 1)
        at -= 1
        length -= 1
      }
      entry.listener(value as never)
    }
  }
}
