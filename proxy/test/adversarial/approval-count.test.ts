import { describe, expect, test } from 'vitest'
import type { ExecuteRequest } from '../../src/executions/index.ts'
import { AppError } from '../../src/kernel/index.ts'
import { requestOf } from '../support/domain-kit.ts'
import { asAgent, owner } from '../support/principals.ts'
import { createTelegramKit, type TelegramKitOptions } from '../support/telegram-kit.ts'

const PLACES = 3

/** An agent that asks for whatever a person can be asked for. */
async function startKit(options: TelegramKitOptions = {}) {
  const kit = await createTelegramKit({ start: false, maxWaitingPerAgent: PLACES, ...options })
  const agent = await kit.agentOf()
  return {
    kit,
    run: (n: number, change: Partial<ExecuteRequest> = {}) =>
      kit.executions.submit(agent, requestOf({ code: `console.log(${n})\n`, ...change })),
    use: (n: number) =>
      kit.llm.access.ask({
        agentId: agent.id,
        provider: 'openai',
        model: `model-${n}`,
        group: 'inference',
        path: '/chat/completions',
      }),
    async [Symbol.asyncDispose]() {
      await kit[Symbol.asyncDispose]()
    },
  }
}

const limited = (error: unknown): boolean => error instanceof AppError && error.code === 'rate_limited'

describe('what waits for a person, of one agent', () => {
  test('is counted once: code that waits leaves no place for a provider', async () => {
    await using asker = await startKit()
    for (let n = 0; n < PLACES; n += 1) await asker.run(n)
    await expect(asker.use(0)).rejects.toThrow(expect.toSatisfy(limited))
    expect(await asker.kit.storage.read((tx) => asker.kit.llm.access.pending(tx))).toEqual([])
  })

  test('is counted once: providers that wait leave no place for code', async () => {
    await using asker = await startKit()
    for (let n = 0; n < PLACES; n += 1) await asker.use(n)
    await expect(asker.run(0)).rejects.toSatisfy(limited)
    expect(await asker.kit.storage.read((tx) => asker.kit.executions.list(tx, { limit: 10 }))).toEqual([])
  })

  test('frees its place by being answered, and by being over before anybody has noticed', async () => {
    let now = Date.now()
    await using asker = await startKit({ clock: { now: () => now } })
    const { executions, llm } = asker.kit
    const asked = await asker.run(0)
    await asker.use(1)
    await asker.use(2)
    await executions.cancel(asAgent((await asker.kit.agentOf()).id), asked.requestId)
    const last = await asker.use(3)
    await expect(asker.run(4)).rejects.toSatisfy(limited)
    const by = owner()
    await llm.access.decide(
      last.id,
      llm.access.contentHash(last),
      { decision: 'deny', scope: 'provider' },
      by,
    )
    await asker.run(4)
    now += 3_600_000
    for (let n = 5; n < 5 + PLACES; n += 1) await asker.run(n)
    await expect(asker.use(0)).rejects.toThrow(expect.toSatisfy(limited))
  })

  test('does not hold up another agent', async () => {
    await using asker = await startKit()
    for (let n = 0; n < PLACES; n += 1) await asker.use(n)
    const { agent } = await asker.kit.agents.add({ name: 'bystander' }, 'cli:0')
    expect((await asker.kit.executions.submit(agent, requestOf())).status).toBe('pending')
  })

  test('costs no card where nothing was stored', async () => {
    await using asker = await startKit()
    const { db } = asker.kit
    db.exec('ALTER TABLE audit_log RENAME TO audit_log_away')
    for (let n = 0; n < 3 * PLACES; n += 1) {
      await expect(asker.run(n)).rejects.toThrow('audit_log')
      await expect(asker.use(n)).rejects.toThrow('audit_log')
    }
    db.exec('ALTER TABLE audit_log_away RENAME TO audit_log')
    for (let n = 0; n < PLACES; n += 1) await (n % 2 === 0 ? asker.run(n) : asker.use(n))
  })

  test('reaches a person no oftener an hour because it is of two kinds', async () => {
    await using asker = await startKit()
    const agent = await asker.kit.agentOf()
    let cards = 0
    const until = async (ask: (n: number) => unknown): Promise<void> => {
      for (let n = 0; n < 100; n += 1) {
        try {
          await ask(n)
          cards += 1
        } catch (error) {
          expect(error).toSatisfy(limited)
          return
        }
      }
    }
    await until(async (n) => {
      const { requestId } = await asker.run(n)
      await asker.kit.executions.cancel(asAgent(agent.id), requestId)
    })
    await until(asker.use)
    expect(cards).toBe(3 * PLACES)
  })
})
