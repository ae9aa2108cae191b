import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import express from 'express'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ADMIN_ROUTES } from '../../src/contracts/admin/index.ts'
import { AGENT_ROUTES } from '../../src/contracts/agent/index.ts'
import type { Route } from '../../src/contracts/index.ts'
import type { Execution } from '../../src/executions/index.ts'
import { createErrorHandler, mountRoutes } from '../../src/http/index.ts'
import { approverOfAccount } from '../../src/identity/authentication.ts'
import {
  type Action,
  assertAuthorized,
  PERMISSIONS,
  type Principal,
  resourceOf,
} from '../../src/identity/index.ts'
import { DEFAULT_TENANT, type TenantId } from '../../src/kernel/index.ts'
import type { ProviderAsk } from '../../src/llm/provider-access/index.ts'
import { startApi } from '../support/api-kit.ts'
import { createDomainKit, type DomainKit, requestOf } from '../support/domain-kit.ts'
import { approver, asAgent, owner } from '../support/principals.ts'

const OTHER = 'other' as TenantId

function approverOfOther(): Principal {
  const memberships = {
    approversOf: () => new Set(['7']) as ReadonlySet<string> as never,
    hasAccount: () => false,
  }
  const made = approverOfAccount(memberships, OTHER, { id: '7', name: 'Ann' })
  if (made === undefined) throw new Error('a member of the other tenant')
  return made
}

describe('who may not decide decides nothing', () => {
  let dir: string
  let kit: DomainKit
  let asked: Execution
  let ask: ProviderAsk
  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), 'oauth3-principals-'))
    kit = await createDomainKit({ dir })
    const { agent } = await kit.agents.add({ name: 'demo-agent' }, 'cli:0')
    asked = await kit.executions.submit(agent, requestOf())
    const use = { provider: 'openai', model: 'gpt-5', group: 'inference', path: '/chat/completions' } as const
    ask = await kit.llm.access.ask({ agentId: agent.id, ...use })
  })
  afterEach(async () => {
    await kit[Symbol.asyncDispose]()
    rmSync(dir, { recursive: true, force: true })
  })

  const refusals = () =>
    kit.db
      .prepare<[], { actor: string; data: string }>(
        "SELECT actor, data FROM audit_log WHERE event = 'approval.refused' ORDER BY id",
      )
      .all()
      .map(({ actor, data }) => [actor, (JSON.parse(data) as { reason: string }).reason])
  const untouched = async (): Promise<void> => {
    expect((await kit.executions.resolve(asked.requestId)).status).toBe('pending')
    expect((await kit.llm.access.resolve(ask.id)).status).toBe('pending')
    expect(await kit.storage.read((tx) => kit.trust.list(tx))).toEqual([])
    expect(kit.llm.access.grants()).toEqual([])
  }
  /** Every way in which a decision is taken. */
  const waysOf = (by: Principal): (() => Promise<unknown>)[] => {
    const { executions, approvals, storage, llm } = kit
    const hash = llm.access.contentHash(ask)
    return [
      () => executions.decide(asked.requestId, asked.consentHash, 'forever', by),
      () =>
        storage.transaction((tx) => approvals.choose(tx, asked.requestId, asked.consentHash, 'forever', by)),
      () => storage.transaction((tx) => approvals.choose(tx, ask.id, hash, 'deny', by)),
      () => llm.access.decide(ask.id, hash, { decision: 'always', scope: 'provider' }, by),
    ]
  }

  test.each([
    ['the agent that asks', () => asAgent(asked.agentId), () => `agent:${asked.agentId}`],
    ['an approver of another tenant', approverOfOther, () => 'telegram:7'],
    ['an owner of another tenant', () => owner('0', 'owner', OTHER), () => 'cli:0'],
  ])('%s', async (_who, by, actor) => {
    for (const decide of waysOf(by())) await decide().catch((error) => expect(error.code).toBe('refused'))
    await untouched()
    const rows = refusals()
    expect(rows).toEqual(Array.from({ length: 4 }, () => [actor(), 'not_permitted']))
  })

  test.each([
    ['a copy of an approver', () => ({ ...approver('7', 'Ann') })],
    ['an approver with another name', () => ({ ...approver('7', 'Ann'), name: 'Eve' })],
    [
      'an owner that was written down',
      () => ({ kind: 'owner', tenant: DEFAULT_TENANT, uid: '0', name: 'o' }),
    ],
    ['a decider of an actor', () => ({ actor: 'cli:0', name: 'owner' })],
  ])('%s, and the audit names nobody who did not ask', async (_what, forged) => {
    for (const decide of waysOf(forged() as Principal)) {
      await expect(decide()).rejects.toMatchObject({ code: 'internal' })
    }
    await untouched()
    expect(refusals()).toEqual([])
  })

  test('while an approver and the owner do, each under the name of their own', async () => {
    const { consentHash, requestId } = asked
    const decided = await kit.executions.decide(requestId, consentHash, 'deny', approver('7', 'Ann'))
    expect(decided).toMatchObject({
      accepted: true,
      subject: { decidedBy: 'telegram:7', decidedByName: 'Ann' },
    })
    const hash = kit.llm.access.contentHash(ask)
    const answer = { decision: 'deny', scope: 'provider' } as const
    expect(await kit.llm.access.decide(ask.id, hash, answer, owner('1000', 'root'))).toMatchObject({
      decidedBy: 'cli:1000',
      decidedByName: 'root',
    })
  })
})

