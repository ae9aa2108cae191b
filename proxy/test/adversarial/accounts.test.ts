import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ADMIN_ROUTES } from '../../src/contracts/admin/index.ts'
import { CONSOLE_ROUTES } from '../../src/contracts/console/index.ts'
import { pathOf, type Route } from '../../src/contracts/index.ts'
import {
  type AccountsKit,
  CONSOLE,
  createAccountsKit,
  PASSWORD,
  type SignedUp,
} from '../support/accounts-kit.ts'

let kit: AccountsKit
/** Whoever's tests leave them signed in. */
let ann: SignedUp
let eve: SignedUp
beforeAll(async () => {
  kit = await createAccountsKit('password')
  ann = await kit.signUp('ann@example.com')
  eve = await kit.signUp('eve@example.com')
})
afterAll(async () => await kit?.[Symbol.asyncDispose]())

const login = (email: string, password = PASSWORD, more: Parameters<AccountsKit['call']>[2] = {}) =>
  kit.call('POST', '/api/auth/login', { body: { email, password }, ...more })
const me = (token: string) => kit.call('GET', '/api/auth/me', { token })
const refresh = (token: string) => kit.call('POST', '/api/auth/refresh', { body: { refresh_token: token } })

describe('a sign-in', () => {
  test('is tried ten times a minute from one network, whoever it is for, and from others meanwhile', async () => {
    const statuses: number[] = []
    for (let at = 0; at < 12; at += 1) {
      const address = `2001:db8:1:2:${at.toString(16)}::1`
      statuses.push((await login(`nobody${at}@example.com`, PASSWORD, { address })).status)
    }
    expect(statuses).toEqual([...Array(10).fill(401), 429, 429])
    const told = await login('ann@example.com', PASSWORD, { address: '2001:db8:1:2:ffff::9' })
    expect(told).toMatchObject({ status: 429, body: { error: { code: 'rate_limited' } } })
    expect(Number(told.headers['retry-after'])).toBeGreaterThan(0)
    expect((await login('ann@example.com', PASSWORD, { address: '2001:db8:1:3::1' })).status).toBe(200)
  })

  test('is guessed at for one account thirty times, from wherever', async () => {
    await kit.signUp('guessed@example.com')
    const statuses = new Set<number>()
    for (let at = 0; at < 30; at += 1)
      statuses.add((await login('guessed@example.com', `guess ${at}`)).status)
    expect([...statuses]).toEqual([401])
    expect((await login('guessed@example.com', 'guess 31')).status).toBe(429)
  })

  test('tells nothing of whether there is an account', async () => {
    await kit.llm.admin('POST', '/v1/accounts', { email: 'invited@example.com' })
    const answers = await Promise.all(
      ['ann@example.com', 'invited@example.com', 'unknown@example.com', 'no address', "x' OR 1=1 --"].map(
        (email) => login(email, 'not the password'),
      ),
    )
    const shape = ({ status, text, headers }: (typeof answers)[number]) => [
      status,
      text,
      Object.keys(headers).sort(),
    ]
    for (const answer of answers) expect(shape(answer)).toEqual(shape(answers[0] as never))
    expect(answers[0]?.status).toBe(401)
  })

  test('takes no session that an attacker planted', async () => {
    const planted = eve.cookie
    const signed = await login('ann@example.com', PASSWORD, {
      cookie: planted,
      headers: { origin: CONSOLE, 'sec-fetch-site': 'same-origin' },
    })
    expect(signed.cookie).not.toBe(planted)
    const own = (cookie: string | undefined) => kit.browse('GET', '/session', { cookie })
    expect((await own(signed.cookie)).body).toMatchObject({ who: 'ann@example.com', role: 'account' })
    expect((await own(planted)).body).toMatchObject({ who: 'eve@example.com' })
  })

  test('comes from the console’s own page or from a program, never from another site', async () => {
    const body = { email: 'ann@example.com', password: PASSWORD }
    for (const headers of [
      { origin: 'https://evil.example' },
      { origin: 'null' },
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site', origin: 'https://other.example.com' },
      { host: 'evil.example' },
      { 'x-forwarded-proto': 'http' },
    ]) {
      const answer = await kit.call('POST', '/api/auth/login', { body, headers })
      expect([answer.status, answer.cookie], JSON.stringify(headers)).toEqual([403, undefined])
    }
    for (const type of [
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
    ]) {
      const answer = await kit.call('POST', '/api/auth/login', { body, headers: { 'content-type': type } })
      expect([answer.status, answer.cookie], type).toEqual([415, undefined])
    }
  })
})

