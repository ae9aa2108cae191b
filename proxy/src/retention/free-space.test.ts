import { expect, it } from 'vitest'
import { createUnitDouble } from '../../test/support/unit-double.ts'
import { createFreeSpace, type FreeSpace } from './free-space.ts'

it('tells once that the disk is full, also when what it writes for that is refused as well', async () => {
  let told = 0
  const defects: unknown[] = []
  const freeSpace: FreeSpace = createFreeSpace({
    read: () => 0,
    reserve: { bytes: 0, isHeld: false, hold: () => false, release() {} },
    minFreeBytes: 1,
    audit: { append: async () => {} },
    events: { publish: async () => {} },
    storage: {
      ...createUnitDouble(),
      async transaction() {
        told += 1
        // As the database does it, before its caller hears of it.
        await freeSpace.refusedWrite()
        throw new Error('no space')
      },
    },
    onDefect: (error) => defects.push(error),
  })
  await freeSpace.refusedWrite()
  expect([told, defects.length, freeSpace.isLow]).toEqual([1, 1, true])
  await freeSpace.look()
  expect([told, defects.length]).toEqual([2, 2])
})

it('tells that there is room again, also when it comes back while it is still telling that there is none', async () => {
  const told: string[] = []
  const telling = Promise.withResolvers<void>()
  let free = 0
  const freeSpace = createFreeSpace({
    read: () => free,
    reserve: { bytes: 0, isHeld: false, hold: () => false, release() {} },
    minFreeBytes: 1,
    audit: { append: () => telling.promise },
    events: { publish: async (_tx, { type }) => void told.push(type) },
    storage: createUnitDouble(),
    onDefect: (error) => expect.fail(String(error)),
  })
  const low = freeSpace.look()
  free = Number.MAX_SAFE_INTEGER
  await freeSpace.look()
  telling.resolve()
  await low
  await freeSpace.look()
  expect([told, freeSpace.isLow]).toEqual([['storage.low', 'storage.recovered'], false])
})
