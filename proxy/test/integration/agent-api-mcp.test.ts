import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { AGENT_ROUTES } from '../../src/contracts/agent/index.ts'
import { SecretValue } from '../../src/kernel/index.ts'
import { type ApiKit, startApi, until } from '../support/api-kit.ts'

/** The SDK's own client over real HTTP. */
let api: ApiKit
let client: Client
beforeEach(async () => {
  api = await startApi()
  client = await connected(api.token)
})
afterEach(async () => {
  await client.close()
  await api[Symbol.asyncDispose]()
})

async function connected(token: string): Promise<Client> {
  const made = new Client({ name: 'test', version: '1' })
  const transport = new StreamableHTTPClientTransport(new URL(`${api.url}/mcp`), {
    requestInit: { headers: { authorization: `Bearer ${token}` } },
  })
  await made.connect(transport as Transport)
  return made
}

interface Told {
  readonly isError: boolean
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers whose shape they assert themselves.
  readonly json: any
}
async function tool(name: string, input: Record<string, unknown> = {}, by = client): Promise<Told> {
  const answer = await by.callTool({ name, arguments: input })
  const text = (answer.content as { text: string }[])[0]?.text ?? ''
  expect(answer.structuredContent).toEqual(JSON.parse(text))
  return { isError: answer.isError === true, json: JSON.parse(text) }
}

const BODY = { skill_id: 'demo', code: 'console.log(1)' }
const RPC = (method: string, params: object = {}): string =>
  JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })
const HEADERS = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' }

test('offers the tools of the contract with their schemas', async () => {
  const { tools } = await client.listTools()
  const names = ['execute', 'explain', 'execution_status', 'list_secrets', 'list_requests', 'request_status']
  expect(tools.map((item) => item.name)).toEqual(names)
  expect(AGENT_ROUTES.mcp.summary).toContain(`tools ${names.join(', ')}.`)
  expect(tools[0]?.inputSchema.required).toContain('skill_id')
  expect(Object.keys(tools[0]?.inputSchema.properties ?? {})).toContain('skill_url')
})

test('tells the model how the tools are used, whichever revision was agreed on', () => {
  expect(client.getInstructions()).toContain('execution_status')
  expect(client.getServerVersion()?.name).toBe('oauth3')
})

test('gives each tool a schema of its answers, and the SDK holds all of them against it', async () => {
  const { tools } = await client.listTools()
  for (const { name, outputSchema } of tools) expect(outputSchema?.type, name).toBe('object')
  // `callTool` throws where an answer is not as the schema says, refusals included.
  expect((await tool('list_secrets')).isError).toBe(false)
  expect((await tool('explain', BODY)).isError).toBe(false)
  expect((await tool('execute', { skill_id: 'demo' })).isError).toBe(true)
  const asked = await tool('execute', BODY)
  await api.decide(asked.json.request_id)
  const done = await tool('execution_status', { request_id: asked.json.request_id, wait: 10 })
  expect(done.json.status).toBe('success')
})

test('execute waits for the person and the run as long as it is told', async () => {
  const asked = tool('execute', { ...BODY, wait: 30, idempotency_key: 'k-wait' })
  let waiting: { request_id: string }[] = []
  while (waiting.length === 0) waiting = (await api.call('GET', '/execute')).json.executions
  await api.decide((waiting[0] as { request_id: string }).request_id)
  expect((await asked).json).toMatchObject({ status: 'success', stdout: 'ran\n' })
  // How long somebody waits is no part of what is asked for.
  const again = await tool('execute', { ...BODY, idempotency_key: 'k-wait' })
  expect(again.json.request_id).toBe((await asked).json.request_id)
  for (const wait of [46, -1, 1.5, '5'])
    expect((await tool('execute', { ...BODY, wait })).json.error.code, String(wait)).toBe('invalid_request')
})

test('asks, learns the outcome, and reading it stops the wakes', async () => {
  const asked = await tool('execute', BODY)
  expect(asked).toMatchObject({ isError: false, json: { status: 'pending' } })
  const told = tool('execution_status', { request_id: asked.json.request_id, wait: 10 })
  await api.decide(asked.json.request_id)
  const done = await told
  expect(done.json).toMatchObject({ status: 'success', stdout: 'ran\n' })
  await until(async () => (await api.executions.resolve(asked.json.request_id)).seenAt !== null)
})

test('trusted code answers with its result; an idempotency key repeats the answer', async () => {
  await api.decide((await tool('execute', BODY)).json.request_id, 'forever')
  const first = await tool('execute', { ...BODY, idempotency_key: 'k1' })
  expect(first.json).toMatchObject({ status: 'success', trusted: true })
  const again = await tool('execute', { ...BODY, idempotency_key: 'k1' })
  expect(again.json.request_id).toBe(first.json.request_id)
  const overHttp = await api.execute(BODY, { 'idempotency-key': 'k1' })
  expect(overHttp.json.request_id).toBe(first.json.request_id)
})

