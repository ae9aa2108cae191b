import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createScriptedSandbox } from '../support/domain-kit.ts'
import { EVE } from '../support/telegram-kit.ts'
import { createTenantsKit, type TenantSide, type TenantsKit } from '../support/tenants-kit.ts'
import { openRaw } from '../support/test-engine.ts'

/** Runs whose code says `wait` go on until the sandbox is told to end them. */
let underWay = 0
let kit: TenantsKit
beforeAll(async () => {
  kit = await createTenantsKit({
    environment: { OAUTH3_MAX_RUNS: '4' },
    sandbox: async () =>
      createScriptedSandbox(async (order, print, signal) => {
        print('stdout', 'hello\n')
        if (!order.code.includes('wait')) return {}
        underWay += 1
        await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
        underWay -= 1
        return { end: 'stopped' as never, exitCode: null as never }
      }),
  })
})
afterAll(async () => await kit?.[Symbol.asyncDispose]())

const submit = async (side: TenantSide, skill: string, code = `console.log('${skill}')\n`): Promise<string> =>
  (await side.call('POST', '/execute', { skill_id: skill, code })).body.request_id
const events = async (side: TenantSide): Promise<string> =>
  JSON.stringify((await side.admin('GET', '/v1/audit?limit=1000')).body)
const statusOf = async (side: TenantSide, id: string): Promise<string> =>
  (await side.call('GET', `/execute/${id}`)).body.status

describe('a tenant’s agent', () => {
  test('reaches nothing of another tenant by an id that it knows', async () => {
    const id = await submit(kit.own, 'demo/not-yours')
    const none = `req_${'f'.repeat(32)}`
    for (const [method, path] of [
      ['GET', ''],
      ['GET', '/status'],
      ['GET', '/events'],
      ['POST', '/cancel'],
      ['DELETE', ''],
      ['POST', '/ack'],
    ] as const) {
      const theirs = await kit.acme.call(method, `/execute/${id}${path}`)
      const nobodys = await kit.acme.call(method, `/execute/${none}${path}`)
      expect(theirs, `${method} ${path}`).toEqual(nobodys)
      expect(theirs.status, `${method} ${path}`).toBeGreaterThanOrEqual(404)
    }
    expect(await statusOf(kit.own, id)).toBe('pending')
    const tool = await kit.acme.call(
      'POST',
      '/mcp',
      {
        jsonrpc: '2.0',
        id: 1,
        method: 'tools/call',
        params: { name: 'execution_status', arguments: { request_id: id } },
      },
      { accept: 'application/json, text/event-stream' },
    )
    expect(JSON.stringify(tool.body)).toContain('not_found')
  })

  test('takes no answer of another tenant’s by an idempotency key', async () => {
    const body = { skill_id: 'demo/same', code: "console.log('same')\n" }
    const key = { 'idempotency-key': 'one-and-the-same' }
    const first = await kit.own.call('POST', '/execute', body, key)
    const second = await kit.acme.call('POST', '/execute', body, key)
    expect([first.status, second.status]).toEqual([202, 202])
    expect(second.body.request_id).not.toBe(first.body.request_id)
  })

  test('whose token comes together with another tenant’s is refused by both', async () => {
    const { llm, own, acme } = kit
    await llm.open('openai')
    const path = '/llm/openai/v1/models'
    for (const [bearer, key] of [
      [own.token, acme.token],
      [acme.token, own.token],
    ] as const) {
      const answer = await llm.ask(path, { token: bearer, headers: { 'x-api-key': key } })
      expect(answer.json.error.code).toBe('ambiguous_credentials')
    }
    const inQuery = await llm.ask(`${path}?key=${acme.token}`, { token: own.token })
    expect(inQuery.json.error.code).toBe('ambiguous_credentials')
    expect(llm.vendors.faults).toEqual([])
  })

  test('is not served with another tenant’s grant or key, wherever its token stands', async () => {
    const { llm, own, acme } = kit
    const calls: [string, Record<string, string>][] = [
      ['', { authorization: `Bearer ${acme.token}` }],
      ['', { 'x-api-key': acme.token }],
      ['', { 'x-goog-api-key': acme.token }],
      [`?key=${acme.token}`, {}],
    ]
    for (const [query, headers] of calls) {
      const body = { model: 'gpt-5', messages: [{ role: 'user', content: 'hello' }] }
      const answer = await llm.ask(`/llm/openai/v1/chat/completions${query}`, {
        token: null,
        body,
        headers: { ...headers, prefer: 'wait=0' },
      })
      expect(answer.json.error.code, JSON.stringify(headers)).toBe('approval_pending')
    }
    expect(await events(acme)).toContain('provider.asked')
    expect(await events(own)).not.toContain('provider.asked')
  })

  test('that is unknown is told what it was told before there were tenants', async () => {
    const token = `oa3_${'q'.repeat(43)}`
    const answer = await kit.own.call('GET', '/secrets', undefined, { authorization: `Bearer ${token}` })
    expect(answer).toMatchObject({ status: 401, body: { error: { code: 'unauthenticated' } } })
    expect(JSON.stringify(answer.body)).not.toMatch(/tenant|acme/)
  })
})

