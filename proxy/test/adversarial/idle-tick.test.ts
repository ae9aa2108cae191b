import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { runPeriodicTasks } from '../../src/compose/daemon-periodic.ts'
import type { ExecuteRequest } from '../../src/executions/index.ts'
import { addAgent, createDomainKit, type DomainKit, requestOf } from '../support/domain-kit.ts'
import { owner } from '../support/principals.ts'

const DAY = 24 * 60 * 60 * 1_000

let dir: string
let kit: DomainKit
let now: number
beforeEach(async () => {
  now = 1_700_000_000_000
  dir = mkdtempSync(join(tmpdir(), 'oauth3-tick-'))
  kit = await createDomainKit({ dir, clock: { now: () => now } })
  await addAgent(kit)
})
afterEach(async () => {
  await kit[Symbol.asyncDispose]()
  rmSync(dir, { recursive: true })
})

const tick = (): Promise<void> => runPeriodicTasks(kit, kit.log)
async function ask(request: Partial<ExecuteRequest> = {}, key?: string) {
  const [agent] = kit.agents.list()
  if (!agent) throw new Error('no agent')
  const idempotency = key === undefined ? undefined : { key, bodyHash: 'a'.repeat(64) }
  return await kit.executions.submit(agent, requestOf(request), idempotency)
}

/** Whatever else writes waits for its end. */
async function holdWriting(): Promise<{ end(): Promise<void> }> {
  const { promise: ended, resolve: end } = Promise.withResolvers<void>()
  const { promise: begun, resolve: begin } = Promise.withResolvers<void>()
  const unit = kit.storage.transaction(async () => {
    begin()
    await ended
  })
  await begun
  return {
    end() {
      end()
      return unit
    },
  }
}

describe('what is done every second', () => {
  it('opens no unit that writes while nothing is due', async () => {
    const asked = await ask({}, 'key-1')
    await kit.executions.decide(asked.requestId, asked.consentHash, 'trust24h', owner('0', 'root'))
    await ask({ code: 'console.log("waits")\n' })
    // The mark of the latest time seen is written now and then.
    await tick()
    const held = await holdWriting()
    try {
      await tick()
    } finally {
      await held.end()
    }
    expect(kit.defects).toEqual([])
  })

  it('ends all that is due, of each kind', async () => {
    const asked = await ask({}, 'key-1')
    await kit.executions.decide(asked.requestId, asked.consentHash, 'trust24h', owner('0', 'root'))
    const waiting = await ask({ code: 'console.log("waits")\n' })
    now += DAY + 1
    await tick()
    expect((await kit.executions.resolve(waiting.requestId)).status).toBe('expired')
    // On disk: no later clock brings it back.
    expect(kit.db.prepare("SELECT ended_why FROM approvals WHERE trust_level = '24h'").get()).toMatchObject({
      ended_why: 'expired',
    })
    now += 7 * DAY
    await tick()
    expect(kit.db.prepare('SELECT count(*) AS n FROM idempotency').get()).toMatchObject({ n: 0 })
  })
})
