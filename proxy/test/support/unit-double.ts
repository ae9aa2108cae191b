import { DEFAULT_TENANT, type Storage, type Stores, type Tx } from '../../src/kernel/index.ts'

/** Units of work over stores that a test plays, without a database: nothing is undone, and all is on disk at once. */
export function createUnitDouble(stores: Partial<Stores> = {}): Storage {
  const unit = async <T>(work: (tx: Tx) => Promise<T>): Promise<T> => {
    const committed: (() => void)[] = []
    const undone: (() => void)[] = []
    const result = await work({
      ...(stores as Stores),
      kind: 'write',
      tenant: DEFAULT_TENANT,
      onUndo: (effect) => void undone.push(effect),
      onCommit: (effect) => void committed.push(effect),
      afterCommit: (effect) => void committed.push(effect),
    }).catch((error: unknown) => {
      for (const effect of undone) effect()
      throw error
    })
    for (const effect of committed) effect()
    return result
  }
  return { tenant: DEFAULT_TENANT, transaction: unit, read: unit as Storage['read'], flushed: async () => {} }
}
