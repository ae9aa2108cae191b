import { AppError } from './errors.ts'
import type { ReadTx, Tx } from './unit-of-work.ts'

/**
 * A cache of rows, for what every request asks, with its invalidation: read once at the start, and read anew by the unit of work
 * that changes them. A reader sees the rows as of the newest commit and never those of a unit that may still be undone.
 */
export interface Mirror<T> {
  /** Throws `internal` before the first `load`. */
  readonly value: T
  load(tx: ReadTx): Promise<void>
  /** Call after the last write of the unit: what it leaves is the value once it is committed. */
  refresh(tx: Tx): Promise<void>
  /** Grows with each new value, so that what was derived can be kept until then. */
  readonly revision: number
}

export function createMirror<T>(read: (tx: ReadTx) => Promise<T>): Mirror<T> {
  let held: { readonly value: T } | undefined
  let revision = 0
  const take = (value: T): void => {
    held = { value }
    revision += 1
  }
  return {
    get value() {
      if (held === undefined) throw new AppError('internal', 'Rows were asked for before they were read.')
      return held.value
    },
    async load(tx) {
      take(await read(tx))
    },
    async refresh(tx) {
      const value = await read(tx)
      tx.onCommit(() => take(value))
    },
    get revision() {
      return revision
    },
  }
}
