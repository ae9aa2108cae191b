import { afterEach, beforeEach, expect, it } from 'vitest'
import { describeEngines, type TestDatabase } from '../../../test/support/engines.ts'
import type { AgentId, Storage } from '../../kernel/index.ts'
import { createKeySharing, createKeyUserStore, type KeySharing } from './index.ts'

const ONE = 'agt_1' as AgentId
const TWO = 'agt_2' as AgentId

describeEngines('who has used a key', (kit) => {
  let db: TestDatabase
  let sharing: KeySharing
  let units = 0
  /** What becomes of a unit before it begins. */
  let before: () => Promise<void> = async () => {}
  const storage = (): Storage => ({
    async transaction(work, durability) {
      units += 1
      await before()
      return await db.storage.transaction(work, durability)
    },
    read: (work) => db.storage.read(work),
    tenant: db.storage.tenant,
    flushed: () => db.storage.flushed(),
  })
  const open = async (): Promise<KeySharing> => {
    const opened = createKeySharing({
      storage: storage(),
      agents: { byId: () => undefined, revision: 1 },
      access: { grants: () => [], revision: 1 },
      keys: { list: () => [], revision: 1 },
      clock: { now: () => 1 },
    })
    await db.storage.read(opened.load)
    return opened
  }
  beforeEach(async () => {
    units = 0
    before = async () => {}
    db = await kit.fresh({ stores: { keyUsers: createKeyUserStore } })
    sharing = await open()
  })
  afterEach(() => db[Symbol.asyncDispose]())

  it('is written once for each agent, and costs nothing from then on, over a restart too', async () => {
    const first = sharing.used('openai', 1, ONE)
    expect(first).toBeInstanceOf(Promise)
    // A second request of the agent waits for the same.
    expect(sharing.used('openai', 1, ONE)).toBe(first)
    await first
    expect(sharing.used('openai', 1, ONE)).toBeUndefined()
    expect(units).toBe(1)
    sharing = await open()
    expect(sharing.used('openai', 1, ONE)).toBeUndefined()
    expect([sharing.isOwn('openai', 1, ONE), sharing.isOwn('openai', 1, TWO)]).toEqual([true, false])
  })

  it('counts while it is written, and no more when it could not be', async () => {
    before = () => Promise.reject(new Error('full'))
    expect(sharing.isOwn('openai', 1, TWO)).toBe(true)
    const failing = sharing.used('openai', 1, ONE)
    expect(sharing.isOwn('openai', 1, TWO)).toBe(false)
    await expect(failing).rejects.toThrow('full')
    expect(sharing.isOwn('openai', 1, TWO)).toBe(true)
    before = async () => {}
    await sharing.used('openai', 1, ONE)
    expect(sharing.isOwn('openai', 1, TWO)).toBe(false)
  })
})
