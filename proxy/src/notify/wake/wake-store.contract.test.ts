import { expect, it } from 'vitest'
import { storeContract } from '../../../test/support/store-contract.ts'
import { sampleAgent, sampleExecution } from '../../../test/support/store-samples.ts'
import { createExecutionStore } from '../../executions/execution-store.ts'
import type { Execution } from '../../executions/index.ts'
import { createAgentStore } from '../../identity/agents/agent-store.ts'
import type { AgentId, RequestId, Storage } from '../../kernel/index.ts'
import { createWakeStore } from './wake-store.ts'

const stores = { agents: createAgentStore, executions: createExecutionStore, wakes: createWakeStore }

storeContract('the store of wakes', stores, (kit) => {
  const agentIn = async (storage: Storage): Promise<AgentId> => {
    const agent = sampleAgent()
    await storage.transaction((tx) => tx.agents.insert(agent))
    return agent.id
  }
  const wake = async (agentId: AgentId, dueAt: number, storage = kit.mine): Promise<Execution> => {
    const execution = sampleExecution(agentId, { status: 'success' })
    await storage.transaction(async (tx) => {
      await tx.executions.insert(execution)
      await tx.wakes.schedule(execution.requestId, agentId, dueAt)
    })
    return execution
  }
  const seen = (execution: Execution): Promise<void> =>
    kit.mine.transaction((tx) => tx.executions.update({ ...execution, seenAt: 7 }))
  const due = async (agentId: AgentId, now: number, limit = 9): Promise<RequestId[]> =>
    (await kit.mine.read(({ wakes }) => wakes.due(agentId, now, limit))).map(({ requestId }) => requestId)
  const dueAgents = (now: number) => kit.mine.read(({ wakes }) => wakes.dueAgents(now))
  const nextDueAt = (after: number) => kit.mine.read(({ wakes }) => wakes.nextDueAt(after))

  it('offers what is due of an agent, the one that waits longest first and equal ones by id', async () => {
    const agentId = await agentIn(kit.mine)
    const late = await wake(agentId, 30)
    const [a, b] = [await wake(agentId, 20), await wake(agentId, 20)]
    const early = await wake(agentId, 10)
    const equal = [a.requestId, b.requestId].sort()
    expect(await due(agentId, 9)).toEqual([])
    expect(await due(agentId, 20)).toEqual([early.requestId, ...equal])
    expect(await due(agentId, 99)).toEqual([early.requestId, ...equal, late.requestId])
    expect(await due(agentId, 99, 2)).toEqual([early.requestId, equal[0]])
    expect(await kit.mine.read(({ wakes }) => wakes.due(agentId, 10, 1))).toEqual([
      {
        requestId: early.requestId,
        agentId,
        skillId: early.skillId,
        status: 'success',
        delivered: 0,
        lastError: null,
        createdAt: 10,
      },
    ])
  })

  it('names agents with something due, the one that waits longest first, and when the next is due', async () => {
    const [one, two, three] = [await agentIn(kit.mine), await agentIn(kit.mine), await agentIn(kit.mine)]
    await wake(two, 20)
    await wake(one, 30)
    await wake(one, 10)
    await wake(three, 40)
    const equal = [await agentIn(kit.mine), await agentIn(kit.mine), await agentIn(kit.mine)]
    for (const agentId of equal) await wake(agentId, 50)
    expect((await dueAgents(50)).slice(3)).toEqual(equal.toSorted())
    expect(await dueAgents(9)).toEqual([])
    expect(await dueAgents(30)).toEqual([one, two])
    expect(await dueAgents(40)).toEqual([one, two, three])
    expect([await nextDueAt(0), await nextDueAt(10), await nextDueAt(39)]).toEqual([10, 20, 40])
    expect(await nextDueAt(50)).toBeUndefined()
  })

  it('offers nothing of what was fetched, and drops it', async () => {
    const agentId = await agentIn(kit.mine)
    const [fetched, waiting] = [await wake(agentId, 10), await wake(agentId, 20)]
    await seen(fetched)
    expect(await due(agentId, 99)).toEqual([waiting.requestId])
    expect(await nextDueAt(0)).toBe(20)
    await kit.mine.transaction(({ wakes }) => wakes.closeSeen())
    expect(await kit.sql(`SELECT request_id FROM wakes WHERE tenant_id = '${kit.me}'`)).toEqual([
      { request_id: waiting.requestId },
    ])
  })

  it('counts what was accepted, says why not, and begins anew when it is scheduled again', async () => {
    const agentId = await agentIn(kit.mine)
    const { requestId } = await wake(agentId, 10)
    const other = await wake(agentId, 10)
    const state = async (): Promise<unknown> => {
      const found = await kit.mine.read(({ wakes }) => wakes.due(agentId, 999, 9))
      const { delivered, lastError, createdAt } = found.find((each) => each.requestId === requestId) ?? {}
      return [delivered, lastError, createdAt]
    }
    await kit.mine.transaction(async ({ wakes }) => {
      await wakes.delivered(requestId, 100)
      await wakes.delivered(requestId, 200)
    })
    expect([await state(), await due(agentId, 199)]).toEqual([[2, null, 10], [other.requestId]])
    await kit.mine.transaction(({ wakes }) => wakes.postpone(requestId, 300, 'refused \0\ud800'))
    expect([await state(), await due(agentId, 299)]).toEqual([
      [2, 'refused \ufffd\ufffd', 10],
      [other.requestId],
    ])
    await kit.mine.transaction(({ wakes }) => wakes.delivered(requestId, 400))
    expect(await state()).toEqual([3, null, 10])
    await kit.mine.transaction(async ({ wakes }) => {
      await wakes.postpone(requestId, 500, 'refused')
      await wakes.schedule(requestId, agentId, 50)
    })
    expect([await state(), await nextDueAt(10)]).toEqual([[0, null, 10], 50])
  })

  it('makes what failed due now, and brings nothing back that is due or was accepted', async () => {
    const agentId = await agentIn(kit.mine)
    const [failed, accepted, earlier] = [
      await wake(agentId, 10),
      await wake(agentId, 10),
      await wake(agentId, 10),
    ]
    await kit.mine.transaction(async ({ wakes }) => {
      await wakes.postpone(failed.requestId, 500, 'refused')
      await wakes.delivered(accepted.requestId, 500)
      await wakes.postpone(earlier.requestId, 20, 'refused')
      await wakes.retryFailed(50)
    })
    expect(await due(agentId, 49)).toEqual([earlier.requestId])
    expect(await due(agentId, 50)).toEqual([earlier.requestId, failed.requestId])
  })

  it('closes one, and those of an agent', async () => {
    const [one, two] = [await agentIn(kit.mine), await agentIn(kit.mine)]
    const [a, b, c] = [await wake(one, 10), await wake(one, 10), await wake(two, 10)]
    await kit.mine.transaction(({ wakes }) => wakes.close(a.requestId))
    expect([await due(one, 10), await due(two, 10)]).toEqual([[b.requestId], [c.requestId]])
    await kit.mine.transaction(({ wakes }) => wakes.closeOfAgent(one))
    expect([await due(one, 10), await due(two, 10)]).toEqual([[], [c.requestId]])
  })

  it('is scheduled by two at once', async () => {
    const agentId = await agentIn(kit.mine)
    const { requestId } = await wake(agentId, 10)
    const again = (dueAt: number) =>
      kit.mine.transaction(({ wakes }) => wakes.schedule(requestId, agentId, dueAt))
    await Promise.all([again(20), again(20)])
    expect(await due(agentId, 20)).toEqual([requestId])
  })

  it('shows a tenant nothing of another, and changes nothing of it', async () => {
    const agentId = await agentIn(kit.theirs)
    const { requestId } = await wake(agentId, 10, kit.theirs)
    const theirs = () => kit.theirs.read(({ wakes }) => wakes.due(agentId, 10, 9))
    const before = await theirs()
    await kit.mine.transaction(async ({ wakes }) => {
      expect([await wakes.due(agentId, 99, 9), await wakes.dueAgents(99), await wakes.nextDueAt(0)]).toEqual([
        [],
        [],
        undefined,
      ])
      await wakes.delivered(requestId, 99)
      await wakes.postpone(requestId, 99, 'mine')
      await wakes.retryFailed(0)
      await wakes.close(requestId)
      await wakes.closeOfAgent(agentId)
      await wakes.closeSeen()
    })
    const scheduling = kit.mine.transaction(({ wakes }) => wakes.schedule(requestId, agentId, 99))
    // Refused or without effect, as the engine has it; never taken over.
    await scheduling.catch(() => {})
    expect(await theirs()).toEqual(before)
  })

  it('is found through an index', async () => {
    for (const storage of [kit.mine, kit.theirs]) {
      const tenant = storage === kit.mine ? kit.me : kit.them
      const agentId = await agentIn(storage)
      await kit.sql(`INSERT INTO executions (tenant_id, request_id, skill_id, code_hash, status, created_at, agent_id, consent,
          consent_hash, changes, expires_at, trusted, seen_at)
        SELECT '${tenant}', 'req_${tenant}' || n, 's', 'c', 'success', n, '${agentId}', '{}', 'h' || n, '[]', n, 0,
          CASE WHEN n > 1500 THEN n END
        FROM (${kit.numbers(4_000)}) AS numbers`)
      await kit.sql(`INSERT INTO wakes (tenant_id, request_id, agent_id, next_at, created_at)
        SELECT tenant_id, request_id, agent_id, created_at, created_at FROM executions
        WHERE tenant_id = '${tenant}' AND created_at <= 2000`)
    }
    await kit.sql('ANALYZE')
    const [agent] = await kit.sql(`SELECT id FROM agents WHERE tenant_id = '${kit.me}'`)
    const agentId = agent?.id as AgentId
    await kit.expectIndexed('due wakes of an agent', ({ wakes }) => wakes.due(agentId, 5, 10))
    await kit.expectIndexed('whose wakes are due', ({ wakes }) => wakes.dueAgents(5), [
      'Seq Scan on agents',
      'SEARCH agents',
      'agents_pkey',
    ])
    await kit.expectIndexed('when the next is due', ({ wakes }) => wakes.nextDueAt(5))
  })
})
