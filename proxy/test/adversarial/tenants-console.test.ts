import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ADMIN_ROUTES } from '../../src/contracts/admin/index.ts'
import { pathOf, type Route } from '../../src/contracts/index.ts'
import { type Browser, codeOf, createBrowser, linkOf } from '../support/console-kit.ts'
import { createScriptedSandbox } from '../support/domain-kit.ts'
import { createTenantsKit, type TenantSide, type TenantsKit } from '../support/tenants-kit.ts'

let kit: TenantsKit
beforeAll(async () => {
  kit = await createTenantsKit({ sandbox: async () => createScriptedSandbox(() => ({})) })
})
afterAll(async () => await kit?.[Symbol.asyncDispose]())

const browserOf = (side: TenantSide): Browser =>
  createBrowser({ daemon: kit.llm.daemon.daemon, admin: side.admin })
async function signedIn(side: TenantSide): Promise<Browser> {
  const browser = browserOf(side)
  const answer = await browser.signIn()
  expect(answer.status, answer.text).toBe(200)
  return browser
}
const call = (browser: Browser, method: string, path: string, body?: unknown) =>
  browser.send(`/console/api${path}`, { method, ...(body === undefined ? {} : { body }) })
const reasonOf = ({ body }: { body: { error?: { details?: { reason?: string } } } }) =>
  body?.error?.details?.reason

const CHAT = { token: '6161616161:demo-bot-token-number-three', chat_id: '1', approver_ids: [] }
const KEY = `ed25519:${'A'.repeat(43)}`
/** Whatever is of the installation, its machine, or its network. */
const BEYOND: readonly (readonly [string, string, unknown?])[] = [
  ['GET', '/v1/tenants'],
  ['POST', '/v1/tenants', { name: 'third' }],
  ['PUT', '/v1/tenants/acme/chat', { chat: CHAT }],
  ['DELETE', '/v1/tenants/acme'],
  ['DELETE', '/v1/tenants/default'],
  ['POST', '/v1/keys/rotate', { what: 'master' }],
  ['POST', '/v1/doctor'],
  ['POST', '/v1/audit/archive', { up_to: 1 }],
  ['GET', '/v1/audit/archives'],
  ...(['openclaw-cli', 'openclaw-hook', 'webhook'] as const).map(
    (kind) =>
      [
        'POST',
        '/v1/agents',
        { name: kind, wake: { kind, target: kind === 'openclaw-cli' ? '/bin/true' : 'http://127.0.0.1:1/' } },
      ] as const,
  ),
  ['POST', '/v1/providers', { name: 'inside', url: 'http://127.0.0.1:1', private: true }],
  ['PUT', '/v1/providers/openai/params/url', { value: 'http://127.0.0.1:1', private: true }],
  ['POST', '/v1/registries/present', { url: 'file:///etc/hostname' }],
  ['POST', '/v1/registries/present', { url: 'FILE:///etc/hostname' }],
  ['POST', '/v1/registries', { url: 'file:///etc/hostname', key: KEY }],
]