test('a cookie alone changes nothing below /api from a page that does not say where it is from', async () => {
  const { cookie } = ann
  expect((await kit.call('GET', '/api/auth/me', { cookie })).status).toBe(200)
  const body = { provider: 'anthropic', api_key: 'demo-value-of-csrf' }
  expect((await kit.call('POST', '/api/user/api-keys', { cookie, body })).status).toBe(401)
  expect((await kit.call('POST', '/api/auth/logout', { cookie, body: {} })).status).toBe(200)
  expect((await kit.call('GET', '/api/auth/me', { cookie })).status).toBe(200)
})

describe('whoever signed up', () => {
  test('reaches nothing of another tenant’s or of the installation’s at any route', async () => {
    const [{ cookie }, { cookie: evil }] = [await login('ann@example.com'), await login('eve@example.com')]
    const ours = (method: string, path: string, body?: unknown) =>
      kit.browse(method, path, { cookie, ...(body !== undefined && { body }) })
    expect((await ours('PUT', '/v1/secrets/MARKED_SECRET', { value: 'demo-value-marked' })).status).toBe(200)
    const { token } = (await ours('POST', '/v1/agents', { name: 'marked-agent' })).body
    const asked = await kit.call('POST', '/execute', {
      token,
      body: { skill_id: 'demo/marked', code: 'const marked = 1\n' },
    })
    const id: string = asked.body.request_id
    const { consent_hash } = (await ours('GET', `/v1/approvals/${id}`)).body
    const marked = new RegExp(`marked|${id}|${ann.id}|${ann.tenant}|ann@`, 'i')
    const bodies: Readonly<Record<string, unknown>> = {
      decideApproval: { choice: 'once', consent_hash },
      decideRequest: { decision: 'once', consent_hash },
      askAgain: { consent_hash },
    }
    const NAMES = {
      id,
      name: 'marked-agent',
      provider: 'openai',
      skill: 'demo',
      who: ann.id,
      file: 'x',
      session: 'x',
    }
    const walked: Record<string, number> = {}
    for (const [name, route] of Object.entries<Route>(ADMIN_ROUTES)) {
      // Ends what it is called with: tried at the end.
      if (name === 'panic' || name === 'endPanic') continue
      const params = { ...NAMES, model: 'x', param: 'x', number: '1' }
      const answer = await kit.browse(route.method, pathOf(route.path, params), {
        cookie: evil,
        headers: { 'x-oauth3-tenant': ann.tenant },
        ...(route.body && { body: bodies[name] ?? {} }),
      })
      walked[name] = answer.status
      expect(answer.status, `${name} ${answer.text}`).toBeLessThan(500)
      const isEcho = answer.status >= 400 || /No |There is no/.test(answer.text)
      if (!isEcho) expect(answer.text, name).not.toMatch(marked)
      if ('action' in route && route.action === 'tenant.manage')
        expect(answer.body.error?.details?.reason, name).toBe('installation')
    }
    expect(Object.keys(walked).length).toBeGreaterThan(80)
    for (const name of ['decideApproval', 'decideRequest', 'askAgain', 'stopRequest'])
      expect(walked[name] ?? 404, name).toBeGreaterThanOrEqual(400)
    for (const [name, route] of Object.entries<Route>(CONSOLE_ROUTES)) {
      if (route.method === 'POST' && route.body === undefined && name === 'signOut') continue
      const answer = await kit.browse(route.method, pathOf(route.path, NAMES), {
        cookie: evil,
        ...(route.body && { body: { approval: id, choice: 'once', consent_hash } }),
      })
      expect(answer.status, name).toBeLessThan(500)
      if (answer.status < 400) expect(answer.text, name).not.toMatch(marked)
    }
    // Nothing of Ann's has changed.
    expect((await kit.call('GET', `/execute/${id}`, { token })).body.status).toBe('pending')
    expect(JSON.stringify((await ours('GET', '/v1/secrets')).body)).toContain('MARKED_SECRET')
    expect((await ours('GET', '/session')).status).toBe(200)
  })

  test('approves no way to addresses of the daemon’s own machine or network', async () => {
    const { cookie } = await login('eve@example.com')
    const { token } = (await kit.browse('POST', '/v1/agents', { cookie, body: { name: 'reaching' } })).body
    const ask = async (host: string) => {
      const body = { skill_id: 'demo/reach', code: 'const reach = 1\n', metadata: { network: [host] } }
      const { request_id } = (await kit.call('POST', '/execute', { token, body })).body
      const { consent_hash } = (await kit.browse('GET', `/v1/approvals/${request_id}`, { cookie })).body
      return { request_id, consent_hash }
    }
    for (const host of [
      'http://127.0.0.1:8080',
      'http://169.254.169.254',
      '10.0.0.1',
      'http://[::1]',
      '[fd00::1]',
    ]) {
      const { request_id, consent_hash } = await ask(host)
      for (const choice of ['once', 'forever'])
        for (const [path, body] of [
          [`/v1/approvals/${request_id}/decision`, { choice, consent_hash }],
          [`/v1/requests/${request_id}/decision`, { decision: choice, consent_hash }],
        ] as const) {
          const answer = await kit.browse('POST', path, { cookie, body })
          expect(
            answer.body.error?.details?.reason ?? answer.body.reason,
            `${host} ${path} ${answer.text}`,
          ).toBe('reaches_host')
        }
      expect((await kit.call('GET', `/execute/${request_id}`, { token })).body.status, host).toBe('pending')
    }
    const open = await ask('93.184.216.34')
    const yes = { choice: 'once', consent_hash: open.consent_hash }
    const answer = await kit.browse('POST', `/v1/approvals/${open.request_id}/decision`, {
      cookie,
      body: yes,
    })
    expect(answer.status, answer.text).toBe(200)
  })

  test('has no provider that stands on the host', async () => {
    const { cookie } = await login('eve@example.com')
    const listed = (await kit.browse('GET', '/v1/providers', { cookie })).body.providers
    const ollama = listed.find(({ name }: { name: string }) => name === 'ollama')
    expect(ollama).toMatchObject({ missing: ['url'] })
    for (const value of ['default', 'http://127.0.0.1:11434/v1']) {
      await kit.browse('PUT', '/v1/providers/ollama/params/url', { cookie, body: { value } })
      const again = (await kit.browse('GET', '/v1/providers', { cookie })).body.providers
      expect(again.find(({ name }: { name: string }) => name === 'ollama').missing, value).toEqual(['url'])
    }
    const hosts = (await kit.llm.admin('GET', '/v1/providers')).providers
    expect(hosts.find(({ name }: { name: string }) => name === 'ollama').missing).toEqual([])
  })

  test('changes keys and refreshes so often and no more', async () => {
    const { access, refresh: first } = await kit.signUp('often@example.com')
    const body = { provider: 'openai', api_key: 'demo-value-of-a-key' }
    const until429 = async (most: number, call: () => ReturnType<AccountsKit['call']>): Promise<boolean> => {
      for (let each = 0; each < most; each += 1) if ((await call()).status === 429) return true
      return false
    }
    const store = () => kit.call('POST', '/api/user/api-keys', { token: access, body })
    expect(await until429(40, store)).toBe(true)
    let token = first
    const again = async () => {
      const answer = await refresh(token)
      token = answer.body.refresh_token ?? token
      return answer
    }
    expect(await until429(40, again)).toBe(true)
  })

  test('is out in a second when the session is revoked, of the event stream too', async () => {
    const cookie = (await login('ann@example.com')).cookie
    const session = (await kit.browse('GET', '/session', { cookie })).body.id
    const streams = kit.browse('GET', '/events', { cookie })
    const other = (await login('ann@example.com')).cookie
    expect((await kit.browse('DELETE', `/v1/sessions/${session}`, { cookie: other })).status).toBe(200)
    // It ends by itself: what is sent next finds no session.
    expect((await streams.catch(() => ({ text: 'cut' }))).text).toMatch(/hello|cut/)
    expect((await kit.browse('GET', '/session', { cookie })).status).toBe(401)
  })

  test('ends all other sessions with a new password, and changes it only freshly proved', async () => {
    const signed = await kit.signUp('change@example.com')
    const other = (await login('change@example.com')).body
    kit.llm.advance(11 * 60_000)
    const set = () =>
      kit.browse('PUT', '/account/password', {
        cookie: signed.cookie,
        body: { password: 'another password' },
      })
    expect((await set()).body.error.details.reason).toBe('step_up_required')
    const prove = (password: string) =>
      kit.browse('POST', '/session/step-up', { cookie: signed.cookie, body: { password } })
    expect((await prove('not the password')).status).toBe(401)
    expect((await prove(PASSWORD)).status).toBe(200)
    expect((await set()).body).toMatchObject({ ok: true })
    expect((await me(other.access_token)).status).toBe(401)
    expect((await refresh(other.refresh_token)).status).toBe(401)
    expect((await kit.browse('GET', '/session', { cookie: signed.cookie })).status).toBe(200)
    expect((await login('change@example.com')).status).toBe(401)
    expect((await login('change@example.com', 'another password')).status).toBe(200)
  })

  test('changes hosted agents by its cookie only freshly proved, as in the console', async () => {
    const { cookie, body } = await login('ann@example.com')
    const headers = { origin: CONSOLE, 'sec-fetch-site': 'same-origin' }
    kit.llm.advance(11 * 60_000)
    for (const [method, path] of [
      ['POST', ''],
      ['POST', '/mch_0/start'],
      ['POST', '/mch_0/stop'],
      ['DELETE', '/mch_0'],
    ] as const) {
      const sent = { cookie, headers, ...(method === 'POST' && { body: {} }) }
      const answer = await kit.call(method, `/api/instances${path}`, sent)
      expect(answer.body.error?.details?.reason, answer.text).toBe('step_up_required')
    }
    const token = (await refresh(body.refresh_token)).body.access_token
    const made = await kit.call('POST', '/api/instances', { token, body: {} })
    expect(made.body, made.text).toMatchObject({ status: 'pending' })
    expect((await kit.call('DELETE', `/api/instances/${made.body.id}`, { token })).status).toBe(200)
  })

  test('ends no emergency stop by a password', async () => {
    const { cookie } = await kit.signUp('panic@example.com')
    expect((await kit.browse('POST', '/v1/panic', { cookie })).status).toBe(200)
    const end = await kit.browse('POST', '/v1/panic/end', { cookie, body: { confirm: 'unlock' } })
    expect(end.body.error.details.reason).toBe('passkey_required')
  })
})

