import { expect, it } from 'vitest'
import { storeContract } from '../../test/support/store-contract.ts'
import { createMetaStore } from '../storage/index.ts'
import { createClockStore } from './clock-store.ts'

storeContract('the store of the latest time', { clock: createClockStore, meta: createMetaStore }, (kit) => {
  const highWater = () => kit.mine.read(({ clock }) => clock.highWater())

  it('begins at zero and goes where it is set, also back', async () => {
    expect(await highWater()).toBe(0)
    for (const to of [1_793_000_000_123, 5]) {
      await kit.mine.transaction(({ clock }) => clock.setHighWater(to))
      expect(await highWater()).toBe(to)
    }
  })

  it.each(['clock_high_water', 'provider_clock_high_water'])(
    'takes the later of the marks of versions before: %s',
    async (mark) => {
      await kit.mine.transaction(async ({ clock, meta }) => {
        await clock.setHighWater(10)
        await meta.set(mark, '11')
      })
      expect(await highWater()).toBe(11)
    },
  )

  it('is of each tenant', async () => {
    await kit.theirs.transaction(({ clock }) => clock.setHighWater(99))
    expect(await highWater()).toBe(0)
  })
})
