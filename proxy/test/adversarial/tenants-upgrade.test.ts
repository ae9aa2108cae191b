/** A WebSocket belongs to the tenant of its token, wherever the token stands and whoever else may use the provider. */
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { createTenantsKit, type TenantSide, type TenantsKit } from '../support/tenants-kit.ts'

const PATH = '/llm/openai/v1/realtime?model=gpt-realtime-demo'

let kit: TenantsKit
/** Of the default tenant, at the vendor. */
let ownKey: string
const vendor = new WebSocketServer({ noServer: true })
beforeAll(async () => {
  kit = await createTenantsKit()
  ownKey = await kit.llm.open('openai', { groups: ['realtime'] })
  kit.llm.vendors.onSocket('openai', (request, socket, head) =>
    vendor.handleUpgrade(request, socket, head, (open) =>
      open.on('message', (data, isBinary) => open.send(data, { binary: isBinary })),
    ),
  )
})
afterAll(async () => {
  expect(kit.llm.vendors.faults).toEqual([])
  await kit?.[Symbol.asyncDispose]()
})

const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` })
const dial = (headers: Record<string, string>, path = PATH, protocols: string[] = []): WebSocket =>
  new WebSocket(kit.llm.url.replace('http:', 'ws:') + path, protocols, { headers })
const opened = async (socket: WebSocket): Promise<WebSocket> => {
  await once(socket, 'open')
  return socket
}
async function echoed(socket: WebSocket, text: string): Promise<string> {
  const answered = once(socket, 'message')
  socket.send(text)
  return String((await answered)[0])
}
async function refusal(socket: WebSocket): Promise<string> {
  socket.on('error', () => {})
  const [, response] = (await once(socket, 'unexpected-response')) as [unknown, IncomingMessage]
  response.resume()
  return String(response.headers['x-oauth3-error'])
}
const calls = () => kit.llm.vendors.callsTo('openai')
const asks = async (side: TenantSide): Promise<string> =>
  JSON.stringify((await side.admin('GET', '/v1/audit?limit=1000')).body)

describe('the upgrade of a connection', () => {
  test('with one tenant’s token does not go out with another’s grant and key, wherever the token stands', async () => {
    const { acme, own } = kit
    const before = calls().length
    const asked: [Record<string, string>, string?, string[]?][] = [
      [bearer(acme.token)],
      [{ 'x-api-key': acme.token }],
      [{ 'api-key': acme.token }],
      [{}, `${PATH}&key=${acme.token}`],
      [{}, PATH, ['realtime', `openai-insecure-api-key.${acme.token}`]],
    ]
    for (const [headers, path, protocols] of asked) {
      const said = await refusal(dial({ ...headers, prefer: 'wait=0' }, path, protocols))
      expect(['approval_pending', 'unauthenticated'], JSON.stringify([headers, path])).toContain(said)
    }
    expect(calls()).toHaveLength(before)
    expect(await asks(acme)).toContain('provider.asked')
    expect(await asks(own)).not.toContain('provider.asked')
  })

  test('with the tokens of two tenants is refused by both', async () => {
    const { acme, own } = kit
    const before = calls().length
    for (const [first, second] of [
      [own.token, acme.token],
      [acme.token, own.token],
    ] as const) {
      expect(await refusal(dial({ ...bearer(first), 'x-api-key': second }))).toBe('ambiguous_credentials')
      const inProtocol = dial(bearer(first), PATH, [`openai-insecure-api-key.${second}`])
      expect(await refusal(inProtocol)).toBe('ambiguous_credentials')
      expect(await refusal(dial(bearer(first), `${PATH}&key=${second}`))).toBe('ambiguous_credentials')
    }
    expect(calls()).toHaveLength(before)
  })

  test('goes out with the key of its own tenant, is counted there, and ends with its agent alone', async () => {
    const { acme, own, llm } = kit
    const acmeKey = llm.vendors.addKey('openai')
    const added = await acme.admin('POST', '/v1/provider-keys', { provider: 'openai', value: acmeKey })
    expect(added.status, JSON.stringify(added.body)).toBe(200)
    const grant = { agent: 'claw', provider: 'openai', for_ms: null, groups: ['realtime'] }
    expect((await acme.admin('POST', '/v1/provider-grants', grant)).status).toBe(200)

    const theirs = await opened(dial(bearer(acme.token)))
    expect(calls().at(-1)?.key).toBe(acmeKey)
    const ours = await opened(dial(bearer(own.token)))
    expect(calls().at(-1)?.key).toBe(ownKey)
    expect(await Promise.all([echoed(theirs, 'a'), echoed(ours, 'b')])).toEqual(['a', 'b'])

    const closed = once(theirs, 'close')
    expect((await acme.admin('DELETE', '/v1/agents/claw')).status).toBe(200)
    await closed
    expect(await echoed(ours, 'still here')).toBe('still here')
    expect(await refusal(dial(bearer(acme.token)))).toBe('unauthenticated')
    const requests = async (side: TenantSide): Promise<number> =>
      (await side.admin('GET', '/v1/usage?by=model')).body.groups.reduce(
        (sum: number, group: { requests: number }) => sum + group.requests,
        0,
      )
    await expect.poll(() => requests(acme)).toBe(1)
    const counted = once(ours, 'close')
    ours.close()
    await counted
    await expect.poll(() => requests(own)).toBe(1)
  })
})
