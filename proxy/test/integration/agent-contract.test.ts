import { afterAll, beforeAll, expect, test } from 'vitest'
import { AGENT_ROUTES, type AgentRoutes, ALWAYS_REFUSED } from '../../src/contracts/agent/index.ts'
import { createRouteClient, pathOf, type Route, type RouteClient } from '../../src/contracts/index.ts'
import { SecretValue } from '../../src/kernel/index.ts'
import { type ApiKit, startApi } from '../support/api-kit.ts'

/** The agents' API held against its table: by a client that is made from it, and by calls that are not. */
let api: ApiKit
let client: RouteClient<AgentRoutes>
beforeAll(async () => {
  api = await startApi()
  await api.storage.transaction((tx) =>
    api.vault.put(tx, 'LISTED_KEY', new SecretValue('demo-value'), { hosts: undefined, actor: 'cli:0' }),
  )
  client = createRouteClient(AGENT_ROUTES, {
    async send({ method, path, body }) {
      const answer = await api.call(method, path, {
        headers: { 'content-type': 'application/json' },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      })
      if (answer.status >= 300) throw new Error(`${method} ${path} → ${answer.status} ${answer.text}`)
      return answer.json ?? answer.text
    },
    async *lines() {},
    bytes: async () => new Uint8Array(),
    strangeAnswer: () => new Error('an answer of another form than the table has'),
  })
})
afterAll(() => api[Symbol.asyncDispose]())

const BODY = { skill_id: 'demo', code: 'console.log(1)' }
const routes = Object.entries<Route>(AGENT_ROUTES)

async function submitted(code: string): Promise<string> {
  const answer = await client.call('execute', { body: { ...BODY, code } })
  if (!('request_id' in answer)) throw new Error('it was explained')
  return answer.request_id
}

test('a client of the table reads every answer of the agent API', async () => {
  const id = await submitted('first')
  expect(await client.call('execute', { body: BODY, query: { dry_run: '1' } })).toMatchObject({
    trusted: false,
  })
  const { executions, next } = await client.call('listExecutions', { query: { status: 'pending', limit: 1 } })
  expect([executions[0]?.request_id, next]).toEqual([id, null])
  const read = await client.call('readExecution', { params: { id }, query: { wait: 0 } })
  expect(await client.call('readExecutionStatus', { params: { id } })).toEqual(read)
  expect(await client.call('cancelExecution', { params: { id } })).toMatchObject({ status: 'cancelled' })
  expect(await client.call('followExecution', { params: { id } })).toContain('event: cancelled')
  expect(await client.call('acknowledgeExecution', { params: { id } })).toMatchObject({ request_id: id })
  const { secrets } = await client.call('listSecrets')
  expect(secrets).toEqual([{ name: 'LISTED_KEY', hosts: null }])
  expect((await client.call('health')).status).toBe('ok')
  expect(await client.call('metrics')).toContain('oauth3_')
  expect(await client.call('openapi')).toMatchObject({ openapi: '3.1.0' })
})

test('every route that takes a token refuses whoever has none, and the open ones are those of the table', async () => {
  for (const [name, route] of routes) {
    const { status, json } = await api.call(route.method, pathOf(route.path, { id: 'req_none' }), {
      token: null,
      headers: { 'content-type': 'application/json' },
      ...(route.body && { body: '{}' }),
    })
    if (route.scope === 'open') expect([name, status]).toEqual([name, 200])
    else expect([name, status, json.error.code]).toEqual([name, 401, 'unauthenticated'])
  }
})

test('what an agent route refuses is an error of its table', async () => {
  for (const [name, route] of routes) {
    if (route.scope === 'open') continue
    for (const query of [{}, { wait: '-1', limit: '0', dry_run: 'perhaps', surplus: '1' }]) {
      const body = name === 'mcp' ? '[]' : '{"surplus_member":1}'
      const answer = await api.call(route.method, pathOf(route.path, { id: 'req_none' }, query), {
        headers: { 'content-type': 'application/json' },
        ...(route.body && { body }),
      })
      if (answer.status < 300) continue
      const { code } = answer.json.error
      expect([...route.errors, ...ALWAYS_REFUSED], `${name}: ${answer.text}`).toContain(code)
    }
  }
})

test('each parameter of a query is held to what the table says of it', async () => {
  const wrong: [string, string][] = [
    ['/execute/req_none?wait=121', 'wait'],
    ['/execute/req_none/status?wait=1.5', 'wait'],
    ['/execute/req_none?wait=1&wait=2', 'wait'],
    ['/execute?limit=0', 'limit'],
    ['/execute?limit=101', 'limit'],
    ['/execute?status=pending,lost', 'status'],
    ['/execute?before=1', 'before'],
  ]
  for (const [path, name] of wrong) {
    const { status, json } = await api.call('GET', path)
    expect([path, status, json.error.code]).toEqual([path, 400, 'invalid_request'])
    expect(json.error.details[0].path).toEqual([name])
  }
  const { status, json } = await api.call('POST', '/execute?dry_rum=1', {
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(BODY),
  })
  expect([status, json.error.message]).toEqual([400, expect.stringContaining('no parameter "dry_rum"')])
})
