import { expect, test } from 'vitest'
import { createUnitDouble } from '../../test/support/unit-double.ts'
import { createUpkeep } from './daemon-storage.ts'

test('what can be dropped while a piece of work is under way waits for the next piece', async () => {
  let underWay = 0
  let atOnce = 0
  const turns: PromiseWithResolvers<boolean>[] = []
  using upkeep = createUpkeep({
    retention: {
      async turn() {
        underWay += 1
        atOnce = Math.max(atOnce, underWay)
        const turn = Promise.withResolvers<boolean>()
        turns.push(turn)
        const hasMore = await turn.promise
        underWay -= 1
        return hasMore
      },
    } as never,
    freeSpace: { look: async () => {} } as never,
    archiver: { deleteSome: async () => false } as never,
    storage: createUnitDouble(),
    auditMaxRows: 0,
    log: { error: () => expect.unreachable() },
  })
  upkeep.start()
  await expect.poll(() => turns.length).toBe(1)
  upkeep.nudge()
  await new Promise((resolve) => setTimeout(resolve, 100))
  upkeep.nudge()
  turns[0]?.resolve(false)
  await expect.poll(() => turns.length).toBeGreaterThan(1)
  expect(atOnce).toBe(1)
  for (const turn of turns) turn.resolve(false)
})
