import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { sha256Hex } from '../../src/kernel/index.ts'
import { listTables } from '../../src/storage/index.ts'
import { createScriptedSandbox } from '../support/domain-kit.ts'
import { ACME_BOT, createTenantsKit, type TenantSide, type TenantsKit } from '../support/tenants-kit.ts'
import { openRaw } from '../support/test-engine.ts'

let kit: TenantsKit
beforeAll(async () => {
  kit = await createTenantsKit({
    // Which value code was given, in a form that nothing takes out of its output.
    sandbox: async () =>
      createScriptedSandbox((order, print) => {
        print('stdout', [...order.secrets.values()].map((value) => sha256Hex(value.open())).join())
        return {}
      }),
  })
})
afterAll(async () => await kit?.[Symbol.asyncDispose]())

const VALUES = { own: 'demo-value-of-the-first', acme: 'demo-value-of-the-other' }
const program = (skill: string) => ({
  skill_id: skill,
  code: `console.log(Deno.env.get('SHARED_NAME'), '${skill}')\n`,
  secrets: [{ name: 'SHARED_NAME', mode: 'raw' }],
})
const ask = async (side: TenantSide, skill: string): Promise<string> => {
  const asked = await side.call('POST', '/execute', program(skill))
  expect(asked, JSON.stringify(asked.body)).toMatchObject({ status: 202 })
  return asked.body.request_id
}
const run = async (side: TenantSide, skill: string) => {
  const id = await ask(side, skill)
  await side.press(await side.card(skill), '✅ Run Once')
  return (await side.call('GET', `/execute/${id}?wait=30`)).body
}

