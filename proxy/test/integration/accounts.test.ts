import OpenAI from 'openai'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createDaemonKit, type DaemonKit } from '../support/daemon-kit.ts'
import { createScriptedSandbox } from '../support/domain-kit.ts'
import { createPlayedHosting } from '../support/hosted-kit.ts'

let kit: DaemonKit
beforeAll(async () => {
  const hosting = createPlayedHosting()
  kit = await createDaemonKit({
    environment: { OAUTH3_SIGNUP: 'password' },
    // One for all tenants: the owner makes what the account asks.
    hosting: { played: () => hosting },
    sandbox: async () => createScriptedSandbox(() => ({})),
  })
})
afterAll(async () => await kit?.[Symbol.asyncDispose]())

const api = async (method: string, path: string, body?: unknown, token?: string) => {
  const response = await fetch(`${kit.daemon.url}/api${path}`, {
    method,
    headers: {
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  // biome-ignore lint/suspicious/noExplicitAny: answers are checked by the tests that read them
  return { status: response.status, body: (await response.json()) as any }
}

describe('a client of CloudBot', () => {
  test('is told where the paths are that there are, in the words of its own API', async () => {
    for (const path of ['/nope', '/instance', '/instances/mch_0000000000000000/nope']) {
      const { status, body } = await api('GET', path)
      expect({ status, body }, path).toMatchObject({
        ...{ status: 404, body: { detail: 'No such path; see /api/openapi.json.' } },
      })
    }
  })

  test('signs up, in, refreshes, reads who it is, keeps keys and signs out', async () => {
    const ann = { email: 'Ann@Example.com', password: 'correct horse' }
    const up = await api('POST', '/auth/signup', ann)
    expect(up, JSON.stringify(up.body)).toMatchObject({
      status: 200,
      body: { token_type: 'bearer', user: { email: 'ann@example.com' } },
    })
    const login = await api('POST', '/auth/login', ann)
    expect(login.status).toBe(200)
    const me = await api('GET', '/auth/me', undefined, login.body.access_token)
    expect(me).toMatchObject({ status: 200, body: { id: up.body.user.id } })
    const next = await api('POST', '/auth/refresh', { refresh_token: login.body.refresh_token })
    expect(next.status).toBe(200)
    const token = next.body.access_token
    expect(
      await api('POST', '/user/api-keys', { provider: 'anthropic', api_key: 'demo-key-0001' }, token),
    ).toMatchObject({
      status: 200,
      body: { provider: 'anthropic', last4: '0001', signs_in: false, shared: false },
    })
    expect((await api('GET', '/user/api-keys', undefined, token)).body.providers).toEqual(['anthropic'])
    expect(
      (await api('PUT', '/user/api-keys/anthropic', { api_key: 'demo-key-0002' }, token)).body.last4,
    ).toBe('0002')
    expect((await api('DELETE', '/user/api-keys/anthropic', undefined, token)).status).toBe(200)
    expect((await api('POST', '/auth/logout', {}, token)).status).toBe(200)
    expect((await api('GET', '/auth/me', undefined, token)).status).toBe(401)
    expect((await api('POST', '/auth/refresh', { refresh_token: next.body.refresh_token })).status).toBe(401)
  })
})

describe('a client of PoeClaw, which is OpenAI’s', () => {
  const eve = { email: 'eve@example.com', password: 'correct horse' }
  const ASKED = [{ role: 'user' as const, content: 'hello' }]
  const client = (apiKey: string) =>
    new OpenAI({ apiKey, baseURL: `${kit.daemon.url}/v1`, maxRetries: 0 }).chat.completions
  /** Where a browser has its session. */
  const consoleOf = (): string => kit.daemon.url.replace('127.0.0.1', 'localhost')
  let token = ''
  let cookie = ''
  beforeAll(async () => {
    const response = await fetch(`${consoleOf()}/api/auth/signup`, {
      ...{ method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(eve) },
    })
    token = ((await response.json()) as { access_token: string }).access_token
    cookie = response.headers.get('set-cookie')?.split(';')[0] ?? ''
  })
  const add = (name: string) =>
    kit.admin('POST', '/v1/hosts', { name, provider: 'anthropic', model: 'claude-sonnet-5-5' })
  const refusalOf = (asked: Promise<unknown>) => asked.then(String, (error: unknown) => error)

  test('is told in OpenAI’s words that there is nobody to ask, and who it may not be', async () => {
    const ask = { model: 'openclaw', messages: ASKED }
    expect(await refusalOf(client(token).create(ask))).toMatchObject({ status: 404, code: 'model_not_found' })
    expect(await refusalOf(client('oc_none').create(ask))).toMatchObject({
      ...{ status: 401, code: 'invalid_api_key', type: 'invalid_request_error', param: null },
    })
    // Of nobody's body a byte is read as JSON.
    const nobodys = await fetch(`${kit.daemon.url}/v1/chat/completions`, {
      ...{
        method: 'POST',
        body: '{',
        headers: { authorization: 'Bearer oc_none', 'content-type': 'application/json' },
      },
    })
    expect(nobodys.status).toBe(401)
    expect(await refusalOf(client(token).create({ ...ask, messages: [] }))).toMatchObject({
      ...{ status: 400, code: 'invalid_request' },
    })
    // An agent's token is for providers, and for no account's agents.
    expect(String(await refusalOf(client(kit.token).create(ask)))).not.toContain('hosted agent')
  })

  test('asks the one hosted agent by any model, and one of several by its name, with a stream and without', async () => {
    await add('claw')
    // It is nobody to ask.
    await kit.admin('POST', '/v1/hosts/browsers', { name: 'web', agent: 'claw' })
    const whole = await client(token).create({ model: 'claude-opus-5', messages: ASKED })
    expect(whole.choices[0]).toMatchObject({
      ...{ finish_reason: 'stop', message: { role: 'assistant', content: expect.stringContaining('hello') } },
    })
    expect(whole.choices[0]?.message.content).toMatch(/^claw by claude-opus-5, asked /)
    expect(whole.usage).toEqual({ prompt_tokens: 3, completion_tokens: 4, total_tokens: 7 })
    await add('paw')
    const stream = await client(token).create({
      ...{
        model: 'paw/claude-haiku-5-5',
        messages: ASKED,
        stream: true,
        stream_options: { include_usage: true },
      },
    })
    const pieces: string[] = []
    let used: unknown
    for await (const { choices, usage } of stream) {
      pieces.push(choices[0]?.delta.content ?? '')
      used = usage ?? used
    }
    expect(pieces.filter(Boolean)).toEqual(['paw by claude-haiku-5-5, ', expect.stringContaining('hello')])
    expect(used).toMatchObject({ total_tokens: 7 })
    const unnamed = await refusalOf(client(token).create({ model: 'openclaw', messages: ASKED }))
    expect(unnamed).toMatchObject({ status: 404, message: expect.stringContaining('model: claw, paw.') })
    const own = await client(token).create({ model: 'paw/', messages: ASKED })
    expect(own.choices[0]?.message.content).toMatch(/^paw by its own, /)
    for (const model of ['', 'paw/a\r\nx-openclaw-agent-id: b', 'paw/é', 'web'])
      expect(await refusalOf(client(token).create({ model, messages: ASKED })), model).toMatchObject({
        status: model === 'web' ? 404 : 400,
      })
    const one = { model: 'claw', messages: ASKED, temperature: 0.2, n: 1, tools: [] }
    expect((await client(token).create(one)).choices).toHaveLength(1)
    expect(await refusalOf(client(token).create({ ...one, n: 2 }))).toMatchObject({ status: 400 })
  })

  test('is told when an answer breaks off', async () => {
    const ask = { model: 'claw', messages: [{ role: 'user' as const, content: 'fail' }] }
    expect(await refusalOf(client(token).create(ask))).toMatchObject({
      status: 503,
      code: 'sandbox_unavailable',
    })
    const stream = await client(token).create({ ...ask, stream: true })
    expect(await refusalOf(Array.fromAsync(stream))).toMatchObject({
      message: expect.stringContaining('gone'),
    })
  })

  test('takes an access key for machines alone, and stops with what it was signed in by', async () => {
    const origin = consoleOf()
    const keyFor = async (scopes: string[]): Promise<string> => {
      const made = await fetch(`${origin}/console/api/account/access-keys`, {
        method: 'POST',
        headers: {
          ...{ cookie, origin, 'content-type': 'application/json', 'sec-fetch-site': 'same-origin' },
        },
        body: JSON.stringify({ name: 'program', scopes }),
      })
      const answer = (await made.json()) as { key: string }
      expect({ status: made.status, answer }).toMatchObject({ status: 200 })
      return answer.key
    }
    const ask = { model: 'claw', messages: ASKED }
    const [machines, keys] = [await keyFor(['machines']), await keyFor(['keys'])]
    const { instances } = (await api('GET', '/instances', undefined, machines)).body
    // The browser of claw is no agent of a provider and a model.
    const named = instances.map(({ name }: { name: string }) => name)
    expect(named).toEqual(expect.arrayContaining(['claw', 'paw']))
    expect(named).not.toContain('web')
    const { id } = instances[0]
    for (const [method, path, body] of [
      ['GET', ''],
      ['POST', '', {}],
      ['GET', `/${id}`],
      ['POST', `/${id}/stop`],
      ['POST', `/${id}/start`],
      ['GET', `/${id}/generations`],
      ['POST', `/${id}/desktop`],
      ['GET', `/${id}/desktop`],
      ['DELETE', `/${id}/desktop`],
      ['POST', `/${id}/rollback`, { to: 2 }],
      ['PUT', `/${id}/telegram`, { token: 'played' }],
      ['POST', `/${id}/telegram/pair`],
      ['DELETE', `/${id}/telegram/chats/1001`],
      ['GET', `/${id}/telegram`],
      ['DELETE', `/${id}/telegram`],
      ['DELETE', `/${id}`],
    ] as const) {
      const what = `${method} ${path}`
      expect((await api(method, `/instances${path}`, body, keys)).status, what).toBe(409)
      expect((await api(method, `/instances${path}`, body, 'oc_none')).status, what).toBe(401)
      if (what !== `DELETE /${id}`)
        expect((await api(method, `/instances${path}`, body, machines)).status, what).toBe(200)
    }
    expect((await client(await keyFor(['machines'])).create(ask)).object).toBe('chat.completion')
    expect(await refusalOf(client(await keyFor(['keys'])).create(ask))).toMatchObject({ status: 403 })
    await api('POST', '/auth/logout', {}, token)
    expect(await refusalOf(client(token).create(ask))).toMatchObject({ status: 401 })
  })
})
