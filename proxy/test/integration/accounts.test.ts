import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createDaemonKit, type DaemonKit } from '../support/daemon-kit.ts'
import { createScriptedSandbox } from '../support/domain-kit.ts'

let kit: DaemonKit
beforeAll(async () => {
  kit = await createDaemonKit({
    environment: { OAUTH3_SIGNUP: 'password' },
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