describe('an address', () => {
  test('that was invited is nobody else’s, however it is written, and its link stays good', async () => {
    const { url } = await kit.llm.admin('POST', '/v1/accounts', { email: 'Carol@Example.com' })
    for (const email of ['carol@example.com', 'CAROL@EXAMPLE.COM', ' carol@example.com ']) {
      const taken = await kit.call('POST', '/api/auth/signup', { body: { email, password: PASSWORD } })
      expect(taken.status, email).toBe(409)
    }
    expect((await login('carol@example.com')).status).toBe(401)
    const code = new URL(url).hash.replace('#code=', '')
    const signed = await kit.browse('POST', '/session/code', { body: { code } })
    expect(signed.body).toMatchObject({ role: 'account', who: 'carol@example.com' })
    const { cookie } = signed
    expect(
      (await kit.browse('PUT', '/account/password', { cookie, body: { password: PASSWORD } })).status,
    ).toBe(200)
    expect((await login('carol@example.com')).status).toBe(200)
    expect((await kit.browse('POST', '/session/code', { body: { code } })).status).toBe(401)
  })

  test('that signed itself up is not handed to who is invited by it', async () => {
    const invited = await kit.llm.daemon.admin('POST', '/v1/accounts', { email: 'Eve@example.com' })
    expect(invited.status).toBe(409)
    expect((await login('eve@example.com')).status).toBe(200)
  })

  test('of other letters that look the same is none', async () => {
    for (const email of [
      '\u0430nn@example.com',
      'ann@ex\u0430mple.com',
      'ann\u200b@example.com',
      'ann@example.com\u0000',
    ])
      expect(
        (await kit.call('POST', '/api/auth/signup', { body: { email, password: PASSWORD } })).status,
        email,
      ).toBe(400)
  })
})

