/** A key or provider that the owner removes is gone for the next request, and for one that waits; an answer of theirs is given once. */
import { once } from 'node:events'
import { request as httpRequest } from 'node:http'
import { describe, expect, it } from 'vitest'
import { chatBody } from '../support/llm-kit.ts'
import { CHAT, TAKEN_BACK, useRevocations, WAIT_0 } from '../support/revocation-kit.ts'
import { ANN } from '../support/telegram-kit.ts'
import type { VendorName } from '../support/vendor-rules.ts'

const world = useRevocations()
const { streaming, code, ask } = world

describe('a removed key', () => {
  it('is used by no request that comes after', async () => {
    const path = '/llm/deepseek/v1/chat/completions'
    await world.kit.grant('deepseek', { agent: world.agent })
    const { id, value } = await world.kit.addKey('deepseek')
    expect((await world.kit.ask(path, { token: world.token, body: chatBody() })).status).toBe(200)
    await world.kit.removeKey(id)
    const refused = await world.kit.ask(path, { token: world.token, body: chatBody() })
    expect([refused.status, refused.headers.get('x-oauth3-error')]).toEqual([403, 'no_key'])
    const next = await world.kit.addKey('deepseek')
    expect(next.id).not.toBe(id)
    expect((await world.kit.ask(path, { token: world.token, body: chatBody() })).status).toBe(200)
    expect(world.kit.vendors.callsTo('deepseek').map(({ key }) => key)).toEqual([value, next.value])
  })

  it('is one that the agent may not use any more: its streams end', async () => {
    const path = '/llm/xai/v1/chat/completions'
    await world.kit.admin('PUT', `/v1/agents/${world.agent}/tags`, { tags: ['vip', 'eu'] })
    await world.kit.addKey('xai', { tags: ['vip'], label: `of-${world.agent}` })
    await world.kit.grant('xai', { agent: world.agent })
    const [stays, ends] = [await streaming('xai', path), await streaming('xai', path)]
    for (const stream of [stays, ends]) expect(await stream.read()).toContain('one')
    await world.kit.admin('PUT', `/v1/agents/${world.agent}/tags`, { tags: ['vip'] })
    stays.finish()
    expect(await stays.read()).toContain('[DONE]')
    await world.kit.admin('PUT', `/v1/agents/${world.agent}/tags`, { tags: ['eu'] })
    ends.finish()
    expect(await ends.read()).toMatch(TAKEN_BACK)
    expect(await ends.read()).toBe('')
  })

  it('ends the streams that it carries', async () => {
    const { id } = await world.kit.addKey('openai')
    for (const other of (await world.kit.admin('GET', '/v1/provider-keys')).keys)
      if (other.provider === 'openai' && other.id !== id) await world.kit.removeKey(other.id)
    const stream = await streaming()
    expect(await stream.read()).toContain('one')
    await world.kit.addKey('openai')
    await world.kit.removeKey(id)
    stream.finish()
    expect(await stream.read()).toMatch(TAKEN_BACK)
    expect(await stream.read()).toBe('')
  })

  it('is used by no request that waited for the owner meanwhile', async () => {
    const path = '/llm/groq/openai/v1/chat/completions'
    const old = await world.kit.addKey('groq')
    const waiting = world.kit.ask(path, { token: world.token, body: chatBody() })
    const card = await world.kit.daemon.telegram.waitForMessage(
      ({ text, buttons }) => buttons.length > 0 && text.includes(world.agent),
    )
    await world.kit.removeKey(old.id)
    const fresh = await world.kit.addKey('groq')
    await world.kit.daemon.telegram.press(world.kit.daemon.chatId, card.messageId, '⏱ 1 hour', ANN).answered
    expect((await waiting).status).toBe(200)
    expect(world.kit.vendors.callsTo('groq').map(({ key }) => key)).toEqual([fresh.value])
  })

  it('is as good as one whose tag the agent lost while it waited for the owner', async () => {
    await world.kit.admin('PUT', `/v1/agents/${world.agent}/tags`, { tags: ['vip'] })
    await world.kit.addKey('deepinfra', { tags: ['vip'] })
    const waiting = world.kit.ask('/llm/deepinfra/v1/openai/chat/completions', {
      token: world.token,
      body: chatBody(),
    })
    const card = await world.kit.daemon.telegram.waitForMessage(
      ({ text, buttons }) => buttons.length > 0 && text.includes(world.agent),
    )
    await world.kit.admin('PUT', `/v1/agents/${world.agent}/tags`, { tags: [] })
    await world.kit.daemon.telegram.press(world.kit.daemon.chatId, card.messageId, '⏱ 1 hour', ANN).answered
    expect((await waiting).headers.get('x-oauth3-error')).toBe('no_key')
    expect(world.kit.vendors.callsTo('deepinfra')).toEqual([])
  })

  it('a rotation of the data key leaves every key usable', async () => {
    await world.kit.admin('POST', '/v1/keys/rotate', { what: 'data' })
    expect(await code()).toBeNull()
    await world.kit.admin('POST', '/v1/keys/rotate', { what: 'master' })
    expect(await code()).toBeNull()
    await world.kit.daemon.restart()
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
      await world.kit.admin('POST', '/v1/providers', { ...place, ...before })
      await world.kit.grant('slow', { agent: world.agent })
      const body = JSON.stringify(chatBody())
      const request = httpRequest(`${world.kit.url}/llm/slow/api/chat`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${world.token}`,
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(body),
          expect: '100-continue',
        },
      })
      request.flushHeaders()
      await once(request, 'continue')
      request.write(body.slice(0, 10))
      await world.kit.admin('DELETE', '/v1/providers/slow')
      await world.kit.admin('POST', '/v1/providers', { ...place, ...after })
      const { value } = await world.kit.addKey('slow', { value: world.kit.vendors.addKey('openai') })
      await world.kit.grant('slow', { agent: world.agent })
      const answered = once(request, 'response')
      request.end(body.slice(10))
      const [answer] = await answered
      answer.resume()
      expect([answer.statusCode, answer.headers['x-oauth3-error']]).toEqual([403, 'unknown_provider'])
      expect(world.kit.vendors.callsTo('ollama').map(({ key }) => key)).not.toContain(value)
      await world.kit.admin('DELETE', '/v1/providers/slow')
    },
  )

  it('is gone for the next request, and another of its name does not inherit its keys or grants', async () => {
    const provider = { name: 'my-own', url: 'https://ollama.com' }
    await world.kit.admin('POST', '/v1/providers', provider)
    const { value } = await world.kit.addKey('my-own', { value: world.kit.vendors.key('ollama') })
    await world.kit.grant('my-own', { agent: world.agent })
    const path = '/llm/my-own/api/chat'
    expect((await world.kit.ask(path, { token: world.token, body: chatBody() })).status).toBe(200)
    expect((await world.kit.daemon.admin('DELETE', '/v1/providers/my-own')).status).toBe(200)
    expect((await world.kit.ask(path, { token: world.token, body: chatBody() })).status).toBe(403)
    await world.kit.admin('POST', '/v1/providers', { name: 'my-own', url: 'https://api.openai.com' })
    const before = world.kit.vendors.calls.length
    const after = await world.kit.ask(path, { token: world.token, body: chatBody(), headers: WAIT_0 })
    expect(after.headers.get('x-oauth3-error')).toBe('approval_pending')
    expect(world.kit.vendors.calls.slice(before).map((call) => call.key)).not.toContain(value)
  })

  it('is found by the name of a model no more, and another of its name where that is', async () => {
    const add = async (url: string, vendor: VendorName) => {
      await world.kit.admin('POST', '/v1/providers', { name: 'mine', url })
      await world.kit.addKey('mine', { value: world.kit.vendors.addKey(vendor) })
      await world.kit.grant('mine', { agent: world.agent })
    }
    const chat = () =>
      world.kit.ask('/v1/chat/completions', {
        token: world.token,
        body: chatBody({ model: 'mine/gpt-demo' }),
      })
    await add('https://api.groq.com/openai/v1', 'groq')
    expect((await chat()).status).toBe(200)
    await world.kit.admin('DELETE', '/v1/providers/mine')
    await add('https://api.openai.com/v1', 'openai')
    const before = world.kit.vendors.calls.length
    expect((await chat()).status).toBe(200)
    expect(world.kit.vendors.calls.slice(before).map(({ vendor }) => vendor)).toEqual(['openai'])
    await world.kit.admin('DELETE', '/v1/providers/mine')
    expect((await chat()).headers.get('x-oauth3-error')).toBe('unknown_provider')
  })

  it('takes the cards about it along: an old one grants nothing of another of its name', async () => {
    await world.kit.admin('POST', '/v1/providers', { name: 'lab', url: 'https://ollama.com' })
    const path = '/llm/lab/api/chat'
    const waiting = world.kit.ask(path, { token: world.token, body: chatBody() })
    const { telegram, chatId } = world.kit.daemon
    const card = await telegram.waitForMessage(
      ({ text, buttons }) => buttons.length > 0 && text.includes(world.agent),
    )
    const always = card.callbacks.get('♾ Always') as string
    await world.kit.admin('DELETE', '/v1/providers/lab')
    await world.kit.admin('POST', '/v1/providers', { name: 'lab', url: 'https://api.openai.com' })
    await world.kit.addKey('lab', { value: world.kit.vendors.key('openai') })
    const before = world.kit.vendors.calls.length
    expect((await telegram.pressRaw(chatId, card.messageId, always, ANN).answered).text).not.toMatch(
      /^Granted/,
    )
    expect((await waiting).headers.get('x-oauth3-error')).toBe('unknown_provider')
    const { grants } = await world.kit.admin('GET', '/v1/provider-grants')
    expect(grants.filter((row: { provider: string }) => row.provider === 'lab')).toEqual([])
    const again = await world.kit.ask(path, { token: world.token, body: chatBody(), headers: WAIT_0 })
    expect(again.headers.get('x-oauth3-error')).toBe('approval_pending')
    expect(world.kit.vendors.calls.length).toBe(before)
  })
})

describe('an approval card', () => {
  it('cannot be answered by the agent: not by its token, not at the admin routes, not by a forged webhook', async () => {
    await world.kit.revokeGrant(world.grant)
    const asked = await ask()
    expect(asked.headers.get('x-oauth3-error')).toBe('approval_pending')
    const { asks } = await world.kit.admin('GET', '/v1/asks')
    const id = asks.find((row: { agent: string }) => row.agent === world.agent).id
    for (const path of [`/v1/asks/${id}/decision`, `/asks/${id}/decision`, `/llm/asks/${id}/decision`]) {
      const answer = await world.kit.ask(path, { token: world.token, body: { decision: 'always' } })
      expect(answer.status, path).toBeGreaterThanOrEqual(400)
    }
    for (const path of ['/v1/provider-grants', '/v1/provider-keys', '/v1/agents', '/v1/usage']) {
      expect((await world.kit.ask(path, { token: world.token })).status, path).toBeGreaterThanOrEqual(400)
    }
    const press = { update_id: 1, callback_query: { id: '1', from: { id: ANN.id }, data: 'x' } }
    for (const path of ['/telegram', '/webhook', '/telegram/webhook'])
      expect(
        (await world.kit.ask(path, { token: world.token, body: press })).status,
        path,
      ).toBeGreaterThanOrEqual(400)
    expect(await code()).toBe('approval_pending')
  })

  it('of a stranger’s press, or after the answer, decides nothing', async () => {
    await world.kit.revokeGrant(world.grant)
    await ask()
    const { telegram, chatId } = world.kit.daemon
    const card = await telegram.waitForMessage(
      ({ text, buttons }) => buttons.length > 0 && text.includes(world.agent),
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
    await world.kit.revokeGrant(world.grant)
    const before = world.kit.daemon.telegram.messages.length
    const codes = new Set<string | null>()
    for (let count = 0; count < 100; count++) {
      const answer = await world.kit.ask(CHAT, {
        token: world.token,
        body: chatBody({ model: `flood-${count}` }),
        headers: WAIT_0,
      })
      codes.add(answer.headers.get('x-oauth3-error'))
    }
    expect(codes).toContain('rate_limited')
    const { asks } = await world.kit.admin('GET', '/v1/asks')
    expect(asks.filter((row: { agent: string }) => row.agent === world.agent).length).toBeLessThanOrEqual(25)
    expect(world.kit.daemon.telegram.messages.length - before).toBeLessThanOrEqual(25)
  })
})
