/** What the owner takes back is gone with the answer to the command: for the next request, and for one that waits. */
import { once } from 'node:events'
import { request as httpRequest } from 'node:http'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { chatBody, createLlmKit, type LlmKit } from '../support/llm-kit.ts'
import { ANN } from '../support/telegram-kit.ts'
import { begin, write } from '../support/vendor-doubles.ts'
import type { VendorName } from '../support/vendor-rules.ts'

const CHAT = '/llm/openai/v1/chat/completions'
/** In OpenAI's own form, so that its SDK throws; nothing of what the vendor said since. */
const TAKEN_BACK =
  /^data: \{"error":\{"message":"oauth3: The owner took back [^\n]*"code":"access_revoked"\}\}\n\n$/
const WAIT_0 = { prefer: 'wait=0' }

let kit: LlmKit
let token: string
let agent: string
let grant: number
let serial = 0
beforeAll(async () => {
  kit = await createLlmKit()
  await kit.addKey('openai')
})
beforeEach(async () => {
  agent = `fleeting-${++serial}x`
  token = await kit.addAgent(agent)
  grant = await kit.grant('openai', { agent })
})
afterAll(() => kit?.[Symbol.asyncDispose]())
afterEach(() => expect(kit.vendors.faults.splice(0)).toEqual([]))

const ask = (headers: Record<string, string> = WAIT_0) => kit.ask(CHAT, { token, body: chatBody(), headers })
const code = async (): Promise<string | null> => (await ask()).headers.get('x-oauth3-error')

/** A stream that is under way, and how to let it end. */
async function streaming(
  vendor: VendorName = 'openai',
  path = CHAT,
): Promise<{ read: () => Promise<string>; finish: () => void }> {
  const go = Promise.withResolvers<void>()
  kit.vendors.next(vendor, async (call, response) => {
    begin(call, response, { headers: { 'content-type': 'text/event-stream' } })
    await write(call, response, 'data: {"choices":[{"index":0,"delta":{"content":"one"}}]}\n\n')
    await Promise.race([go.promise, call.gone])
    await write(call, response, 'data: [DONE]\n\n')
    response.end()
  })
  const response = await fetch(kit.url + path, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(chatBody({ stream: true })),
  })
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
  return {
    read: async () => {
      const part = await reader?.read()
      return part?.done ? '' : (part?.value ?? '')
    },
    finish: () => go.resolve(),
  }
}

describe('a revoked agent', () => {
  it('is refused from the next request on', async () => {
    expect(await code()).toBeNull()
    await kit.revokeAgent(agent)
    const before = kit.vendors.calls.length
    for (const headers of [WAIT_0, {}]) expect((await ask(headers)).status).toBe(401)
    expect(kit.vendors.calls.length).toBe(before)
  })

  it('is given nothing more of a stream that is under way', async () => {
    const stream = await streaming()
    expect(await stream.read()).toContain('one')
    await kit.revokeAgent(agent)
    expect(await code()).toBe('unauthenticated')
    stream.finish()
    expect(await stream.read()).toMatch(TAKEN_BACK)
    expect(await stream.read()).toBe('')
  })

  it('that waits for the owner is not let in by a press that comes after', async () => {
    const other = await kit.addAgent(`${agent}-waiting`)
    const before = kit.vendors.calls.length
    const waiting = kit.ask(CHAT, { token: other, body: chatBody() })
    const card = await kit.daemon.telegram.waitForMessage(
      ({ text, buttons }) => buttons.length > 0 && text.includes(`${agent}-waiting`),
    )
    const data = card.callbacks.get('♾ Always') as string
    await kit.revokeAgent(`${agent}-waiting`)
    const answer = await waiting
    expect([401, 403]).toContain(answer.status)
    const press = await kit.daemon.telegram.pressRaw(kit.daemon.chatId, card.messageId, data, ANN).answered
    expect(press.text).not.toMatch(/^Granted/)
    expect((await kit.ask(CHAT, { token: other, body: chatBody(), headers: WAIT_0 })).status).toBe(401)
    expect(kit.vendors.calls.length).toBe(before)
  })

  it('takes its grants along: an agent of the same name asks anew', async () => {
    await kit.revokeAgent(agent)
    token = await kit.addAgent(agent)
    expect(await code()).toBe('approval_pending')
  })
})

describe('a revoked grant', () => {
  it('ends with the command, also while a stream is under way', async () => {
    const stream = await streaming()
    expect(await stream.read()).toContain('one')
    await kit.revokeGrant(grant)
    expect(await code()).toBe('approval_pending')
    stream.finish()
    expect(await stream.read()).toMatch(TAKEN_BACK)
    expect(await stream.read()).toBe('')
    await kit.daemon.restart()
    expect(await code()).toBe('approval_pending')
  })

  it('of somebody else ends no stream', async () => {
    const stream = await streaming()
    expect(await stream.read()).toContain('one')
    await kit.addAgent(`${agent}-beside`)
    await kit.revokeGrant(await kit.grant('openai', { agent: `${agent}-beside` }))
    await kit.revokeAgent(`${agent}-beside`)
    stream.finish()
    expect(await stream.read()).toContain('[DONE]')
  })

  it('is not brought back by a clock that goes back', async () => {
    const short = await kit.grant('openai', { agent, forMs: 3_600_000 })
    expect(short).not.toBe(grant)
    for (const { id, agent: of } of (await kit.admin('GET', '/v1/provider-grants')).grants)
      if (of === agent && id !== short) await kit.revokeGrant(id)
    expect(await code()).toBeNull()
    kit.advance(3_600_001)
    expect(await code()).toBe('approval_pending')
    kit.advance(-3_600_001)
    expect(await code()).toBe('approval_pending')
  })
})

describe('a removed key', () => {
  it('is used by no request that comes after', async () => {
    const path = '/llm/deepseek/v1/chat/completions'
    await kit.grant('deepseek', { agent })
    const { id, value } = await kit.addKey('deepseek')
    expect((await kit.ask(path, { token, body: chatBody() })).status).toBe(200)
    await kit.removeKey(id)
    const refused = await kit.ask(path, { token, body: chatBody() })
    expect([refused.status, refused.headers.get('x-oauth3-error')]).toEqual([403, 'no_key'])
    const next = await kit.addKey('deepseek')
    expect(next.id).not.toBe(id)
    expect((await kit.ask(path, { token, body: chatBody() })).status).toBe(200)
    expect(kit.vendors.callsTo('deepseek').map(({ key }) => key)).toEqual([value, next.value])
  })

  it('is one that the agent may not use any more: its streams end', async () => {
    const path = '/llm/xai/v1/chat/completions'
    await kit.admin('PUT', `/v1/agents/${agent}/tags`, { tags: ['vip', 'eu'] })
    await kit.addKey('xai', { tags: ['vip'], label: `of-${agent}` })
    await kit.grant('xai', { agent })
    const [stays, ends] = [await streaming('xai', path), await streaming('xai', path)]
    for (const stream of [stays, ends]) expect(await stream.read()).toContain('one')
    await kit.admin('PUT', `/v1/agents/${agent}/tags`, { tags: ['vip'] })
    stays.finish()
    expect(await stays.read()).toContain('[DONE]')
    await kit.admin('PUT', `/v1/agents/${agent}/tags`, { tags: ['eu'] })
    ends.finish()
    expect(await ends.read()).toMatch(TAKEN_BACK)
    expect(await ends.read()).toBe('')
  })

  it('ends the streams that it carries', async () => {
    const { id } = await kit.addKey('openai')
    for (const other of (await kit.admin('GET', '/v1/provider-keys')).keys)
      if (other.provider === 'openai' && other.id !== id) await kit.removeKey(other.id)
    const stream = await streaming()
    expect(await stream.read()).toContain('one')
    await kit.addKey('openai')
    await kit.removeKey(id)
    stream.finish()
    expect(await stream.read()).toMatch(TAKEN_BACK)
    expect(await stream.read()).toBe('')
  })

  it('is used by no request that waited for the owner meanwhile', async () => {
    const path = '/llm/groq/openai/v1/chat/completions'
    const old = await kit.addKey('groq')
    const waiting = kit.ask(path, { token, body: chatBody() })
    const card = await kit.daemon.telegram.waitForMessage(
      ({ text, buttons }) => buttons.length > 0 && text.includes(agent),
    )
    await kit.removeKey(old.id)
    const fresh = await kit.addKey('groq')
    await kit.daemon.telegram.press(kit.daemon.chatId, card.messageId, '⏱ 1 hour', ANN).answered
    expect((await waiting).status).toBe(200)
    expect(kit.vendors.callsTo('groq').map(({ key }) => key)).toEqual([fresh.value])
  })

  it('is as good as one whose tag the agent lost while it waited for the owner', async () => {
    await kit.admin('PUT', `/v1/agents/${agent}/tags`, { tags: ['vip'] })
    await kit.addKey('deepinfra', { tags: ['vip'] })
    const waiting = kit.ask('/llm/deepinfra/v1/openai/chat/completions', { token, body: chatBody() })
    const card = await kit.daemon.telegram.waitForMessage(
      ({ text, buttons }) => buttons.length > 0 && text.includes(agent),
    )
    await kit.admin('PUT', `/v1/agents/${agent}/tags`, { tags: [] })
    await kit.daemon.telegram.press(kit.daemon.chatId, card.messageId, '⏱ 1 hour', ANN).answered
    expect((await waiting).headers.get('x-oauth3-error')).toBe('no_key')
    expect(kit.vendors.callsTo('deepinfra')).toEqual([])
  })

  it('a rotation of the data key leaves every key usable', async () => {
    await kit.admin('POST', '/v1/keys/rotate', { what: 'data' })
    expect(await code()).toBeNull()
    await kit.admin('POST', '/v1/keys/rotate', { what: 'master' })
    expect(await code()).toBeNull()
    await kit.daemon.restart()
    expect(await code()).toBeNull()
  })
})

describe('a removed provider', () => {
  it.each([
    ['at another place', {}, { url: 'https://api.openai.com' }],
    ['that wants its key elsewhere', {}, { auth: { kind: 'header', name: 'x-slow-key' } }],
    ['that may be reached in fewer places', { private: true }, {}],
  ])(
    'gives the key of another of its name, %s, to no request whose body began before',
    async (_how, before, after) => {
      const place = { name: 'slow', url: 'https://ollama.com' }
      await kit.admin('POST', '/v1/providers', { ...place, ...before })
      await kit.grant('slow', { agent })
      const body = JSON.stringify(chatBody())
      const request = httpRequest(`${kit.url}/llm/slow/api/chat`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${token}`,
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(body),
          expect: '100-continue',
        },
      })
      request.flushHeaders()
      await once(request, 'continue')
      request.write(body.slice(0, 10))
      await kit.admin('DELETE', '/v1/providers/slow')
      await kit.admin('POST', '/v1/providers', { ...place, ...after })
      const { value } = await kit.addKey('slow', { value: kit.vendors.addKey('openai') })
      await kit.grant('slow', { agent })
      const answered = once(request, 'response')
      request.end(body.slice(10))
      const [answer] = await answered
      answer.resume()
      expect([answer.statusCode, answer.headers['x-oauth3-error']]).toEqual([403, 'unknown_provider'])
      expect(kit.vendors.callsTo('ollama').map(({ key }) => key)).not.toContain(value)
      await kit.admin('DELETE', '/v1/providers/slow')
    },
  )

  it('is gone for the next request, and another of its name does not inherit its keys or grants', async () => {
    const provider = { name: 'my-own', url: 'https://ollama.com' }
    await kit.admin('POST', '/v1/providers', provider)
    const { value } = await kit.addKey('my-own', { value: kit.vendors.key('ollama') })
    await kit.grant('my-own', { agent })
    const path = '/llm/my-own/api/chat'
    expect((await kit.ask(path, { token, body: chatBody() })).status).toBe(200)
    expect((await kit.daemon.admin('DELETE', '/v1/providers/my-own')).status).toBe(200)
    expect((await kit.ask(path, { token, body: chatBody() })).status).toBe(403)
    await kit.admin('POST', '/v1/providers', { name: 'my-own', url: 'https://api.openai.com' })
    const before = kit.vendors.calls.length
    const after = await kit.ask(path, { token, body: chatBody(), headers: WAIT_0 })
    expect(after.headers.get('x-oauth3-error')).toBe('approval_pending')
    expect(kit.vendors.calls.slice(before).map((call) => call.key)).not.toContain(value)
  })

  it('is found by the name of a model no more, and another of its name where that is', async () => {
    const add = async (url: string, vendor: VendorName) => {
      await kit.admin('POST', '/v1/providers', { name: 'mine', url })
      await kit.addKey('mine', { value: kit.vendors.addKey(vendor) })
      await kit.grant('mine', { agent })
    }
    const chat = () => kit.ask('/v1/chat/completions', { token, body: chatBody({ model: 'mine/gpt-demo' }) })
    await add('https://api.groq.com/openai/v1', 'groq')
    expect((await chat()).status).toBe(200)
    await kit.admin('DELETE', '/v1/providers/mine')
    await add('https://api.openai.com/v1', 'openai')
    const before = kit.vendors.calls.length
    expect((await chat()).status).toBe(200)
    expect(kit.vendors.calls.slice(before).map(({ vendor }) => vendor)).toEqual(['openai'])
    await kit.admin('DELETE', '/v1/providers/mine')
    expect((await chat()).headers.get('x-oauth3-error')).toBe('unknown_provider')
  })

  it('takes the cards about it along: an old one grants nothing of another of its name', async () => {
    await kit.admin('POST', '/v1/providers', { name: 'lab', url: 'https://ollama.com' })
    const path = '/llm/lab/api/chat'
    const waiting = kit.ask(path, { token, body: chatBody() })
    const { telegram, chatId } = kit.daemon
    const card = await telegram.waitForMessage(
      ({ text, buttons }) => buttons.length > 0 && text.includes(agent),
    )
    const always = card.callbacks.get('♾ Always') as string
    await kit.admin('DELETE', '/v1/providers/lab')
    await kit.admin('POST', '/v1/providers', { name: 'lab', url: 'https://api.openai.com' })
    await kit.addKey('lab', { value: kit.vendors.key('openai') })
    const before = kit.vendors.calls.length
    expect((await telegram.pressRaw(chatId, card.messageId, always, ANN).answered).text).not.toMatch(
      /^Granted/,
    )
    expect((await waiting).headers.get('x-oauth3-error')).toBe('unknown_provider')
    const { grants } = await kit.admin('GET', '/v1/provider-grants')
    expect(grants.filter((row: { provider: string }) => row.provider === 'lab')).toEqual([])
    const again = await kit.ask(path, { token, body: chatBody(), headers: WAIT_0 })
    expect(again.headers.get('x-oauth3-error')).toBe('approval_pending')
    expect(kit.vendors.calls.length).toBe(before)
  })
})

describe('an approval card', () => {
  it('cannot be answered by the agent: not by its token, not at the admin routes, not by a forged webhook', async () => {
    await kit.revokeGrant(grant)
    const asked = await ask()
    expect(asked.headers.get('x-oauth3-error')).toBe('approval_pending')
    const { asks } = await kit.admin('GET', '/v1/asks')
    const id = asks.find((row: { agent: string }) => row.agent === agent).id
    for (const path of [`/v1/asks/${id}/decision`, `/asks/${id}/decision`, `/llm/asks/${id}/decision`]) {
      const answer = await kit.ask(path, { token, body: { decision: 'always' } })
      expect(answer.status, path).toBeGreaterThanOrEqual(400)
    }
    for (const path of ['/v1/provider-grants', '/v1/provider-keys', '/v1/agents', '/v1/usage']) {
      expect((await kit.ask(path, { token })).status, path).toBeGreaterThanOrEqual(400)
    }
    const press = { update_id: 1, callback_query: { id: '1', from: { id: ANN.id }, data: 'x' } }
    for (const path of ['/telegram', '/webhook', '/telegram/webhook'])
      expect((await kit.ask(path, { token, body: press })).status, path).toBeGreaterThanOrEqual(400)
    expect(await code()).toBe('approval_pending')
  })

  it('of a stranger’s press, or after the answer, decides nothing', async () => {
    await kit.revokeGrant(grant)
    await ask()
    const { telegram, chatId } = kit.daemon
    const card = await telegram.waitForMessage(
      ({ text, buttons }) => buttons.length > 0 && text.includes(agent),
    )
    const always = card.callbacks.get('♾ Always') as string
    const stranger = { id: 6_666, first_name: 'Eve' }
    expect((await telegram.pressRaw(chatId, card.messageId, always, stranger).answered).text).not.toMatch(
      /^Granted/,
    )
    await telegram.press(chatId, card.messageId, '❌ Deny', ANN).answered
    expect((await telegram.pressRaw(chatId, card.messageId, always, ANN).answered).text).not.toMatch(
      /^Granted/,
    )
    expect(await code()).toBe('approval_denied')
  })

  it('a thousand models do not become a thousand cards', async () => {
    await kit.revokeGrant(grant)
    const before = kit.daemon.telegram.messages.length
    const codes = new Set<string | null>()
    for (let count = 0; count < 100; count++) {
      const answer = await kit.ask(CHAT, {
        token,
        body: chatBody({ model: `flood-${count}` }),
        headers: WAIT_0,
      })
      codes.add(answer.headers.get('x-oauth3-error'))
    }
    expect(codes).toContain('rate_limited')
    const { asks } = await kit.admin('GET', '/v1/asks')
    expect(asks.filter((row: { agent: string }) => row.agent === agent).length).toBeLessThanOrEqual(25)
    expect(kit.daemon.telegram.messages.length - before).toBeLessThanOrEqual(25)
  })
})

describe('a realtime session', () => {
  beforeAll(() => {
    const vendor = new WebSocketServer({ noServer: true })
    kit.vendors.onSocket('openai', (request, socket, head) =>
      vendor.handleUpgrade(request, socket, head, () => {}),
    )
  })

  const endsAfter = async (change: () => unknown): Promise<void> => {
    // What passes in a session is read by nobody, so it needs a key that no other agent may use.
    await kit.admin('PUT', `/v1/agents/${agent}/tags`, { tags: [agent] })
    await kit.addKey('openai', { tags: [agent] })
    grant = await kit.grant('openai', { agent, groups: ['realtime'], forMs: 3_600_000 })
    const socket = new WebSocket(`${kit.url.replace('http', 'ws')}/llm/openai/v1/realtime`, {
      headers: { authorization: `Bearer ${token}` },
    })
    socket.on('error', () => {})
    await once(socket, 'open')
    const closed = once(socket, 'close', { signal: AbortSignal.timeout(8_000) })
    await change()
    await closed
  }

  it('of an agent that is revoked ends', () => endsAfter(() => kit.revokeAgent(agent)))
  it('whose grant is revoked ends', () => endsAfter(() => kit.revokeGrant(grant)))
  it('whose grant runs out ends', () => endsAfter(() => kit.advance(3_600_001)))
})

describe('a rotated token', () => {
  const rotate = async (overlapMs: number): Promise<string> =>
    (await kit.admin('POST', `/v1/agents/${agent}/token`, { overlap_ms: overlapMs })).token

  it('keeps the grants of its agent; the old one is refused from the next request on, and ends its streams', async () => {
    const stream = await streaming()
    expect(await stream.read()).toContain('one')
    const old = token
    token = await rotate(0)
    expect(await code()).toBeNull()
    expect((await kit.ask(CHAT, { token: old, body: chatBody(), headers: WAIT_0 })).status).toBe(401)
    stream.finish()
    expect(await stream.read()).toMatch(TAKEN_BACK)
  })

  it('leaves the old one good as long as it was said, and its streams', async () => {
    const old = token
    token = await rotate(3_600_000)
    const ask = (by: string) => kit.ask(CHAT, { token: by, body: chatBody(), headers: WAIT_0 })
    for (const good of [old, token]) expect((await ask(good)).status).toBe(200)
    kit.advance(3_600_000)
    expect((await ask(old)).status).toBe(401)
    expect((await ask(token)).status).toBe(200)
  })
})