describe('a chat', () => {
  test('answers no card of another tenant, also with its callback, its message and its approver', async () => {
    const id = await submit(kit.own, 'demo/pressed-elsewhere')
    const card = await kit.own.card('demo/pressed-elsewhere')
    const theirs = await submit(kit.acme, 'demo/their-own')
    const own = await kit.acme.card('demo/their-own')
    const data = card.callbacks.get('✅ Run Once') ?? ''
    expect(data).not.toBe('')
    for (const from of [
      { id: kit.acme.chatId, first_name: 'Bob' },
      { id: kit.own.chatId, first_name: 'Ann' },
      EVE,
    ]) {
      const { answered } = kit.acme.bot.pressRaw(kit.acme.chatId, own.messageId, data, from)
      await answered
    }
    expect(await statusOf(kit.own, id)).toBe('pending')
    expect(await statusOf(kit.acme, theirs)).toBe('pending')
    expect(await events(kit.acme)).toMatch(/approval\.refused|telegram\.rejected/)
    await kit.own.press(card, '❌ Deny')
    await kit.own.bot.waitFor(async () => (await statusOf(kit.own, id)) === 'denied', 'the denial')
  })

  test('knows no request of another tenant by its id in a command', async () => {
    const id = await submit(kit.own, 'demo/named-elsewhere')
    const before = kit.acme.bot.messages.length
    kit.acme.bot.say(kit.acme.chatId, `/show ${id}`, { id: kit.acme.chatId, first_name: 'Bob' })
    kit.acme.bot.say(kit.acme.chatId, '/pending', { id: kit.acme.chatId, first_name: 'Bob' })
    await kit.acme.bot.waitFor(
      () =>
        kit.acme.bot.messages
          .slice(before)
          .some(({ fromBot, text }) => fromBot && text.includes('their-own')),
      'the list of what waits',
    )
    const told = kit.acme.bot.messages.slice(before).filter(({ fromBot }) => fromBot)
    expect(told.map(({ text }) => text).join()).not.toContain('named-elsewhere')
  })
})

describe('the admin socket', () => {
  test('takes no name of a tenant but one that is there', async () => {
    const { adminCall } = await import('../support/daemon-kit.ts')
    const socket = kit.llm.daemon.daemon.adminSocketPath
    const names = [
      '',
      ' ',
      'Acme',
      'acme/..',
      '../default',
      '__proto__',
      'constructor',
      'acme, default',
      '%00',
      "a'--",
    ]
    for (const name of [...names, 'x'.repeat(4_000)]) {
      const answer = await adminCall(socket, 'GET', '/v1/secrets', undefined, { 'x-oauth3-tenant': name })
      expect(answer.status, name).toBe(404)
      expect(answer.body.error.message).toBe('There is no such tenant; there are: default, acme.')
    }
    const twice = await adminCall(socket, 'GET', '/v1/secrets', undefined, {
      'x-oauth3-tenant': ['acme', 'default'],
    })
    expect(twice.status).toBe(404)
  })

  test('makes no tenant of a bad name, a bad chat or a name that is taken, and leaves nothing behind', async () => {
    const db = openRaw(kit.llm.daemon.folder, 'data/proxy.db')
    const count = (): unknown => db.prepare('SELECT count(DISTINCT tenant_id) FROM data_keys').pluck().get()
    const before = count()
    const chat = { token: '6161616161:demo-bot-token-number-three', chat_id: '-100', approver_ids: [] }
    for (const body of [
      { name: '../x' },
      { name: 'Default' },
      { name: 'default' },
      { name: 'acme' },
      { name: 'third', chat },
      { name: 'third', chat: { ...chat, token: 'none' } },
      { name: 'third', chat: { ...chat, chat_id: '1', approver_ids: ['me'] } },
    ]) {
      const answer = await kit.own.admin('POST', '/v1/tenants', body)
      expect([400, 409], JSON.stringify(body)).toContain(answer.status)
      expect(JSON.stringify(answer.body)).not.toContain(chat.token)
    }
    expect(count()).toBe(before)
    db.close()
    expect((await kit.own.admin('DELETE', '/v1/tenants/default')).status).toBe(409)
  })
})

