import { expect, it } from 'vitest'
import { storeContract } from '../../test/support/store-contract.ts'
import { sampleAgent, sampleExecution } from '../../test/support/store-samples.ts'
import { createAgentStore } from '../identity/agents/agent-store.ts'
import type { AgentId, CodeHash, ConsentHash, RequestId, Storage, Tx } from '../kernel/index.ts'
import { EXECUTION_STATES, type Execution, type ExecutionSummary } from './execution.ts'
import { createExecutionStore } from './execution-store.ts'

const stores = { agents: createAgentStore, executions: createExecutionStore }

storeContract('the store of executions', stores, (kit) => {
  const agentIn = async (storage: Storage): Promise<AgentId> => {
    const agent = sampleAgent()
    await storage.transaction((tx) => tx.agents.insert(agent))
    return agent.id
  }
  const put = (storage: Storage, ...executions: Execution[]): Promise<void> =>
    storage.transaction(async (tx) => {
      for (const execution of executions) await tx.executions.insert(execution)
    })
  const find = (requestId: RequestId, storage = kit.mine): Promise<Execution | undefined> =>
    storage.read((tx) => tx.executions.byRequestId(requestId))
  const ids = (rows: readonly (Execution | ExecutionSummary)[]): string[] => rows.map((row) => row.requestId)

  const consentOf = ({ consentJson, consentHash }: Execution) => ({ consentJson, consentHash })
  const whole = (agentId: AgentId): Execution =>
    sampleExecution(agentId, {
      status: 'failed',
      changes: ['a host more', 'ünïcödé 🦀'],
      expiresAt: Number.MAX_SAFE_INTEGER,
      trusted: true,
      decision: 'trust24h_any',
      decidedBy: 'telegram:1',
      decidedByName: 'Zoë',
      decidedAt: 2_000,
      denyReason: 'no',
      startedAt: 3_000,
      finishedAt: 4_000,
      durationMs: 1_000,
      failure: 'timeout',
      result: { stdout: 'a\0b\ud800', stderr: 'x'.repeat(300_000), exitCode: 0, truncated: false },
      seenAt: 5_000,
      ackedAt: 6_000,
    })

  it('gives back every field as it was stored, also of great size', async () => {
    const execution = whole(await agentIn(kit.mine))
    const empty = sampleExecution(execution.agentId)
    await put(kit.mine, execution, empty)
    expect(await find(execution.requestId)).toEqual(execution)
    expect(await find(empty.requestId)).toEqual(empty)
    expect(await find(`req_${'0'.repeat(32)}` as RequestId)).toBeUndefined()
  })

  it('keeps the text of a consent once, of this tenant alone, and takes it from a row of before too', async () => {
    const agentId = await agentIn(kit.mine)
    const first = sampleExecution(agentId, { status: 'success', consentJson: '{"v":3,"é":1}' })
    const second = { ...sampleExecution(agentId, { status: 'success' }), ...consentOf(first) }
    const other = {
      ...sampleExecution(await agentIn(kit.theirs), { status: 'success' }),
      ...consentOf(first),
    }
    await put(kit.mine, first, second)
    await put(kit.theirs, other)
    for (const [execution, storage] of [[first], [second], [other, kit.theirs]] as const)
      expect(await find(execution.requestId, storage)).toEqual(execution)
    const texts = `SELECT text, uses FROM consents WHERE tenant_id = '${kit.me}'`
    expect(await kit.sql(texts)).toEqual([{ text: first.consentJson, uses: 2 }])
    expect(await kit.sql(`SELECT DISTINCT consent FROM executions WHERE tenant_id = '${kit.me}'`)).toEqual([
      { consent: '' },
    ])
    await kit.sql(`UPDATE executions SET consent = '{"v":1}' WHERE request_id = '${second.requestId}'`)
    expect(await find(second.requestId)).toEqual({ ...second, consentJson: '{"v":1}' })
    await kit.sql(`DELETE FROM consents WHERE tenant_id = '${kit.me}'`)
    // What opens it finds that it is not what the hash names.
    expect(await find(first.requestId)).toMatchObject({ consentJson: '' })
  })

  it('updates what can change, and nothing of what cannot', async () => {
    const agentId = await agentIn(kit.mine)
    const [before, other] = [sampleExecution(agentId), sampleExecution(agentId)]
    await put(kit.mine, before, other)
    const after = { ...whole(agentId), requestId: before.requestId, consentHash: before.consentHash }
    await kit.mine.transaction((tx) =>
      tx.executions.update({ ...after, consentJson: 'another', skillId: 'another', createdAt: 7 }),
    )
    expect(await find(before.requestId)).toEqual({
      ...after,
      changes: before.changes,
      expiresAt: before.expiresAt,
      trusted: before.trusted,
    })
    expect(await find(other.requestId)).toEqual(other)
  })

  it('keeps what a person is called and wrote in a form that every engine keeps', async () => {
    const execution = sampleExecution(await agentIn(kit.mine), { status: 'denied' })
    await put(kit.mine, { ...execution, decidedByName: 'N\0\ud800', denyReason: '\udc00 no' })
    expect(await find(execution.requestId)).toEqual({
      ...execution,
      decidedByName: 'N\ufffd\ufffd',
      denyReason: '\ufffd no',
    })
  })

  it('says which was approved and how many bytes its output has, for who reads the table', async () => {
    const agentId = await agentIn(kit.mine)
    const result = { stdout: 'é', stderr: '', exitCode: 0, truncated: false }
    const denied = sampleExecution(agentId, { status: 'denied', decidedAt: 5 })
    const done = sampleExecution(agentId, { status: 'success', decidedAt: 5, result })
    const dropped = sampleExecution(agentId, { status: 'success', result: { ...result, notKept: true } })
    await put(kit.mine, denied, done, dropped)
    expect(
      await kit.sql(
        `SELECT approved, output_bytes FROM executions WHERE tenant_id = '${kit.me}' ORDER BY id`,
      ),
    ).toEqual([
      { approved: 0, output_bytes: 0 },
      { approved: 1, output_bytes: Buffer.byteLength(JSON.stringify(result)) },
      { approved: 0, output_bytes: 0 },
    ])
  })

  it('finds what waits: the duplicate, of the same code, how many; not what is decided or another agent asked', async () => {
    const [agentId, other] = [await agentIn(kit.mine), await agentIn(kit.mine)]
    const pending = sampleExecution(agentId)
    const secretless = sampleExecution(agentId, { status: 'awaiting_secrets' })
    const over = sampleExecution(agentId, { expiresAt: 50 })
    const approved = sampleExecution(agentId, { status: 'approved' })
    const foreign = sampleExecution(other, { consentHash: pending.consentHash })
    const otherCode = sampleExecution(agentId, { codeHash: 'd'.repeat(64) as CodeHash })
    await put(kit.mine, pending, secretless, over, approved, foreign, otherCode)
    await kit.mine.read(async ({ executions }) => {
      expect(await executions.waitingDuplicate(agentId, pending.consentHash)).toEqual(pending)
      expect(await executions.waitingDuplicate(other, pending.consentHash)).toEqual(foreign)
      expect(await executions.waitingDuplicate(agentId, approved.consentHash)).toBeUndefined()
      expect(ids(await executions.waitingOf(agentId, pending.codeHash))).toEqual(
        ids([pending, secretless, over]),
      )
      expect(await executions.countWaiting(agentId, 49)).toBe(4)
      expect(await executions.countWaiting(agentId, 50)).toBe(3)
      expect(await executions.countWaiting('agt_0000000000000000' as AgentId, 0)).toBe(0)
    })
  })

  it('lists what is open in each state in the order in which it came, and of no final state', async () => {
    const agentId = await agentIn(kit.mine)
    const all = EXECUTION_STATES.flatMap((status) => [
      sampleExecution(agentId, { status, createdAt: 9 }),
      sampleExecution(agentId, { status, createdAt: 5 }),
    ])
    await put(kit.mine, ...all)
    for (const status of EXECUTION_STATES) {
      const isOpen = ['pending', 'awaiting_secrets', 'approved', 'running'].includes(status)
      const found = await kit.mine.read((tx) => tx.executions.inStatus(status))
      expect(ids(found)).toEqual(isOpen ? ids(all.filter((execution) => execution.status === status)) : [])
    }
  })

  it('offers what has run out, the earliest first and equal ones in order, five hundred at a time', async () => {
    const agentId = await agentIn(kit.mine)
    const late = sampleExecution(agentId, { expiresAt: 90 })
    const many = Array.from({ length: 501 }, () =>
      sampleExecution(agentId, { expiresAt: 80, status: 'awaiting_secrets' }),
    )
    const early = sampleExecution(agentId, { expiresAt: 70 })
    const decided = sampleExecution(agentId, { expiresAt: 60, status: 'approved' })
    await put(kit.mine, late, ...many, early, decided)
    const expired = (now: number) => kit.mine.read((tx) => tx.executions.expiredBy(now))
    expect(ids(await expired(69))).toEqual([])
    expect(ids(await expired(70))).toEqual(ids([early]))
    expect(ids(await expired(95))).toEqual(ids([early, ...many.slice(0, 499)]))
  })

  it('pages the newest first by row, of an agent or all, of some states or any, without results', async () => {
    const [one, two] = [await agentIn(kit.mine), await agentIn(kit.mine)]
    const rows = Array.from({ length: 12 }, (_, at) =>
      sampleExecution(at % 3 === 0 ? two : one, {
        status: EXECUTION_STATES[at % 4] ?? 'pending',
        result: { stdout: 'hidden', stderr: '', exitCode: 0, truncated: false },
      }),
    )
    await put(kit.mine, ...rows)
    const newest = rows.toReversed()
    const list = (filter: Parameters<typeof pages>[0]) => pages(filter)
    const pages = async (filter: {
      agentId?: AgentId
      statuses?: readonly Execution['status'][]
    }): Promise<ExecutionSummary[]> => {
      const all: ExecutionSummary[] = []
      for (let before: number | undefined; ; before = all.at(-1)?.rowId) {
        const page = await kit.mine.read((tx) =>
          tx.executions.list({ ...filter, ...(before === undefined ? {} : { before }), limit: 5 }),
        )
        if (page.length === 0) return all
        all.push(...page)
      }
    }
    expect(ids(await list({}))).toEqual(ids(newest))
    expect(ids(await list({ agentId: one }))).toEqual(ids(newest.filter((row) => row.agentId === one)))
    const states = ['pending', 'approved'] as const
    const isWanted = (row: Execution): boolean => (states as readonly string[]).includes(row.status)
    expect(ids(await list({ statuses: states }))).toEqual(ids(newest.filter(isWanted)))
    expect(ids(await list({ statuses: [...states, 'pending'], agentId: one }))).toEqual(
      ids(newest.filter((row) => row.agentId === one && isWanted(row))),
    )
    const [summary] = await list({})
    const { result, consentJson, ...shown } = newest[0] as Execution
    expect(summary).toEqual({ ...shown, rowId: expect.any(Number) })
  })

  it('finds ids by their beginning, two at most, with no character as a wildcard and case told apart', async () => {
    const agentId = await agentIn(kit.mine)
    const made = ['req_bb', 'req_ba', 'req_bc', 'req_B_', 'req_c%'].map((requestId) =>
      sampleExecution(agentId, { requestId: `${requestId}${kit.me}` as RequestId }),
    )
    await put(kit.mine, ...made)
    const begins = (prefix: string) => kit.mine.read((tx) => tx.executions.byPrefix(prefix))
    expect(await begins('req_b')).toEqual([`req_ba${kit.me}`, `req_bb${kit.me}`])
    expect(await begins('req_B')).toEqual([`req_B_${kit.me}`])
    for (const none of ['req_%', 'req__', 'eq_', 'req_b%', 'REQ_']) expect(await begins(none)).toEqual([])
    expect(await begins('')).toHaveLength(2)
  })

  it('lets one of two wait that ask the same, whoever comes first', async () => {
    const agentId = await agentIn(kit.mine)
    const consentHash = 'e'.repeat(64) as ConsentHash
    const duplicates = [1, 2, 3].map(() => sampleExecution(agentId, { consentHash }))
    const outcomes = await Promise.allSettled(duplicates.map((one) => put(kit.mine, one)))
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    // One that is decided stands in nobody's way.
    await put(kit.mine, sampleExecution(agentId, { consentHash, status: 'denied' }))
  })

  it('remembers an idempotency key for exactly one of two requests at once, and undoes the other', async () => {
    const agentId = await agentIn(kit.mine)
    const both = [sampleExecution(agentId), sampleExecution(agentId)]
    const outcomes = await Promise.allSettled(
      both.map((execution) =>
        kit.mine.transaction(async (tx) => {
          await tx.executions.insert(execution)
          await tx.executions.remember(agentId, 'k', { requestId: execution.requestId, bodyHash: 'h' }, 1)
        }),
      ),
    )
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    const winner = both[outcomes.findIndex(({ status }) => status === 'fulfilled')] as Execution
    await kit.mine.read(async ({ executions }) => {
      expect(await executions.idempotencyEntry(agentId, 'k')).toEqual({
        requestId: winner.requestId,
        bodyHash: 'h',
      })
      for (const [agent, key] of [[agentId, 'K'] as const, ['agt_0' as AgentId, 'k'] as const])
        expect(await executions.idempotencyEntry(agent, key)).toBeUndefined()
      expect(ids(await executions.list({ limit: 9 }))).toEqual([winner.requestId])
    })
  })

  it('gives an idempotency key to one request, whichever of two nodes is asked first', async () => {
    const agentId = await agentIn(kit.mine)
    const nodes = kit.engine === 'postgres' ? [kit.mine, await kit.onAnotherNode()] : [kit.mine]
    const ask = (at: number): Promise<string> =>
      (nodes[at % nodes.length] ?? kit.mine).transaction(async ({ executions }) => {
        const first = await executions.idempotencyEntry(agentId, 'k')
        if (first !== undefined) return first.requestId
        const execution = sampleExecution(agentId)
        await executions.insert(execution)
        await executions.remember(agentId, 'k', { requestId: execution.requestId, bodyHash: 'h' }, 1)
        return execution.requestId
      })
    const answers = await Promise.all(Array.from({ length: 8 }, (_, at) => ask(at)))
    expect(new Set(answers).size).toBe(1)
    expect(ids(await kit.mine.read(({ executions }) => executions.list({ limit: 9 })))).toEqual([answers[0]])
  })

  it('lets a unit that looks before it decides see what the one before it decided, on whichever node', async () => {
    const agentId = await agentIn(kit.mine)
    const { requestId } = sampleExecution(agentId)
    await put(kit.mine, sampleExecution(agentId, { requestId }))
    const other = kit.engine === 'postgres' ? await kit.onAnotherNode() : kit.mine
    const decide = (decidedBy: string): Promise<boolean> =>
      ('ab'.includes(decidedBy) ? kit.mine : other).transaction(async ({ executions }) => {
        const execution = await executions.byRequestId(requestId)
        if (execution?.status !== 'pending') return false
        await executions.update({ ...execution, status: 'approved', decidedBy, decidedAt: 5 })
        return true
      })
    const decided = await Promise.all(['a', 'b', 'c', 'd'].map(decide))
    expect(decided.filter((won) => won)).toHaveLength(1)
    expect((await find(requestId))?.decidedBy).toBe('abcd'[decided.indexOf(true)])
  })

  it('forgets the oldest idempotency keys, five hundred at a time, and only what is older', async () => {
    const agentId = await agentIn(kit.mine)
    const entry = { requestId: 'req_1' as RequestId, bodyHash: 'h' }
    await kit.mine.transaction(async ({ executions }) => {
      for (let at = 0; at < 503; at += 1) await executions.remember(agentId, `k${at}`, entry, at)
    })
    const kept = async (): Promise<unknown> =>
      kit.sql(`SELECT created_at FROM idempotency WHERE tenant_id = '${kit.me}' ORDER BY created_at`)
    await kit.mine.transaction((tx) => tx.executions.forgetIdempotencyBefore(502))
    expect(await kept()).toEqual([{ created_at: 500 }, { created_at: 501 }, { created_at: 502 }])
    await kit.mine.transaction((tx) => tx.executions.forgetIdempotencyBefore(502))
    expect(await kept()).toEqual([{ created_at: 502 }])
    expect(await kit.mine.read((tx) => tx.executions.hasIdempotencyBefore(502))).toBe(false)
    expect(await kit.mine.read((tx) => tx.executions.hasIdempotencyBefore(503))).toBe(true)
  })

  it('shows a tenant nothing of another, and changes nothing of it', async () => {
    const agentId = await agentIn(kit.theirs)
    const execution = sampleExecution(agentId)
    await put(kit.theirs, execution)
    await kit.theirs.transaction((tx) =>
      tx.executions.remember(agentId, 'k', { requestId: execution.requestId, bodyHash: 'h' }, 1),
    )
    await kit.mine.transaction(async ({ executions }) => {
      expect(await executions.byRequestId(execution.requestId)).toBeUndefined()
      expect(await executions.waitingDuplicate(agentId, execution.consentHash)).toBeUndefined()
      expect(await executions.waitingOf(agentId, execution.codeHash)).toEqual([])
      expect(await executions.countWaiting(agentId, 0)).toBe(0)
      expect(await executions.inStatus('pending')).toEqual([])
      expect(await executions.expiredBy(1e12)).toEqual([])
      expect(await executions.list({ limit: 10 })).toEqual([])
      expect(await executions.list({ agentId, statuses: ['pending'], limit: 10 })).toEqual([])
      expect(await executions.byPrefix(execution.requestId)).toEqual([])
      expect(await executions.idempotencyEntry(agentId, 'k')).toBeUndefined()
      expect(await executions.hasIdempotencyBefore(1e12)).toBe(false)
      await executions.update({ ...execution, status: 'cancelled' })
      await executions.remember(agentId, 'k', { requestId: 'req_mine' as RequestId, bodyHash: 'h' }, 1)
      await executions.forgetIdempotencyBefore(1e12)
    })
    expect(await find(execution.requestId, kit.theirs)).toEqual(execution)
    expect(await kit.theirs.read((tx) => tx.executions.idempotencyEntry(agentId, 'k'))).toBeDefined()
    // Nor can a row of one tenant name another's agent.
    await expect(put(kit.mine, sampleExecution(agentId))).rejects.toThrow()
  })

  it('finds everything through an index, however many rows there are', async () => {
    const agentId = await agentIn(kit.mine)
    await agentIn(kit.theirs)
    for (const tenant of [kit.me, kit.them]) {
      await kit.sql(`INSERT INTO executions (tenant_id, request_id, skill_id, code_hash, status, created_at, agent_id, consent,
          consent_hash, changes, expires_at, trusted)
        SELECT '${tenant}', 'req_${tenant}' || n, 's', 'c' || n % 50,
          CASE WHEN n % 1000 = 0 THEN 'pending' WHEN n % 997 = 0 THEN 'running' WHEN n % 5 = 0 THEN 'denied' ELSE 'success' END,
          n, agents.id, '{}', 'h' || n, '[]', n, 0
        FROM (${kit.numbers(6_000)}) AS numbers, agents WHERE agents.tenant_id = '${tenant}'`)
      await kit.sql(`INSERT INTO idempotency (tenant_id, agent_id, key, request_id, body_hash, created_at)
        SELECT '${tenant}', 'agt_' || n % 7, 'k' || n, 'r', 'b', n FROM (${kit.numbers(6_000)}) AS numbers`)
    }
    const quiet = await agentIn(kit.mine)
    await kit.sql(
      `UPDATE executions SET agent_id = '${quiet}' WHERE tenant_id = '${kit.me}' AND id % 100 = 0`,
    )
    await kit.sql('ANALYZE')
    const hash = 'h5' as ConsentHash
    const asked: Record<string, (tx: Tx) => Promise<unknown>> = {
      'an execution by its id': (tx) => tx.executions.byRequestId('req_1' as RequestId),
      'the waiting duplicate': (tx) => tx.executions.waitingDuplicate(agentId, hash),
      'what waits of code': (tx) => tx.executions.waitingOf(agentId, 'c5' as CodeHash),
      'how many wait': (tx) => tx.executions.countWaiting(agentId, 0),
      'what has run out': (tx) => tx.executions.expiredBy(5),
      'a page of what a grant covered': (tx) => tx.executions.ofGrant('grant:7', { before: 100, limit: 20 }),
      'what runs': (tx) => tx.executions.inStatus('running'),
      'what waits for secrets': (tx) => tx.executions.inStatus('awaiting_secrets'),
      'a page of all': (tx) => tx.executions.list({ limit: 20 }),
      "an agent's page": (tx) => tx.executions.list({ agentId: quiet, limit: 20 }),
      "an agent's next page": (tx) => tx.executions.list({ agentId: quiet, before: 5_000, limit: 20 }),
      "an agent's page of states": (tx) =>
        tx.executions.list({ agentId: quiet, statuses: ['success', 'denied'], before: 900, limit: 20 }),
      'what is open, for a person': (tx) =>
        tx.executions.list({ statuses: ['pending', 'awaiting_secrets'], limit: 20 }),
      'a short id': (tx) => tx.executions.byPrefix('req_ab'),
      'an idempotency key': (tx) => tx.executions.idempotencyEntry(agentId, 'k'),
      'old idempotency keys': (tx) => tx.executions.forgetIdempotencyBefore(5),
      'whether there are old idempotency keys': (tx) => tx.executions.hasIdempotencyBefore(5),
    }
    // What waits stands in this index too, and is as little.
    for (const [what, ask] of Object.entries(asked)) {
      const isOfAgent = what.startsWith("an agent's")
      // Not the tenant's, which may be long and hold little of this agent's; nor are all of its rows sorted for a page.
      const used = isOfAgent ? ['executions_of_agent_by_status'] : []
      const plans = await kit.expectIndexed(what, ask, ['executions_expiring'], used)
      if (isOfAgent) expect(plans, what).not.toMatch(/USE TEMP B-TREE|\bSort\b/)
    }
  })
})
