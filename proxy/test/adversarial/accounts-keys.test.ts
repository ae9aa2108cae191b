import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type AccountsKit, CONSOLE, createAccountsKit } from '../support/accounts-kit.ts'
import { registerSoft } from '../support/soft-authenticator.ts'
import { json } from '../support/vendor-answers.ts'

let kit: AccountsKit
beforeAll(async () => {
  kit = await createAccountsKit('provider-key')
})
afterAll(async () => await kit?.[Symbol.asyncDispose]())

const login = (apiKey: string, provider = 'openai') =>
  kit.call('POST', '/api/auth/login', { body: { apiKey, provider } })
const tenants = async (): Promise<number> => (await kit.llm.admin('GET', '/v1/tenants')).tenants.length

describe('a key at a provider', () => {
  test('that the vendor does not know signs nobody in, however long it is', async () => {
    const before = await tenants()
    for (const key of ['aaaaaaaaaa', 'short', 'with a space in it', `x${'y'.repeat(600)}`, 'clé-clé-clé-clé'])
      expect([400, 401]).toContain((await login(key)).status)
    expect((await kit.call('POST', '/api/auth/login', { body: { apiKey: 'aaaaaaaaaa' } })).status).toBe(401)
    expect(await tenants()).toBe(before)
  })

  test.each([403, 429, 500])(
    'of which the vendor says %s signs nobody in, and is not called wrong',
    async (status) => {
      const before = await tenants()
      kit.llm.vendors.next('openai', json({ error: { message: 'not now' } }, status))
      const answer = await login(kit.llm.vendors.addKey('openai'))
      expect(answer).toMatchObject({ status: 503, body: { error: { code: 'provider_unavailable' } } })
      expect(answer.cookie).toBeUndefined()
      expect(await tenants()).toBe(before)
    },
  )

  test('signs up once, in again, and stays sealed: the tenant’s agents use it, nobody reads it', async () => {
    const key = kit.llm.vendors.addKey('openai')
    const first = await login(key)
    expect(first.body, first.text).toMatchObject({ ok: true, keyLast4: key.slice(-4) })
    const before = await tenants()
    const again = await login(key)
    expect(again.body.userHash).toBe(first.body.userHash)
    expect(await tenants()).toBe(before)
    const keys = await kit.browse('GET', '/v1/provider-keys', { cookie: again.cookie })
    expect(keys.body.keys).toMatchObject([{ provider: 'openai', label: `account-${key.slice(-4)}` }])
    for (const [where, bytes] of kit.llm.evidence()) expect(bytes.includes(key), where).toBe(false)
  })

  test('is not the account: rotated, added and removed, the data stays', async () => {
    const [old, next] = [kit.llm.vendors.addKey('openai'), kit.llm.vendors.addKey('openai')]
    const signed = await login(old)
    const { cookie, body } = signed
    await kit.browse('PUT', '/v1/secrets/KEPT', { cookie, body: { value: 'demo-value-kept' } })
    const put = (api_key: string) =>
      kit.call('PUT', '/api/user/api-keys/openai', { token: body.access_token, body: { api_key } })
    expect((await put('aaaaaaaaaa')).status).toBe(409)
    expect((await put(next)).body).toMatchObject({ last4: next.slice(-4), signs_in: true, shared: false })
    const again = await login(next)
    expect(again.body.userHash).toBe(body.userHash)
    expect((await kit.browse('GET', '/v1/secrets', { cookie: again.cookie })).text).toContain('KEPT')
    // Whoever finds the old one in a log is somebody new, or nobody.
    expect((await login(old)).body.userHash).not.toBe(body.userHash)
    const removed = await kit.call('DELETE', '/api/user/api-keys/openai', { token: body.access_token })
    expect(removed.status, 'the last thing that signs in').toBe(409)
  })

  test('that signs in is changed by who has just signed in, never by a program or a session of before', async () => {
    const own = kit.llm.vendors.addKey('openai')
    const { cookie, body } = await login(own)
    const made = await kit.browse('POST', '/account/access-keys', {
      cookie,
      body: { name: 'a program', scopes: ['keys'] },
    })
    const program: string = made.body.key
    const evil = kit.llm.vendors.addKey('openai')
    const change = async (token: string) => [
      await kit.call('PUT', '/api/user/api-keys/openai', { token, body: { api_key: evil } }),
      await kit.call('POST', '/api/user/api-keys', { token, body: { provider: 'openai', api_key: evil } }),
      await kit.call('DELETE', '/api/user/api-keys/openai', { token }),
    ]
    for (const answer of await change(program))
      expect(answer.body.error?.details?.reason, answer.text).toBe('step_up_required')
    kit.llm.advance(10 * 60_000)
    for (const answer of await change(body.access_token))
      expect(answer.body.error?.details?.reason, answer.text).toBe('step_up_required')
    expect((await login(evil)).body.userHash).not.toBe(body.userHash)
    expect((await login(own)).body.userHash).toBe(body.userHash)
    // What signs nobody in is a program's to change.
    const other = { provider: 'anthropic', api_key: kit.llm.vendors.addKey('anthropic') }
    const stored = await kit.call('POST', '/api/user/api-keys', { token: program, body: other })
    expect(stored.body, stored.text).toMatchObject({ signs_in: false })
    expect((await kit.call('DELETE', '/api/user/api-keys/anthropic', { token: program })).status).toBe(200)
  })

  test('that the vendor took back signs in nobody any more', async () => {
    const key = kit.llm.vendors.addKey('openai')
    expect((await login(key)).status).toBe(200)
    kit.llm.vendors.endKey('openai', key)
    expect((await login(key)).status).toBe(401)
  })

  test('that two have merges nobody: it signs in who had it first, and the other is told', async () => {
    const [shared, own] = [kit.llm.vendors.addKey('openai'), kit.llm.vendors.addKey('openai')]
    const first = (await login(shared)).body
    const second = await login(own)
    const add = () =>
      kit.browse('POST', '/account/sign-in-keys', {
        cookie: second.cookie,
        body: { provider: 'anthropic', value: kit.llm.vendors.addKey('anthropic') },
      })
    const put = () =>
      kit.call('PUT', '/api/user/api-keys/openai', {
        token: second.body.access_token,
        body: { api_key: shared },
      })
    expect((await put()).status, 'nothing else signs in').toBe(409)
    const added = await add()
    expect(added.body, added.text).toMatchObject({ shared: false })
    const { body } = await put()
    expect(body).toMatchObject({ shared: true, signs_in: false })
    expect((await login(shared)).body.userHash).toBe(first.userHash)
  })
})