describe('what is sealed', () => {
  test('for one tenant does not open as another one’s, with its data key in the place of theirs', async () => {
    await kit.own.admin('PUT', '/v1/secrets/MOVED', { value: 'demo-value-of-the-default' })
    await kit.acme.admin('PUT', '/v1/secrets/MOVED', { value: 'demo-value-of-acme' })
    const { id } = (await kit.own.admin('GET', '/v1/tenants')).body.tenants[1]
    const move = (sql: string): void => {
      const db = openRaw(kit.llm.daemon.folder, 'data/proxy.db')
      db.exec(sql)
      db.close()
    }
    const value = (tenant: string): string =>
      `(SELECT encrypted_value FROM secrets WHERE tenant_id = '${tenant}' AND name = 'MOVED')`
    const runs = async (side: TenantSide, skill: string) => {
      const asked = await side.call('POST', '/execute', {
        skill_id: skill,
        code: `console.log(Deno.env.get('MOVED'), '${skill}')\n`,
        secrets: [{ name: 'MOVED', mode: 'raw' }],
      })
      await side.press(await side.card(skill), '✅ Run Once')
      return (await side.call('GET', `/execute/${asked.body.request_id}?wait=30`)).body.status
    }
    expect(await runs(kit.acme, 'demo/before-the-move')).toBe('success')
    move(
      `UPDATE secrets SET encrypted_value = ${value('default')} WHERE tenant_id = '${id}' AND name = 'MOVED'`,
    )
    expect(await runs(kit.acme, 'demo/after-the-move')).toBe('failed')
    move(
      `UPDATE data_keys SET wrapped = (SELECT wrapped FROM data_keys WHERE tenant_id = 'default') WHERE tenant_id = '${id}'`,
    )
    await kit.restart()
    // Its data key is another one's: the tenant is not served at all, and the others are.
    expect(await kit.acme.admin('GET', '/v1/secrets')).toMatchObject({ body: { error: { code: 'locked' } } })
    expect((await kit.acme.call('GET', '/secrets')).status).toBe(401)
    expect((await kit.own.call('GET', '/secrets')).status).toBe(200)
    const removed = await kit.own.admin('DELETE', '/v1/tenants/acme')
    expect(removed.body).toEqual({ name: 'acme', finished: true })
  })
})

describe('a removal while runs are under way', () => {
  test('ends them, leaves nothing of the tenant, and gives its places to the others', async () => {
    const added = await kit.own.admin('POST', '/v1/tenants', { name: 'acme' })
    expect(added.status, JSON.stringify(added.body)).toBe(200)
    const { token } = (await kit.acme.admin('POST', '/v1/agents', { name: 'busy' })).body
    const as = { authorization: `Bearer ${token}` }
    for (let n = 0; n < 5; n++) {
      const asked = await kit.acme.call(
        'POST',
        '/execute',
        { skill_id: `demo/long-${n}`, code: `// ${n}\nconst wait = 1\n` },
        as,
      )
      const { request_id, consent_hash } = asked.body
      const decided = await kit.acme.admin('POST', `/v1/requests/${request_id}/decision`, {
        decision: 'once',
        consent_hash:
          consent_hash ?? (await kit.acme.admin('GET', `/v1/requests/${request_id}`)).body.consent_hash,
      })
      expect(decided.status, JSON.stringify(decided.body)).toBe(200)
    }
    // One of four places stays for whoever else there is.
    await kit.own.bot.waitFor(() => underWay === 3, 'three runs')
    const id = await submit(kit.own, 'demo/meanwhile')
    await kit.own.press(await kit.own.card('demo/meanwhile'), '✅ Run Once')
    expect((await kit.own.call('GET', `/execute/${id}?wait=30`)).body.status).toBe('success')

    const [removed, late] = await Promise.all([
      kit.own.admin('DELETE', '/v1/tenants/acme'),
      kit.acme.call('POST', '/execute', { skill_id: 'demo/late', code: 'const late = 1\n' }, as),
    ])
    expect(removed.body).toEqual({ name: 'acme', finished: true })
    expect([202, 401, 503]).toContain(late.status)
    expect(underWay).toBe(0)
    const db = openRaw(kit.llm.daemon.folder, 'data/proxy.db')
    for (const table of ['executions', 'audit_log', 'data_keys', 'meta', 'outbox', 'agents'])
      expect(
        db.prepare(`SELECT count(*) FROM ${table} WHERE tenant_id <> 'default'`).pluck().get(),
        table,
      ).toBe(0)
    db.close()
    expect((await kit.own.admin('GET', '/v1/audit/verify')).body).toMatchObject({ ok: true })
  })
})