test('explains what a request would ask for, and asks nobody', async () => {
  const explained = await tool('explain', {
    ...BODY,
    code: 'await fetch("https://api.example.com/v1/items/" + Deno.env.get("X"), { method: "DELETE" })',
    metadata: { network: ['api.example.com'] },
  })
  expect(explained.json).toMatchObject({
    capabilities: [{ host: 'api.example.com', methods: ['DELETE'], paths: ['/v1/items/*'], requests: 100 }],
    sends: 'DELETE api.example.com/v1/items/*',
    trusted: false,
  })
  expect((await api.call('GET', '/execute')).json.executions).toEqual([])
})

test('lists names and hosts of secrets, never values', async () => {
  await api.storage.transaction((tx) =>
    api.vault.put(tx, 'DEMO_KEY', new SecretValue('demo-value-abc'), {
      hosts: ['api.example.com'],
      actor: 'cli:1000',
    }),
  )
  const answer = await tool('list_secrets')
  expect(answer.json).toEqual({ secrets: [{ name: 'DEMO_KEY', hosts: ['api.example.com'] }] })
})

describe('refusals are those of HTTP', () => {
  test.each([
    [{ ...BODY, approve: true }, 'invalid_request'],
    [{ skill_id: 'demo' }, 'invalid_request'],
    [{ ...BODY, secrets: ['PATH'] }, 'invalid_request'],
    [{ ...BODY, args: { LD_PRELOAD: 'x' } }, 'invalid_request'],
    [{ ...BODY, runtime: 'cobol' }, 'unknown_runtime'],
    [{ ...BODY, idempotency_key: '' }, 'invalid_request'],
  ])('%j', async (input, code) => {
    const answer = await tool('execute', input)
    expect([answer.isError, answer.json.error.code]).toEqual([true, code])
    expect(api.rows('executions')).toBe(0)
    expect(api.events('request.refused')).toEqual([
      { actor: `agent:${api.agent.id}`, data: { code, surface: 'mcp', count: 1 } },
    ])
  })

  test("another agent's execution is not found, and a wait over 45 s is refused", async () => {
    const asked = await tool('execute', BODY)
    const two = await connected((await api.addAgent({ name: 'agent-two' })).token)
    const foreign = await tool('execution_status', { request_id: asked.json.request_id }, two)
    await two.close()
    expect([foreign.isError, foreign.json.error.code]).toEqual([true, 'not_found'])
    const long = await tool('execution_status', { request_id: asked.json.request_id, wait: 46 })
    expect(long.json.error.code).toBe('invalid_request')
  })

  test('HTTP and MCP share one rate', async () => {
    await client.close()
    await api[Symbol.asyncDispose]()
    api = await startApi({ ratePerMinute: 2 })
    client = await connected(api.token)
    await api.execute(BODY)
    expect((await tool('execute', BODY)).isError).toBe(false)
    const over = await tool('execute', BODY)
    expect([over.json.error.code, over.json.retry_after > 0]).toEqual(['rate_limited', true])
    expect((await api.execute(BODY)).status).toBe(429)
  })

  test('without a token nothing is answered, not even the list of tools', async () => {
    const answer = await api.call('POST', '/mcp', { token: null, body: RPC('tools/list'), headers: HEADERS })
    expect([answer.status, answer.json.error.code]).toEqual([401, 'unauthenticated'])
    await expect(connected('oa3_wrong')).rejects.toThrow()
  })

  test.each(['http://evil.example', 'https://evil.example:3737', 'null', 'http://127.0.0.1.evil.example'])(
    'a page of %s may not call, even when Host says the same',
    async (origin) => {
      const answer = await api.call('POST', '/mcp', {
        body: RPC('tools/list'),
        headers: { ...HEADERS, origin },
      })
      expect([answer.status, answer.json.error.code]).toEqual([403, 'address_not_allowed'])
    },
  )

  test('batches, other media types and large bodies are refused in the one shape', async () => {
    const batch = await api.call('POST', '/mcp', { body: `[${RPC('tools/list')}]`, headers: HEADERS })
    const type = await api.call('POST', '/mcp', {
      body: 'x',
      headers: { ...HEADERS, 'content-type': 'text/plain' },
    })
    const large = await api.call('POST', '/mcp', {
      body: RPC('x', { a: 'a'.repeat(2_097_152) }),
      headers: HEADERS,
    })
    expect([batch, type, large].map((answer) => [answer.status, answer.json.error.code])).toEqual([
      [400, 'invalid_request'],
      [415, 'unsupported_media_type'],
      [413, 'too_large'],
    ])
    const unknown = await api.call('POST', '/mcp', {
      body: RPC('tools/call', { name: 'approve' }),
      headers: HEADERS,
    })
    expect(unknown.json.error.code).toBe(-32602)
  })

  test('a draining daemon takes no new code', async () => {
    api.setAccepting(false)
    expect((await tool('execute', BODY)).json.error.code).toBe('shutting_down')
    expect((await tool('list_secrets')).isError).toBe(false)
  })
})
