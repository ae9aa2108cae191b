/** What a program of an account's shows in the place of a cookie: refresh tokens, access tokens and access keys. */
import { createHmac } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type AccountsKit, createAccountsKit, PASSWORD, type SignedUp } from '../support/accounts-kit.ts'

let kit: AccountsKit
let ann: SignedUp
let eve: SignedUp
beforeAll(async () => {
  kit = await createAccountsKit('password')
  ann = await kit.signUp('ann@example.com')
  eve = await kit.signUp('eve@example.com')
})
afterAll(async () => await kit?.[Symbol.asyncDispose]())

const login = (email: string) => kit.call('POST', '/api/auth/login', { body: { email, password: PASSWORD } })
const me = (token: string) => kit.call('GET', '/api/auth/me', { token })
const refresh = (token: string) => kit.call('POST', '/api/auth/refresh', { body: { refresh_token: token } })

describe('a refresh token', () => {
  test('that is used twice ends its whole family, whoever was first', async () => {
    const signed = await kit.signUp('family@example.com')
    const second = (await refresh(signed.refresh)).body
    const other = (await login('family@example.com')).body
    expect((await me(second.access_token)).status).toBe(200)
    expect((await refresh(signed.refresh)).status).toBe(401)
    for (const token of [signed.access, second.access_token]) expect((await me(token)).status).toBe(401)
    expect((await refresh(second.refresh_token)).status).toBe(401)
    expect((await kit.browse('GET', '/session', { cookie: signed.cookie })).status).toBe(401)
    // Another sign-in of the same person is another family.
    expect((await me(other.access_token)).status).toBe(200)
  })

  test('is used once of many times at once', async () => {
    const token: string = (await login('ann@example.com')).body.refresh_token
    const statuses = (await Promise.all(Array.from({ length: 8 }, () => refresh(token)))).map(
      ({ status }) => status,
    )
    expect(statuses.filter((status) => status === 200).length).toBeLessThanOrEqual(1)
    expect((await refresh(token)).status).toBe(401)
  })

  test('is none in another form, of another session, or as an access token', async () => {
    const mine = (await login('ann@example.com')).body
    const [, session, random] = /^or_(ses_\w{16})_(.*)$/.exec(mine.refresh_token) ?? []
    const [, others] = /^or_(ses_\w{16})_/.exec(eve.refresh) ?? []
    for (const token of [
      `or_${others}_${random}`,
      `or_${session}_${'A'.repeat(43)}`,
      mine.access_token,
      `${mine.refresh_token} `,
    ])
      expect((await refresh(token)).status, token).toBe(401)
    expect((await me(mine.refresh_token)).status).toBe(401)
    expect((await refresh(mine.refresh_token)).status).toBe(200)
  })
})

describe('an access token', () => {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')

  test('is taken only as it was signed here', async () => {
    const [header = '', claims = '', signature = ''] = ann.access.split('.')
    const [, eves = ''] = eve.access.split('.')
    const now = Math.floor(Date.now() / 1_000)
    const sid = JSON.parse(Buffer.from(eves, 'base64url').toString()).sid
    const forged = part({ iss: 'oauth3', sub: eve.id, sid, iat: now, exp: now + 900 })
    const hmac = (text: string, key: string, hash = 'sha256'): string =>
      createHmac(hash, key).update(text).digest('base64url')
    const none = part({ alg: 'none', typ: 'JWT' })
    for (const [why, token] of Object.entries({
      'alg none, without a signature': `${none}.${forged}.`,
      'alg none, with one': `${none}.${forged}.${signature}`,
      'another key': `${header}.${forged}.${hmac(`${header}.${forged}`, 'secret')}`,
      'an empty key': `${header}.${forged}.${hmac(`${header}.${forged}`, '')}`,
      'another algorithm': `${part({ alg: 'HS512', typ: 'JWT' })}.${forged}.${hmac(`${header}.${forged}`, 'k', 'sha512')}`,
      'a key of its own': `${part({ alg: 'HS256', typ: 'JWT', jwk: { kty: 'oct', k: 'a2V5' } })}.${forged}.${hmac(`${header}.${forged}`, 'key')}`,
      'another tenant’s claims': `${header}.${eves}.${signature}`,
      'a header put apart': `${header} .${claims}.${signature}`,
      'a signature cut off': `${header}.${claims}.${signature.slice(0, -2)}`,
      'another spelling of the signature': `${header}.${claims}.${signature}=`,
    }))
      expect((await me(token)).status, why).toBe(401)
    expect((await me(ann.access)).body).toMatchObject({ id: ann.id })
  })

  test('is over after a quarter of an hour, and at once when its session ends', async () => {
    const signed = await kit.signUp('over@example.com')
    const second = (await login('over@example.com')).body
    expect(
      (await kit.call('POST', '/api/auth/logout', { token: second.access_token, body: {} })).status,
    ).toBe(200)
    expect((await me(second.access_token)).status).toBe(401)
    expect((await refresh(second.refresh_token)).status).toBe(401)
    expect((await me(signed.access)).status).toBe(200)
    kit.llm.advance(15 * 60_000 + 1_000)
    expect((await me(signed.access)).status).toBe(401)
    expect((await refresh(signed.refresh)).status).toBe(200)
  })
})

describe('an access key', () => {
  const make = async (cookie: string | undefined, scopes = ['account', 'keys']) =>
    (await kit.browse('POST', '/account/access-keys', { cookie, body: { name: 'a program', scopes } })).body

  test('is nothing once it is revoked, and never more than its scopes', async () => {
    const [{ cookie }, { id }] = [await login('ann@example.com'), ann]
    const made = await make(cookie)
    expect(made.key).toMatch(/^oc_[\w-]{43}$/)
    expect((await me(made.key)).body).toMatchObject({ id })
    const narrow = await make(cookie, ['account'])
    expect((await kit.call('GET', '/api/user/api-keys', { token: narrow.key })).status).toBe(409)
    expect((await me(`${made.key.slice(0, -1)}_`)).status).toBe(401)
    expect((await kit.browse('DELETE', `/account/access-keys/${made.id}`, { cookie })).status).toBe(200)
    expect((await me(made.key)).status).toBe(401)
    expect((await me(narrow.key)).status).toBe(200)
    const audit = await kit.llm.daemon.admin('GET', '/v1/audit?limit=1000')
    expect(JSON.stringify(audit.body)).not.toContain(made.key)
  })

  test('opens neither the console nor what agents and apps reach', async () => {
    const { cookie } = await login('ann@example.com')
    const { key } = await make(cookie)
    for (const path of ['/execute', '/secrets', '/llm/openai/v1/models'])
      expect((await kit.call('GET', path, { token: key })).status, path).toBe(401)
    expect((await kit.browse('GET', '/session', { token: key })).status).toBe(401)
    expect((await kit.browse('GET', '/v1/secrets', { token: key })).status).toBe(401)
  })
})

test('neither a password nor a token is in a row, a log or an answer of the owner’s', () => {
  expect(kit.leaks()).toEqual([])
})
