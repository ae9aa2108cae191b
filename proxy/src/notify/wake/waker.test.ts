import { setImmediate as turn } from 'node:timers/promises'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { describeEngines, type TestDatabase } from '../../../test/support/engines.ts'
import { sampleAgent, sampleExecution } from '../../../test/support/store-samples.ts'
import { createExecutionStore } from '../../executions/execution-store.ts'
import { createAgentStore } from '../../identity/agents/agent-store.ts'
import type { Agent } from '../../identity/agents/index.ts'
import type { ReadTx, RequestId, Storage } from '../../kernel/index.ts'
import type { WakeMessage } from './ports.ts'
import { createWakeStore } from './wake-store.ts'
import { createWaker, type Waker } from './waker.ts'

/** Closed until it is opened; tells when somebody has come to it. */
function createLatch() {
  const { promise: reached, resolve: reach } = Promise.withResolvers<void>()
  const { promise: opened, resolve: open } = Promise.withResolvers<void>()
  return {
    reached,
    open,
    async pass(): Promise<void> {
      reach()
      await opened
    },
  }
}

const TARGET = {
  kind: 'webhook',
  target: 'http://127.0.0.1:9/wake',
  sessionKey: null,
  sealedToken: null,
} as const
const NOW = 1_000_000

describeEngines('the waker', (kit) => {
  let db: TestDatabase
  let agent: Agent
  let waker: Waker
  let audited: string[]
  let failAudit: boolean
  let now: number
  let sent: RequestId[][]
  /** Where the next look at the rows waits once it has read which agents have due ones. */
  let lookLatch: ReturnType<typeof createLatch> | undefined
  /** Where the next delivery waits for the target. */
  let targetLatch: ReturnType<typeof createLatch> | undefined

  const withLatch = (storage: Storage): Storage => ({
    transaction: (...work) => storage.transaction(...work),
    tenant: storage.tenant,
    flushed: () => storage.flushed(),
    read: (work) =>
      storage.read((tx) => {
        const latch = lookLatch
        lookLatch = undefined
        const dueAgents = async (at: number) => {
          const found = await tx.wakes.dueAgents(at)
          await latch?.pass()
          return found
        }
        const wakes = new Proxy(tx.wakes, {
          get: (all, key) => (key === 'dueAgents' ? dueAgents : Reflect.get(all, key)),
        })
        return work(
          new Proxy(tx, { get: (all, key) => (key === 'wakes' ? wakes : Reflect.get(all, key)) }) as ReadTx,
        )
      }),
  })
  const deliver = async (_target: unknown, _token: unknown, message: WakeMessage) => {
    const latch = targetLatch
    targetLatch = undefined
    sent.push(message.requests.map(({ requestId }) => requestId))
    await latch?.pass()
    return { delivered: true, message: 'ok' } as const
  }
  beforeEach(async () => {
    const stores = { agents: createAgentStore, executions: createExecutionStore, wakes: createWakeStore }
    db = await kit.fresh({ stores })
    agent = sampleAgent()
    await db.storage.transaction((tx) => tx.agents.insert(agent))
    ;[audited, failAudit, now, sent, lookLatch, targetLatch] = [[], false, NOW, [], undefined, undefined]
    waker = createWaker({
      agents: { byId: () => agent, list: () => [agent] },
      vault: {
        openFor() {
          throw new Error('no token is sealed')
        },
      },
      channels: {
        webhook: { deliver },
        'openclaw-cli': { deliver },
        'openclaw-hook': { deliver },
        machine: { deliver },
      },
      defaultTarget: { target: TARGET, token: null },
      audit: {
        async append(_tx, event) {
          if (failAudit) throw new Error('the audit is out of order')
          audited.push(event)
        },
      },
      storage: withLatch(db.storage),
      clock: { now: () => now },
      log: { warn: () => {}, error: () => {} },
    })
    await waker.start()
  })
  afterEach(async () => {
    await waker[Symbol.asyncDispose]()
    await db[Symbol.asyncDispose]()
  })

  const outcome = async (dueAt = now): Promise<RequestId> => {
    const execution = sampleExecution(agent.id, { status: 'success', createdAt: NOW })
    await db.storage.transaction(async (tx) => {
      await tx.executions.insert(execution)
      await tx.wakes.schedule(execution.requestId, agent.id, dueAt)
    })
    return execution.requestId
  }

  it('tells of an outcome once, however many nudge it at the same time', async () => {
    const id = await outcome()
    await Promise.all([waker.nudge(), waker.nudge(), waker.nudge()])
    expect(sent).toEqual([[id]])
    expect(audited).toEqual(['wake.delivered'])
  })

  it('looks again after a look during which it was nudged', async () => {
    const latch = createLatch()
    lookLatch = latch
    const first = waker.nudge()
    await latch.reached
    const id = await outcome()
    const second = waker.nudge()
    latch.open()
    await Promise.all([first, second])
    expect(sent).toEqual([[id]])
  })

  it('tells nothing twice that was recorded while the rows were looked at', async () => {
    const target = createLatch()
    const look = createLatch()
    const id = await outcome()
    targetLatch = target
    const first = waker.nudge()
    await target.reached
    lookLatch = look
    const second = waker.nudge()
    await look.reached
    target.open()
    const isDue = async () => (await db.storage.read((tx) => tx.wakes.dueAgents(now))).length > 0
    while (await isDue()) await turn()
    // The waker learns of the commit as well.
    await turn()
    look.open()
    await Promise.all([first, second])
    expect(sent).toEqual([[id]])
  })

  it('gives up nothing that was fetched meanwhile', async () => {
    const id = await outcome()
    now += 8 * 24 * 3_600_000
    const latch = createLatch()
    lookLatch = latch
    const nudged = waker.nudge()
    await latch.reached
    await db.storage.transaction((tx) => tx.wakes.close(id))
    latch.open()
    await nudged
    expect(audited).toEqual([])
    expect(sent).toEqual([])
  })

  it('tries targets for the doctor, and starts no hosted agent for that', async () => {
    agent = { ...agent, wake: { ...TARGET, kind: 'machine', target: 'claw' } }
    expect(waker.checks.map(({ name }) => name)).toEqual(['wake (default)'])
    agent = { ...agent, wake: TARGET }
    expect(waker.checks.map(({ name }) => name)).toEqual(['wake (default)', `wake (agent ${agent.name})`])
  })

  it('keeps what a target took as due while that cannot be recorded', async () => {
    const id = await outcome()
    failAudit = true
    await waker.nudge()
    failAudit = false
    await waker.nudge()
    expect(sent).toEqual([[id]])
    now += 30_000
    await waker.nudge()
    expect(sent).toEqual([[id], [id]])
    expect(audited).toEqual(['wake.delivered'])
  })
})