describe('two tenants of one daemon', () => {
  test('have a secret of one name with two values, and each is asked in its own chat', async () => {
    for (const name of ['own', 'acme'] as const) {
      const stored = await kit[name].admin('PUT', '/v1/secrets/SHARED_NAME', { value: VALUES[name] })
      expect(stored.body).toMatchObject({ name: 'SHARED_NAME', version: 1 })
    }
    for (const name of ['own', 'acme'] as const) {
      const done = await run(kit[name], `demo/of-${name}`)
      expect(done).toMatchObject({ status: 'success', stdout: sha256Hex(VALUES[name]) })
    }
    const texts = (side: TenantSide): string => side.bot.messages.map(({ text }) => text).join('\n')
    expect(texts(kit.own)).not.toContain('demo/of-acme')
    expect(texts(kit.acme)).not.toContain('demo/of-own')
  })

  test('have agents that see nothing of the other one', async () => {
    const id = await ask(kit.acme, 'demo/hidden')
    expect((await kit.acme.call('GET', `/execute/${id}`)).status).toBe(200)
    const other = await kit.own.call('GET', `/execute/${id}`)
    const unknown = await kit.own.call('GET', `/execute/req_${'0'.repeat(32)}`)
    expect(other).toEqual(unknown)
    expect(other.status).toBe(404)
    const listed = await kit.own.call('GET', '/execute')
    expect(JSON.stringify(listed.body)).not.toContain(id)
    expect((await kit.own.call('GET', '/secrets')).body.secrets).toHaveLength(1)
  })

  test('have members of their own, whom the settings name, and each who goes is told to their audit', async () => {
    const members = async (side: TenantSide): Promise<string[]> =>
      (await side.admin('GET', '/v1/members')).body.members.map(({ person }: { person: string }) => person)
    const setApprovers = async (ids: readonly string[]): Promise<void> => {
      const chat = { token: ACME_BOT, chat_id: String(kit.acme.chatId), approver_ids: ids }
      expect((await kit.own.admin('PUT', '/v1/tenants/acme/chat', { chat })).status).toBe(200)
    }
    const first = String(kit.acme.chatId)
    expect(await members(kit.own)).toEqual([String(kit.own.chatId)])
    expect(await members(kit.acme)).toEqual([first])
    await setApprovers(['999'])
    expect(await members(kit.acme)).toEqual(['999'])
    const events = async (side: TenantSide): Promise<string> =>
      JSON.stringify((await side.admin('GET', '/v1/audit?limit=1000')).body)
    expect(await events(kit.acme)).toContain('member.removed')
    expect(await events(kit.own)).not.toContain('member.removed')
    expect((await kit.cli(['tenant', 'members', '--tenant', 'acme'])).stdout).toMatch(
      /telegram +999 +approver/,
    )
    await setApprovers([first])
  })

  test('have audits that verify apart and tell nothing of the other one', async () => {
    const events = async (side: TenantSide): Promise<string> =>
      JSON.stringify((await side.admin('GET', '/v1/audit?limit=1000')).body)
    for (const side of [kit.own, kit.acme])
      expect((await side.admin('GET', '/v1/audit/verify')).body).toMatchObject({ ok: true })
    expect(await events(kit.acme)).toContain('secret.opened')
    expect(await events(kit.acme)).not.toContain('tenant.added')
    expect(await events(kit.own)).toContain('tenant.added')
    expect(await events(kit.own)).not.toContain('demo/of-acme')
  })

  test('have providers’ keys, grants and usage apart', async () => {
    const { llm, own, acme } = kit
    await llm.open('openai')
    const body = { model: 'gpt-5', messages: [{ role: 'user', content: 'hello' }] }
    const path = '/llm/openai/v1/chat/completions'
    expect((await llm.ask(path, { body })).status).toBe(200)
    const headers = { prefer: 'wait=0' }
    const ungranted = await llm.ask(path, { body, token: acme.token, headers })
    expect(ungranted.json.error.code).toBe('approval_pending')
    expect((await acme.admin('GET', '/v1/provider-keys')).body.keys).toEqual([])
    expect((await acme.admin('GET', '/v1/provider-grants')).body.grants).toEqual([])

    const value = llm.vendors.addKey('openai')
    await acme.admin('POST', '/v1/provider-keys', { provider: 'openai', value })
    await acme.admin('POST', '/v1/provider-grants', { agent: 'claw', provider: 'openai', for_ms: null })
    for (let n = 0; n < 2; n++) expect((await llm.ask(path, { body, token: acme.token })).status).toBe(200)
    const requests = async (side: TenantSide): Promise<number> =>
      (await side.admin('GET', '/v1/usage?by=model')).body.groups.reduce(
        (sum: number, group: { requests: number }) => sum + group.requests,
        0,
      )
    await own.bot.waitFor(async () => (await requests(acme)) === 2, 'the usage of acme')
    expect(await requests(own)).toBe(1)
    expect(llm.vendors.faults).toEqual([])
  })

  test('are named in commands with --tenant, or by OAUTH3_TENANT', async () => {
    const lists = async (args: readonly string[], env?: Record<string, string>): Promise<string[]> => {
      const { stdout, code, stderr } = await kit.cli([...args, '--json', 'key', 'list'], env ? { env } : {})
      expect(code, stderr).toBe(0)
      return JSON.parse(stdout).keys.map((key: { label: string }) => key.label)
    }
    const stored = await kit.cli(['--tenant', 'acme', 'key', 'add', 'groq', '--label', 'of-acme'], {
      stdin: 'demo-key-of-acme',
    })
    expect(stored.code, stored.stderr).toBe(0)
    expect(await lists(['--tenant', 'acme'])).toContain('of-acme')
    expect(await lists([], { OAUTH3_TENANT: 'acme' })).toContain('of-acme')
    expect(await lists([])).not.toContain('of-acme')
    expect(await lists(['--tenant', 'default'], { OAUTH3_TENANT: 'acme' })).not.toContain('of-acme')
    const wrong = await kit.cli(['--tenant', 'nobody', 'secret', 'list'])
    expect(wrong.code).toBe(4)
    expect(wrong.stderr).toContain('there are: default, acme')
  })

  test('are told apart after a restart', async () => {
    await kit.restart()
    for (const name of ['own', 'acme'] as const) {
      expect(await run(kit[name], `demo/again-${name}`)).toMatchObject({ stdout: sha256Hex(VALUES[name]) })
      expect((await kit[name].admin('GET', '/v1/audit/verify')).body).toMatchObject({ ok: true })
    }
  })

  test('keep what they have when the master key is replaced, and open after a restart', async () => {
    expect((await kit.cli(['key', 'rotate', '--master'])).code).toBe(0)
    expect((await kit.cli(['--tenant', 'acme', 'key', 'rotate'])).code).toBe(0)
    await kit.restart()
    for (const name of ['own', 'acme'] as const)
      expect(await run(kit[name], `demo/rotated-${name}`)).toMatchObject({ stdout: sha256Hex(VALUES[name]) })
  })

  test('never have one bot', async () => {
    const file = join(mkdtempSync(join(tmpdir(), 'oauth3-token-')), 'token')
    for (const token of [kit.own.bot.token, ACME_BOT]) {
      writeFileSync(file, `${token}\n`)
      const { code, stderr } = await kit.cli([
        ...['tenant', 'add', 'third', '--telegram-chat', '77', '--telegram-token-file', file],
      ])
      expect([code, stderr]).toEqual([5, expect.stringContaining('Another tenant has this bot')])
      expect(stderr).not.toContain(token)
    }
    rmSync(file)
    const { stdout } = await kit.cli(['--json', 'tenant', 'list'])
    expect(JSON.parse(stdout).tenants.map(({ name }: { name: string }) => name)).toEqual(['default', 'acme'])
    expect(stdout).not.toContain(ACME_BOT)
  })

  test('may be given another chat', async () => {
    const waiting = await ask(kit.acme, 'demo/waits-over-the-change')
    const set = await kit.cli(['tenant', 'set', 'acme', '--no-telegram'])
    expect(set.code, set.stderr).toBe(0)
    expect(set.stdout).toContain('oauth3 watch --tenant acme')
    expect((await kit.acme.admin('GET', '/v1/status')).body.telegram).toBe('disabled')
    expect((await kit.acme.call('GET', `/execute/${waiting}`)).body.status).toBe('pending')
    const again = await kit.cli(['tenant', 'set', 'acme', '--telegram-chat', String(kit.acme.chatId)], {
      stdin: ACME_BOT,
    })
    expect(again.code, again.stderr).toBe(0)
    expect(await run(kit.acme, 'demo/back')).toMatchObject({ status: 'success' })
  })

  test('end apart: of the one that is removed nothing is left, and the other one works on', async () => {
    const folder = join(kit.llm.daemon.folder, 'data')
    const archived = await kit.acme.admin('POST', '/v1/audit/archive', { up_to: 2 })
    expect(archived.status, JSON.stringify(archived.body)).toBe(200)
    const { id } = (await kit.own.admin('GET', '/v1/tenants')).body.tenants[1]
    const filesOf = (): string[] =>
      readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.includes(id))
    expect(filesOf()).not.toEqual([])

    expect((await kit.cli(['tenant', 'remove', 'acme'])).stderr).toContain('--yes')
    const removed = await kit.cli(['--json', 'tenant', 'remove', 'acme', '--yes'])
    expect(JSON.parse(removed.stdout)).toEqual({ name: 'acme', finished: true })

    const db = openRaw(kit.llm.daemon.folder, 'data/proxy.db')
    const tables = listTables()
      .filter(({ columns }) => columns.some(({ name }) => name === 'tenant_id'))
      .map(({ name }) => name)
    expect(tables.length).toBeGreaterThan(25)
    const left = tables.filter((table) => db.prepare(`SELECT 1 FROM ${table} WHERE tenant_id = ?`).get(id))
    expect(left).toEqual([])
    expect(db.prepare('SELECT name FROM tenants').pluck().all()).toEqual(['default'])
    db.close()
    expect(filesOf()).toEqual([])

    const stranger = await kit.own.call('GET', '/execute', undefined, {
      authorization: `Bearer oa3_${'x'.repeat(43)}`,
    })
    const former = await kit.acme.call('GET', '/execute')
    expect(former).toEqual(stranger)
    expect(former.status).toBe(401)
    expect(await run(kit.own, 'demo/on-its-own')).toMatchObject({ stdout: sha256Hex(VALUES.own) })
    const audit = JSON.stringify((await kit.own.admin('GET', '/v1/audit?limit=1000')).body)
    expect(audit).toContain('tenant.removed')
    expect((await kit.own.admin('GET', '/v1/audit/verify')).body).toMatchObject({ ok: true })

    const anew = await kit.own.admin('POST', '/v1/tenants', { name: 'acme' })
    expect(anew.body).toMatchObject({ name: 'acme', agents: 0, chat_id: null })
    expect(anew.body.id).not.toBe(id)
    expect((await kit.acme.admin('GET', '/v1/secrets')).body.secrets).toEqual([])
    await kit.restart()
    expect((await kit.acme.admin('GET', '/v1/status')).body.waiting).toBe(0)
  })
})