test('a passkey signs nobody up where keys do, and a password neither', async () => {
  for (const [path, body] of [
    ['/sign-up/passkey/options', { name: 'Ann' }],
    ['/sign-up/password', { email: 'ann@example.com', password: 'a battery, a staple' }],
  ] as const)
    expect((await kit.browse('POST', path, { body })).status, path).toBe(409)
})

describe('where passkeys sign up', () => {
  let passkeys: AccountsKit
  beforeAll(async () => {
    passkeys = await createAccountsKit('passkey')
  })
  afterAll(async () => await passkeys?.[Symbol.asyncDispose]())
  const options = async (name = 'Ann') =>
    (await passkeys.browse('POST', '/sign-up/passkey/options', { body: { name } })).body
  const signUp = (credential: unknown) =>
    passkeys.browse('POST', '/sign-up/passkey', { body: { credential } })

  test('one makes an account, and a challenge that was answered makes none again', async () => {
    const { sent } = registerSoft(await options(), CONSOLE)
    const made = await signUp(sent)
    expect(made.body, made.text).toMatchObject({ role: 'account', who: 'Ann', method: 'passkey' })
    expect((await signUp(sent)).body.error.details.reason).toBe('passkey_not_accepted')
    const other = registerSoft(await options(), 'https://evil.example')
    expect((await signUp(other.sent)).status).toBe(409)
  })

  test('a challenge for signing in or registering makes no account', async () => {
    const signIn = (await passkeys.browse('POST', '/passkeys/sign-in/options')).body
    const asked = await options()
    const { sent } = registerSoft({ ...asked, challenge: signIn.challenge }, CONSOLE)
    expect((await signUp(sent)).body.error.details.reason).toBe('passkey_not_accepted')
  })
})

test('where nobody may sign up there is no API of accounts', async () => {
  await using closed = await createAccountsKit('closed')
  expect((await closed.call('POST', '/api/auth/login', { body: { apiKey: 'aaaaaaaaaa' } })).status).toBe(404)
  for (const path of ['/sign-up/password', '/session/password'])
    expect(
      (await closed.browse('POST', path, { body: { email: 'ann@example.com', password: 'x' } })).status,
      path,
    ).toBe(409)
})