describe('the tables of routes', () => {
  const admin = Object.entries<Route>(ADMIN_ROUTES)

  test('name an action for every route that somebody is asked for', () => {
    expect(admin.filter(([, { action }]) => !Object.hasOwn(PERMISSIONS, action ?? ''))).toEqual([])
    const agents = Object.entries<Route>(AGENT_ROUTES)
    const without = agents.filter(([, { action }]) => !Object.hasOwn(PERMISSIONS, action ?? ''))
    // The tools of MCP each name their own.
    expect(without.map(([name]) => name)).toEqual(['health', 'metrics', 'openapi', 'mcp'])
  })

  test('answer no route of the owner to whoever may not use it, and read nothing that was sent', async () => {
    const called: string[] = []
    const handlers = Object.fromEntries(admin.map(([name]) => [name, () => void called.push(name)]))
    const app = express()
    const stranger = owner('0', 'owner', OTHER)
    mountRoutes(app, ADMIN_ROUTES, () => ({
      handlers: handlers as never,
      assertAllowed: ({ action }: { action: Action }) =>
        assertAuthorized(stranger, action, resourceOf(DEFAULT_TENANT, action)),
    }))
    app.use(createErrorHandler({ error: () => {} }))
    const server = createServer(app)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    try {
      const root = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
      for (const [name, { method, path }] of admin) {
        const response = await fetch(root + path.replace(/:\w+/g, 'x'), { method })
        const { error } = (await response.json()) as { error: object }
        expect([name, response.status, error]).toEqual([
          name,
          409,
          expect.objectContaining({ code: 'refused', details: { reason: 'other_tenant' } }),
        ])
      }
      expect(called).toEqual([])
    } finally {
      server.closeAllConnections()
      server.close()
    }
  })
})

test("another agent's execution is answered in every way as one that does not exist", async () => {
  await using api = await startApi()
  const asked = await api.execute({ skill_id: 'demo', code: 'console.log(1)' })
  const { token } = await api.addAgent({ name: 'agent-two' })
  const ways = [
    ['GET', ''],
    ['GET', '?wait=1'],
    ['GET', '/status'],
    ['GET', '/events'],
    ['DELETE', ''],
    ['POST', '/ack'],
  ] as const
  const statusOf = async (id: string, method: string, rest: string) => {
    const { status, text } = await api.call(method, `/execute/${id}${rest}`, { token })
    return { status, text }
  }
  const toolOf = async (id: string) => {
    const params = { name: 'execution_status', arguments: { request_id: id } }
    const { status, text } = await api.call('POST', '/mcp', {
      token,
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params }),
      headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
    })
    return { status, text }
  }
  const none = `req_${'0'.repeat(32)}`
  const its = asked.json.request_id as string
  expect(asked.status).toBe(202)
  for (const [method, rest] of ways) {
    const told = await statusOf(its, method, rest)
    expect(told).toEqual(await statusOf(none, method, rest))
    expect(told.status).toBe(404)
  }
  const told = await toolOf(its)
  expect(told).toEqual(await toolOf(none))
  expect(told.text).toContain('not_found')
  expect((await api.executions.resolve(its)).status).toBe('pending')
  expect(api.events('execution.cancelled')).toEqual([])
})
