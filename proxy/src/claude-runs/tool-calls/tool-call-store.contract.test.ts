import { expect, it } from 'vitest'
import { storeContract } from '../../../test/support/store-contract.ts'
import { idOf, type Tenant, tenantsOf } from '../../../test/support/tenants.ts'
import type { ToolCall } from './ports.ts'
import { createToolCallStore } from './tool-call-store.ts'

storeContract('the store of tool calls', { toolCalls: createToolCallStore }, (kit) => {
  const tenant = tenantsOf(kit)
  const withApps = async (): Promise<Tenant> => {
    const own = await tenant()
    for (const app of ['app_1', 'app_2'])
      await own.rows(`INSERT INTO apps (tenant_id, id, name, token_sha256, cidrs, scopes, tools, provider, limits, keeps_prompts, created_at)
        VALUES (?, '${idOf(own, app)}', '${app}', '${own.id}${app}', '[]', '[]', '[]', 'p', '{}', 0, 1)`)
    return own
  }
  const callOf = (own: Tenant, name: string, change: Partial<ToolCall> = {}): ToolCall => ({
    ...{ id: idOf(own, name), appId: idOf(own, 'app_1'), runId: 'run_1' as ToolCall['runId'] },
    ...{ promptSha256: 'a'.repeat(64), tool: 'WebFetch', input: '{"a":"\\u0000ü"}' },
    effect: { kind: 'host', host: 'a.example' },
    ...{ status: 'pending', createdAt: 10, expiresAt: 100, choice: null, denyReason: null },
    ...{ endedAt: null, decidedBy: null, decidedByName: null },
    ...change,
  })
  const insert = (own: Tenant, ...calls: ToolCall[]): Promise<void> =>
    own.write(async (tx) => {
      for (const call of calls) await tx.toolCalls.insert(call)
    })
  const idsOf = (calls: readonly ToolCall[]) => calls.map(({ id }) => id)

  it('gives back what it was given, and is settled once', async () => {
    const own = await withApps()
    const call = callOf(own, 'call_1')
    await insert(own, call, callOf(own, 'call_2'))
    expect(await own.read((tx) => tx.toolCalls.byId(call.id))).toEqual(call)
    const denied: ToolCall = {
      ...{ ...call, status: 'denied', choice: 'deny', denyReason: 'no', endedAt: 20 },
      ...{ decidedBy: 'telegram:1', decidedByName: 'Ann' },
    }
    await own.write((tx) => tx.toolCalls.settle(denied))
    await own.write((tx) => tx.toolCalls.settle({ ...denied, status: 'approved' }))
    expect(await own.read((tx) => tx.toolCalls.byId(call.id))).toEqual(denied)
    expect((await own.read((tx) => tx.toolCalls.byId(idOf(own, 'call_2'))))?.status).toBe('pending')
  })

  it('lists by app, run and state, the newest first, and counts what is not over', async () => {
    const own = await withApps()
    const appId = idOf(own, 'app_2') as ToolCall['appId']
    const [one, two, three] = [
      callOf(own, 'call_1', { createdAt: 1, expiresAt: 50 }),
      callOf(own, 'call_2', { createdAt: 2, runId: 'run_2' as ToolCall['runId'] }),
      callOf(own, 'call_3', { createdAt: 3, appId }),
    ]
    await insert(own, one, two, three, callOf(own, 'call_4', { createdAt: 4, status: 'denied', endedAt: 4 }))
    await own.read(async ({ toolCalls }) => {
      const list = (filter: object) => toolCalls.list({ which: 'waiting', limit: 9, ...filter }).then(idsOf)
      expect(await list({})).toEqual(idsOf([three, two, one]))
      expect(await list({ limit: 1 })).toEqual(idsOf([three]))
      expect(await list({ appId })).toEqual(idsOf([three]))
      expect(await list({ runId: 'run_2' })).toEqual(idsOf([two]))
      expect(await list({ which: 'newest', limit: 2 })).toEqual([idOf(own, 'call_4'), three.id])
      expect(await toolCalls.countWaiting(one.appId, 49)).toBe(2)
      expect(await toolCalls.countWaiting(one.appId, 50)).toBe(1)
      expect(idsOf(await toolCalls.overdue(49))).toEqual([])
      expect(idsOf(await toolCalls.overdue(50))).toEqual([one.id])
      expect(await toolCalls.idsBeginning('call_')).toHaveLength(2)
      expect(await toolCalls.idsBeginning('call_3')).toEqual([three.id])
      expect(await toolCalls.idsBeginning('CALL_')).toEqual([])
      expect(await toolCalls.idsBeginning('call%')).toEqual([])
    })
  })

  it('shows a tenant nothing of another, and settles nothing of it', async () => {
    const [own, other] = [await withApps(), await withApps()]
    const theirs = callOf(other, 'call_1')
    await insert(other, theirs)
    await own.write(async ({ toolCalls }) => {
      expect(await toolCalls.byId(theirs.id)).toBeUndefined()
      expect(await toolCalls.list({ which: 'newest', limit: 9 })).toEqual([])
      expect(await toolCalls.idsBeginning('call_')).toEqual([])
      expect(await toolCalls.countWaiting(theirs.appId, 0)).toBe(0)
      expect(await toolCalls.overdue(1_000)).toEqual([])
      await toolCalls.settle({ ...theirs, status: 'approved', choice: 'once' })
    })
    expect(await other.read((tx) => tx.toolCalls.byId(theirs.id))).toEqual(theirs)
  })
})
