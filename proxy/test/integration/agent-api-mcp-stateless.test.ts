/** MCP 2026-07-28 as its specification has it: every request stands alone. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Answer, type ApiKit, startApi } from '../support/api-kit.ts'

const VERSION = '2026-07-28'
const META = {
  'io.modelcontextprotocol/protocolVersion': VERSION,
  'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1' },
  'io.modelcontextprotocol/clientCapabilities': {},
}
const BODY = { skill_id: 'demo', code: 'console.log(1)' }

let api: ApiKit
beforeEach(async () => {
  api = await startApi()
})
afterEach(() => api[Symbol.asyncDispose]())

interface Sending {
  readonly headers?: Record<string, string | undefined>
  readonly meta?: Record<string, unknown>
  readonly message?: object
}
async function send(method: string, params: object = {}, more: Sending = {}): Promise<Answer> {
  const { name } = params as { name?: string }
  const headers: Record<string, string | undefined> = {
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    'mcp-protocol-version': VERSION,
    'mcp-method': method,
    'mcp-name': name,
    ...more.headers,
  }
  const body = {
    jsonrpc: '2.0',
    id: 7,
    method,
    params: { ...params, _meta: more.meta ?? META },
    ...more.message,
  }
  return await api.call('POST', '/mcp', {
    body: JSON.stringify(body),
    headers: Object.fromEntries(
      Object.entries(headers).filter((entry): entry is [string, string] => entry[1] !== undefined),
    ),
  })
}
const code = ({ status, json }: Answer): unknown => [status, json.id, json.error?.code]

test('says what it speaks, who it is and how it is used, to whoever asks first', async () => {
  const { status, json } = await send('server/discover')
  expect([status, json.id]).toEqual([200, 7])
  expect(json.result).toMatchObject({
    resultType: 'complete',
    supportedVersions: [VERSION],
    capabilities: { tools: {} },
    serverInfo: { name: 'oauth3' },
    instructions: expect.stringContaining('execution_status'),
  })
})

test('lists its tools with schemas of what they take and give', async () => {
  const { json } = await send('tools/list')
  expect(json.result).toMatchObject({ resultType: 'complete', cacheScope: 'public' })
  expect(json.result.ttlMs).toBeGreaterThanOrEqual(0)
  for (const tool of json.result.tools) {
    expect([tool.inputSchema.type, tool.outputSchema.type], tool.name).toEqual(['object', 'object'])
  }
})

test('calls a tool without a handshake, and waits for the person as long as it is told', async () => {
  const asked = send('tools/call', { name: 'execute', arguments: { ...BODY, wait: 30 } })
  let waiting: { request_id: string }[] = []
  while (waiting.length === 0) waiting = (await api.call('GET', '/execute')).json.executions
  await api.decide((waiting[0] as { request_id: string }).request_id)
  const { json } = await asked
  expect(json.result).toMatchObject({
    resultType: 'complete',
    isError: false,
    structuredContent: { status: 'success', stdout: 'ran\n' },
    _meta: { 'io.modelcontextprotocol/serverInfo': { name: 'oauth3' } },
  })
})

describe('refuses', () => {
  test.each<[string, Sending, unknown]>([
    [
      'another version, and names its own',
      {
        headers: { 'mcp-protocol-version': '2030-01-01' },
        meta: { ...META, 'io.modelcontextprotocol/protocolVersion': '2030-01-01' },
      },
      [400, 7, -32022],
    ],
    [
      'a head that says another version than the body',
      { headers: { 'mcp-protocol-version': '2025-11-25' } },
      [400, 7, -32020],
    ],
    ['a head without the version', { headers: { 'mcp-protocol-version': undefined } }, [400, 7, -32020]],
    ['a head that says another method', { headers: { 'mcp-method': 'tools/call' } }, [400, 7, -32020]],
    ['a head without the method', { headers: { 'mcp-method': undefined } }, [400, 7, -32020]],
    [
      'a request without capabilities',
      {
        meta: { 'io.modelcontextprotocol/protocolVersion': VERSION },
      },
      [400, 7, -32602],
    ],
    ['an id that is none', { message: { id: null } }, [400, undefined, -32600]],
  ])('%s', async (_what, sending, wanted) => {
    expect(code(await send('tools/list', {}, sending))).toEqual(wanted)
  })

  test('a tool’s name that differs in head and body, also in base64', async () => {
    const params = { name: 'list_secrets' }
    expect(code(await send('tools/call', params, { headers: { 'mcp-name': 'execute' } }))).toEqual([
      400, 7, -32020,
    ])
    const base64 = `=?base64?${Buffer.from('list_secrets').toString('base64')}?=`
    expect((await send('tools/call', params, { headers: { 'mcp-name': base64 } })).json.result.isError).toBe(
      false,
    )
  })

  test('methods that it does not have, of its own and of earlier revisions', async () => {
    for (const method of ['ping', 'resources/list', 'subscriptions/listen', 'toString'])
      expect(code(await send(method)), method).toEqual([404, 7, -32601])
  })

  test('tells the version that it supports', async () => {
    const { json } = await send(
      'tools/list',
      {},
      {
        headers: { 'mcp-protocol-version': '1900-01-01' },
        meta: { ...META, 'io.modelcontextprotocol/protocolVersion': '1900-01-01' },
      },
    )
    expect(json.error.data).toMatchObject({
      requested: '1900-01-01',
      supported: expect.arrayContaining([VERSION]),
    })
  })

  test('nobody’s token, whatever the request says of itself', async () => {
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'server/discover', params: { _meta: META } })
    const headers = {
      'content-type': 'application/json',
      'mcp-protocol-version': VERSION,
      'mcp-method': 'server/discover',
    }
    expect((await api.call('POST', '/mcp', { token: null, body, headers })).status).toBe(401)
  })
})