describe('signing up', () => {
  test('is done five times an hour from one network', async () => {
    const statuses: number[] = []
    for (let at = 0; at < 7; at += 1)
      statuses.push(
        (
          await kit.call('POST', '/api/auth/signup', {
            ...{
              address: `2001:db8:9:9::${at}`,
              body: { email: `mass${at}@example.com`, password: PASSWORD },
            },
          })
        ).status,
      )
    expect(statuses).toEqual([200, 200, 200, 200, 200, 429, 429])
  })

  test('makes no more tenants than the owner says, and leaves nothing of those that it refuses', async () => {
    const before = (await kit.llm.admin('GET', '/v1/tenants')).tenants.length
    await kit.llm.admin('PUT', '/v1/quotas/default', { tenants: before - 1 })
    const sent = { body: { email: 'late@example.com', password: PASSWORD } }
    const answer = await kit.call('POST', '/api/auth/signup', sent)
    expect([answer.status, answer.body.error.details.reason]).toEqual([409, 'too_many_tenants'])
    expect((await kit.llm.admin('GET', '/v1/tenants')).tenants.length).toBe(before)
    await kit.llm.admin('PUT', '/v1/quotas/default', { tenants: null })
    expect((await kit.call('POST', '/api/auth/signup', sent)).status).toBe(200)
  })
})

test('neither a password nor a token is in a row, a log or an answer of the owner’s', () => {
  expect(kit.leaks()).toEqual([])
})

test('somebody who signed up makes no more changes a minute than an agent, and slows nobody else', async () => {
  await using limited = await createAccountsKit('password', { OAUTH3_RATE_LIMIT: '5' })
  const [{ cookie }, other] = [
    await limited.signUp('fay@example.com'),
    await limited.signUp('gil@example.com'),
  ]
  const change = (of: string | undefined) =>
    limited.browse('PUT', '/v1/providers/nobody/params/url', { cookie: of, body: { value: 'x' } })
  const answers = await Promise.all(Array.from({ length: 7 }, () => change(cookie)))
  const refused = answers.filter(({ status }) => status === 429)
  expect(refused).toHaveLength(2)
  expect(refused[0]).toMatchObject({ body: { error: { code: 'rate_limited' } } })
  expect(Number(refused[0]?.headers['retry-after'])).toBeGreaterThan(0)
  expect((await change(other.cookie)).status).not.toBe(429)
})