describe('a session of another tenant', () => {
  test('does nothing to the installation, its machine or its network, also as one that has just proved itself', async () => {
    const before = (await kit.own.admin('GET', '/v1/tenants')).body
    const acme = await signedIn(kit.acme)
    for (const [method, path, body] of BEYOND) {
      const answer = await call(acme, method, path, body)
      expect([answer.status, reasonOf(answer)], `${method} ${path} ${answer.text}`).toEqual([
        409,
        'installation',
      ])
    }
    expect((await kit.own.admin('GET', '/v1/tenants')).body).toEqual(before)
    const { agents } = (await call(acme, 'GET', '/v1/agents')).body
    expect(agents.map(({ name }: { name: string }) => name)).toEqual(['claw'])
    const rows = JSON.stringify((await kit.own.admin('GET', '/v1/audit?limit=1000')).body)
    expect(rows).not.toMatch(/master_key\.rotated|tenant\.removed/)
  })

  test('does to its own tenant what that one’s owner does, and the installation’s own session the rest', async () => {
    const [own, acme] = [await signedIn(kit.own), await signedIn(kit.acme)]
    for (const [method, path, body] of [
      ['POST', '/v1/agents', { name: 'second' }],
      ['POST', '/v1/keys/rotate', { what: 'data' }],
      ['GET', '/v1/members'],
      ['GET', '/v1/audit/verify'],
    ] as const) {
      const answer = await call(acme, method, path, body)
      expect(answer.status, `${method} ${path} ${answer.text}`).toBe(200)
    }
    for (const [method, path] of [
      ['GET', '/v1/tenants'],
      ['GET', '/v1/audit/archives'],
      ['POST', '/v1/doctor'],
    ] as const) {
      expect((await call(own, method, path)).status, path).toBe(200)
      expect((await kit.acme.admin(method, path)).status, path).toBe(200)
    }
  })

  test('reads nothing of another tenant’s at any route, whatever tenant it names', async () => {
    const { own, acme } = kit
    await own.admin('PUT', '/v1/secrets/MARKED_SECRET', { value: 'demo-value-marked' })
    await own.admin('POST', '/v1/agents', { name: 'marked-agent', tags: ['marked-tag'] })
    await own.admin('POST', '/v1/provider-keys', {
      provider: 'openai',
      label: 'marked-key',
      value: 'sk-demo-marked-0000000000',
    })
    const asked = await own.call('POST', '/execute', { skill_id: 'demo/marked', code: 'const marked = 1\n' })
    const id: string = asked.body.request_id
    const theirs = await signedIn(own)
    const session: string = (await theirs.send('/console/api/session')).body.id
    const browser = await signedIn(acme)
    const gets = Object.values<Route>(ADMIN_ROUTES).filter(({ method }) => method === 'GET')
    expect(gets.length).toBeGreaterThan(20)
    const params = { id, name: 'marked-agent', skill: 'demo/marked', number: '1' }
    for (const { path, query } of gets) {
      const answer = await browser.send(`/console/api${pathOf(path, params)}`, {
        headers: { 'x-oauth3-tenant': 'default', 'x-tenant': 'default' },
      })
      expect(answer.status, path).toBeLessThan(500)
      expect(path.includes('skill') || answer.status >= 400 ? '' : answer.text, path).not.toMatch(/marked/i)
      expect(answer.text, path).not.toContain(session)
      if (path.includes(':id')) expect([400, 404], path).toContain(answer.status)
      expect(query === undefined || answer.status !== 200 || answer.text !== '', path).toBe(true)
    }
  })

  test('answers, ends and changes nothing of another tenant’s by an id that it knows', async () => {
    const { own, acme } = kit
    const asked = await own.call('POST', '/execute', { skill_id: 'demo/known-id', code: 'const known = 1\n' })
    const id: string = asked.body.request_id
    const { consent_hash } = (await own.admin('GET', `/v1/approvals/${id}`)).body
    const theirs = await signedIn(own)
    const session: string = (await theirs.send('/console/api/session')).body.id
    const browser = await signedIn(acme)
    for (const [method, path, body] of [
      ['POST', `/v1/approvals/${id}/decision`, { choice: 'once', consent_hash }],
      ['POST', `/v1/requests/${id}/decision`, { decision: 'once', consent_hash }],
      ['POST', `/v1/approvals/${id}/again`, { consent_hash }],
      ['POST', '/passkeys/decision/options', { approval: id, choice: 'once', consent_hash }],
      ['DELETE', `/v1/sessions/${session}`],
      ['DELETE', '/v1/agents/claw-of-nobody'],
    ] as const) {
      const answer = await call(browser, method, path, body)
      expect(answer.status, `${path} ${answer.text}`).toBe(404)
    }
    expect((await own.call('GET', `/execute/${id}`)).body.status).toBe('pending')
    expect((await theirs.send('/console/api/session')).status).toBe(200)
    expect((await call(browser, 'POST', '/v1/panic')).status).toBe(200)
    expect((await call(theirs, 'GET', '/v1/panic')).body).toMatchObject({ locked: false })
    await acme.admin('POST', '/v1/panic/end', { confirm: 'unlock' })
  })

  test('follows its own tenant’s events alone, also from a place in another’s', async () => {
    const { own, acme } = kit
    const [ours, theirs] = [await (await signedIn(own)).follow(), await signedIn(acme)]
    const stream = await theirs.follow()
    const first = await own.call('POST', '/execute', { skill_id: 'demo/seen-here', code: 'const a = 1\n' })
    const place = /id: (\S+)\ndata: \{"type":"hello"/.exec(ours.text())?.[1] ?? ''
    await ours.until(new RegExp(first.body.request_id))
    const resumed = await theirs.follow({ 'last-event-id': place })
    const second = await acme.call('POST', '/execute', { skill_id: 'demo/seen-there', code: 'const b = 1\n' })
    for (const one of [stream, resumed]) {
      expect(await one.until(new RegExp(second.body.request_id))).not.toContain(first.body.request_id)
      one.close()
    }
    expect(ours.text()).not.toContain(second.body.request_id)
    ours.close()
  })
})

describe('a code', () => {
  test('signs in at the tenant that it was made for, once, and ends the session of another in that browser', async () => {
    const { own, acme } = kit
    const browser = browserOf(acme)
    const code = codeOf(await linkOf({ admin: acme.admin }))
    const give = () => call(browser, 'POST', '/session/code', { code })
    expect((await give()).body).toMatchObject({ tenant: 'acme' })
    expect((await give()).status).toBe(401)
    const before = createBrowser({ daemon: kit.llm.daemon.daemon, admin: own.admin })
    before.cookie = browser.cookie
    const other = codeOf(await linkOf({ admin: own.admin }))
    const signed = await call(browser, 'POST', '/session/code', { code: other })
    expect(signed.body).toMatchObject({ tenant: 'default' })
    expect(browser.cookie).not.toBe(before.cookie)
    expect((await before.send('/console/api/session')).status).toBe(401)
    expect((await browser.send('/console/api/session')).body).toMatchObject({ tenant: 'default' })
  })

  test('is made by a session for its own tenant alone, and a tenant that is removed leaves nobody signed in', async () => {
    const acme = await signedIn(kit.acme)
    const { url } = (await call(acme, 'POST', '/v1/console/link')).body
    const other = browserOf(kit.own)
    expect((await call(other, 'POST', '/session/code', { code: codeOf(url) })).body.tenant).toBe('acme')
    const stream = await other.follow()
    expect((await kit.own.admin('DELETE', '/v1/tenants/acme')).status).toBe(200)
    for (const browser of [acme, other]) expect((await browser.send('/console/api/session')).status).toBe(401)
    const added = await kit.own.admin('POST', '/v1/tenants', { name: 'acme' })
    expect(added.status).toBe(200)
    for (const browser of [acme, other]) expect((await browser.send('/console/api/session')).status).toBe(401)
    stream.close()
  })
})
