import { expect, it } from 'vitest'
import { createFreeSpace, type FreeSpace } from './free-space.ts'

it('tells once that the disk is full, also when what it writes for that is refused as well', () => {
  let told = 0
  const defects: unknown[] = []
  const freeSpace: FreeSpace = createFreeSpace({
    read: () => 0,
    reserve: { bytes: 0, isHeld: false, hold: () => false, release() {} },
    minFreeBytes: 1,
    audit: { append: () => ({}) as never },
    events: { publish() {} },
    transactor: {
      inTransaction: false,
      transact() {
        told += 1
        // As the database does it, before its caller hears of it.
        freeSpace.refusedWrite()
        throw new Error('no space')
      },
      afterCommit() {},
      flushed: async () => {},
    },
    onDefect: (error) => defects.push(error),
  })
  freeSpace.refusedWrite()
  expect([told, defects.length, freeSpace.isLow]).toEqual([1, 1, true])
  freeSpace.look()
  expect([told, defects.length]).toEqual([2, 2])
})
