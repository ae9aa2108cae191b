import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createEngineClient } from '../../src/sandbox/engine/index.ts'
import { adminCall, createDaemonKit, type DaemonKit } from '../support/daemon-kit.ts'
import { dockerOrSkip } from '../support/docker.ts'
import { findInMachine, type HostedBots, startHostedBots } from '../support/hosted-bots.ts'
import { PLAYED_MACHINE } from '../support/hosted-kit.ts'
import { MACHINE_IMAGE } from '../support/machine-kit.ts'
import { createMessagesApi, say } from '../support/messages-api-double.ts'
import { patience } from '../support/pace.ts'
import { ANN } from '../support/telegram-kit.ts'
import { tellHost } from '../support/tell-host.ts'

const docker = await dockerOrSkip()
const MIB = 1_048_576

/** Two tenants, each with a hosted agent of the same name. One daemon for all of it. */
describe.skipIf(!docker.available)('hosted agents of one tenant, to another', () => {
  const model = createMessagesApi(() => say('said by the model'))
  let telegram: HostedBots<'default' | 'acme'>
  let kit: DaemonKit
  let url = ''
  const of = (tenant: string) => (method: string, path: string, body?: unknown) =>
    adminCall(kit.daemon.adminSocketPath, method, `/v1${path}`, body, { 'x-oauth3-tenant': tenant })
  const [own, acme] = [of('default'), of('acme')]
  const KEYS = { default: 'sk-ant-test-key-of-default-not-real', acme: 'sk-ant-test-key-of-acme-not-real' }
  const order = (name: string) => ({ name, provider: 'anthropic', model: 'claude-sonnet-5-5' })
  const ids: Record<string, string> = {}
  const stateOf = async (call: typeof own, name = 'claw') =>
    (await call('GET', '/hosts')).body.hosts.find((host: { name: string }) => host.name === name)?.state
  async function thingsOf(machine: string): Promise<number> {
    const engine = createEngineClient()
    const filters = { label: [`oauth3.machine=${machine}`] }
    const { Volumes } = await engine.listVolumes({ filters })
    return (await engine.listContainers({ all: true, filters })).length + (Volumes ?? []).length
  }

  beforeAll(async () => {
    telegram = await startHostedBots('default', 'acme')
    kit = await createDaemonKit({
      environment: {
        OAUTH3_SANDBOX: 'docker',
        OAUTH3_POOL_SIZE: '0',
        OAUTH3_HOST_MAX: '2',
        OAUTH3_SIGNUP: 'password',
        TELEGRAM_API_ROOT: telegram.root,
      },
      agent: 'other',
      hosting: {
        image: MACHINE_IMAGE,
        command: ['/bin/deno', 'eval', PLAYED_MACHINE],
        memoryBytes: 256 * MIB,
      },
    })
    url = await model.listen()
    await own('POST', '/tenants', { name: 'acme' })
    for (const [tenant, call] of [
      ['default', own],
      ['acme', acme],
    ] as const) {
      await call('PUT', '/providers/anthropic/params/url', { value: url, private: true })
      await call('POST', '/provider-keys', { provider: 'anthropic', value: KEYS[tenant] })
      const made = await call('POST', '/hosts', order('claw'))
      expect(made, JSON.stringify(made.body)).toMatchObject({ status: 200 })
      ids[tenant] = made.body.id
    }
  }, patience(60_000))
  afterAll(async () => {
    for (const call of [own, acme])
      for (const { name } of (await call('GET', '/hosts')).body.hosts ?? [])
        await call('POST', `/hosts/${name}/order`, { order: 'remove' })
    await kit[Symbol.asyncDispose]()
    await telegram[Symbol.asyncDispose]()
    await model[Symbol.asyncDispose]()
  }, patience(60_000))

  it('are others, though they have the same name: each talks by its own tenant’s key', async () => {
    expect(ids.default).not.toBe(ids.acme)
    for (const [tenant, call] of [
      ['default', own],
      ['acme', acme],
    ] as const) {
      const { body } = await tellHost(call, '/hosts/claw', `hello from ${tenant}`)
      expect(body.text).toBe('said by the model')
      expect(model.calls.at(-1)?.headers['x-api-key']).toBe(KEYS[tenant])
      const { text } = (await tellHost(call, '/hosts/claw', 'history')).body
      expect(text).toBe(`hello from ${tenant}\nhistory\n`)
      const { hosts } = (await call('GET', '/hosts')).body
      expect(hosts.map(({ id }: { id: string }) => id)).toEqual([ids[tenant]])
    }
  })

  it('are neither there for it nor touched by it', async () => {
    const { body } = await own('POST', '/hosts', order('mine-alone'))
    expect(body.name).toBe('mine-alone')
    for (const [path, sent] of [
      ['order', { order: 'remove' }],
      ['chat', { text: 'hello?' }],
      ['egress', { allow: ['api.demo.test'] }],
    ] as const) {
      const answer = await acme('POST', `/hosts/mine-alone/${path}`, sent)
      expect({ path, ...answer }).toMatchObject({ status: 404, body: { error: { code: 'not_found' } } })
    }
    await own('POST', '/hosts/mine-alone/order', { order: 'remove' })
    await expect.poll(() => stateOf(own, 'mine-alone'), { timeout: patience(30_000) }).toBeUndefined()
    await acme('POST', '/hosts/claw/order', { order: 'stop' })
    await expect.poll(() => stateOf(acme), { timeout: patience(30_000) }).toBe('asleep')
    expect(await stateOf(own)).toBe('running')
  })

  it('pass no quota, however many are ordered at once, and take nobody else’s', async () => {
    await own('PUT', '/quotas/acme', { machines: 3 })
    const orders = Array.from({ length: 50 }, (_, at) => acme('POST', '/hosts', order(`storm${at}`)))
    const answers = await Promise.all(orders)
    const made = answers.filter(({ status }) => status === 200)
    expect(made).toHaveLength(2)
    for (const { status, body } of answers)
      if (status !== 200) expect(body.error).toMatchObject({ code: 'refused', details: { reason: 'quota' } })
    // One that was never ordered leaves no agent behind, none that was revoked either.
    const { agents } = (await acme('GET', '/agents')).body
    expect(agents).toHaveLength(3)
    expect((await own('GET', '/hosts')).body.hosts).toHaveLength(1)
    for (const { body } of made) await acme('POST', `/hosts/${body.name}/order`, { order: 'remove' })
    await own('PUT', '/quotas/acme', { machines: null, memory_mib: 300 })
    const { error } = (await acme('POST', '/hosts', order('second'))).body
    expect(error).toMatchObject({ code: 'refused', details: { reason: 'quota' } })
    await own('PUT', '/quotas/acme', { memory_mib: null })
    const { agents: after } = (await acme('GET', '/agents')).body
    expect(after.map(({ name }: { name: string }) => name)).not.toContain('second')
    // Those that are being removed count.
    const left = async () => (await acme('GET', '/hosts')).body.hosts
    await expect.poll(left, { timeout: patience(30_000) }).toHaveLength(1)
  })

  it('are heard by a bot of their own each, which wakes them, and whose token no machine has', async () => {
    const { bots } = telegram
    await telegram.pair(own, 'claw', bots.default)
    await telegram.pair(acme, 'claw', bots.acme)
    expect((await acme('POST', '/hosts', order('silent'))).status).toBe(200)
    telegram.serve(kit.telegram)
    // An agent's, of whichever tenant, and the approvers'; nor are they asked by an agent's.
    for (const token of [bots.default.token, bots.acme.token, kit.telegram.token])
      expect((await acme('POST', '/hosts/silent/telegram', { token })).status).toBe(409)
    const chat = { token: bots.default.token, chat_id: '5', approver_ids: [] }
    expect((await own('PUT', '/tenants/acme/chat', { chat })).status).toBe(409)
    await acme('POST', '/hosts/silent/order', { order: 'remove' })
    await acme('POST', '/hosts/claw/order', { order: 'stop' })
    await expect.poll(() => stateOf(acme), { timeout: patience(30_000) }).toBe('asleep')
    const heard = (bot: typeof bots.acme, said: RegExp) =>
      bot.waitForMessage(({ fromBot, text }) => fromBot && said.test(text), patience(30_000))
    bots.acme.say(ANN.id, 'plainly said in Telegram', ANN)
    bots.default.say(ANN.id, 'history', ANN)
    await heard(bots.acme, /^said in Telegram$/)
    expect((await heard(bots.default, /history/)).text).not.toContain('said in Telegram')
    expect((await acme('GET', '/hosts/claw/turns?limit=1')).body.turns).toMatchObject([
      { asked: 'plainly said in Telegram', state: 'done', answer: 'said in Telegram' },
    ])
    for (const [tenant, { token }] of Object.entries(bots))
      expect(await findInMachine(ids[tenant] ?? '', token)).toEqual([])
  })

  it('stay as they are while the tenant’s chat is changed, and go with the tenant, its files too', async () => {
    expect((await tellHost(acme, '/hosts/claw', 'hello')).status).toBe(200)
    expect((await own('PUT', '/tenants/acme/chat', { chat: null })).status).toBe(200)
    expect((await tellHost(acme, '/hosts/claw', 'history')).body.text).toContain('hello')
    await acme('POST', '/hosts/claw/order', { order: 'stop' })
    await expect.poll(() => stateOf(acme), { timeout: patience(30_000) }).toBe('asleep')
    expect((await tellHost(acme, '/hosts/claw', 'history')).body.text).toContain('hello')
    const tenant = (await own('GET', '/tenants')).body.tenants.find(
      ({ name }: { name: string }) => name === 'acme',
    )
    const files = join(kit.folder, 'data', 'machine-files', 'machines')
    expect(readdirSync(files)).toContain(tenant.id)
    expect(await thingsOf(ids.acme ?? '')).toBeGreaterThan(0)
    const { body } = await own('DELETE', '/tenants/acme')
    expect(body).toMatchObject({ finished: true })
    expect(await thingsOf(ids.acme ?? '')).toBe(0)
    expect(existsSync(join(kit.folder, 'data', 'gateway', ids.acme ?? ''))).toBe(false)
    const left = existsSync(join(files, tenant.id))
      ? readdirSync(join(files, tenant.id), { recursive: true })
      : []
    expect(left.filter((name) => String(name).includes('manifest'))).toEqual([])
    expect(await stateOf(own)).toBe('running')
    expect((await tellHost(own, '/hosts/claw', 'history')).body.text).toContain('from default')
    // Its bot is nobody's now.
    await own('DELETE', '/hosts/claw/telegram')
    await telegram.pair(own, 'claw', telegram.bots.acme)
  })

  describe('by the account’s API', () => {
    type Call = typeof own
    const api =
      (token: string | undefined): Call =>
      async (method, path, body) => {
        const response = await fetch(`${kit.daemon.url}${path}`, {
          method,
          headers: {
            ...(token !== undefined && { authorization: `Bearer ${token}` }),
            ...(body !== undefined && { 'content-type': 'application/json' }),
          },
          ...(body !== undefined && { body: JSON.stringify(body) }),
        })
        return { status: response.status, body: (await response.json()) as Awaited<ReturnType<Call>>['body'] }
      }
    const signUp = async (name: string): Promise<{ call: Call; tenant: ReturnType<typeof of> }> => {
      const { body } = await api(undefined)('POST', '/api/auth/signup', {
        ...{ email: `${name}@example.com`, password: 'a battery, a staple' },
      })
      const tenant = of(body.user.tenant)
      await tenant('PUT', '/providers/anthropic/params/url', { value: url, private: true })
      return { call: api(body.access_token), tenant }
    }
    let ann: Awaited<ReturnType<typeof signUp>>
    let bob: Awaited<ReturnType<typeof signUp>>
    let id = ''
    const untilStatus = (status: string) =>
      expect
        .poll(async () => (await ann.call('GET', `/api/instances/${id}`)).body.status, {
          timeout: patience(30_000),
        })
        .toBe(status)

    it('an account makes, stops, starts and removes one of its own, as CloudBot’s client does', async () => {
      ;[ann, bob] = [await signUp('ann'), await signUp('bob')]
      await ann.tenant('POST', '/provider-keys', { provider: 'anthropic', value: 'sk-ant-test-ann-not-real' })
      expect(await ann.call('GET', '/api/instances')).toEqual({ status: 200, body: { instances: [] } })
      const made = await ann.call('POST', '/api/instances', { name: 'desk' })
      expect(made).toMatchObject({
        status: 200,
        body: { name: 'desk', status: 'pending', provider: 'anthropic', error: null },
      })
      id = made.body.id
      await untilStatus('running')
      expect(await ann.call('POST', `/api/instances/${id}/stop`)).toMatchObject({ status: 200, body: { id } })
      await untilStatus('stopped')
      const { generations } = (await ann.call('GET', `/api/instances/${id}/generations`)).body
      expect(generations).toMatchObject([
        { number: 1, current: true, created_at: expect.stringMatching(/Z$/) },
      ])
      const back = await ann.call('POST', `/api/instances/${id}/rollback`, { to: 1 })
      expect(back).toMatchObject({ status: 200, body: { id, status: 'stopped' } })
      expect((await ann.call('POST', `/api/instances/${id}/rollback`, { to: 2 })).status).toBe(404)
      expect((await ann.call('POST', `/api/instances/${id}/start`)).status).toBe(200)
      await untilStatus('running')
      const { instances } = (await ann.call('GET', '/api/instances')).body
      expect(instances).toMatchObject([{ id, status: 'running' }])
    })

    it('who asks in OpenAI’s form is in the audit, and never what was asked or answered', async () => {
      const audited = async () => {
        const ofEvent = async (event: string) => (await ann.tenant('GET', `/audit?event=${event}`)).body.rows
        return [...(await ofEvent('completion.asked')), ...(await ofEvent('completion.ended'))]
      }
      const ask = (content: string) =>
        ann.call('POST', '/v1/chat/completions', { model: 'desk', messages: [{ role: 'user', content }] })
      expect((await ask('plainly what nobody else is to know')).status).toBe(200)
      await expect.poll(async () => (await audited()).length, { timeout: patience(10_000) }).toBe(2)
      const [asked, ended] = await audited()
      const end = JSON.parse(ended.data)
      expect(end).toMatchObject({ machine: id, state: 'done', chars: 27, by: asked.actor })
      expect(JSON.parse(asked.data)).toMatchObject({ machine: id, messages: 1 })
      expect(asked.actor).toMatch(/^account:/)
      expect(JSON.stringify([asked, ended])).not.toContain('nobody else')
    })

    it('nobody reaches another account’s, and what is refused tells nothing of whether it is there', async () => {
      const none = 'mch_0000000000000000'
      for (const [method, path, body] of [
        ['GET', ''],
        ['DELETE', ''],
        ['POST', '/stop'],
        ['POST', '/start'],
        ['GET', '/generations'],
        ['POST', '/rollback', { to: 1 }],
        ['GET', '/desktop'],
        ['POST', '/desktop'],
        ['DELETE', '/desktop'],
      ] as const) {
        const theirs = await bob.call(method, `/api/instances/${id}${path}`, body)
        expect(theirs).toMatchObject({ status: 404, body: { error: { code: 'not_found' } } })
        expect(await bob.call(method, `/api/instances/${none}${path}`, body)).toEqual(theirs)
        expect((await api(undefined)(method, `/api/instances/${id}${path}`)).status).toBe(401)
      }
      expect((await bob.call('GET', '/api/instances')).body).toEqual({ instances: [] })
      expect((await ann.call('GET', `/api/instances/${id}`)).body.status).toBe('running')
    })

    const print = (text: string) =>
      ann.call('POST', '/v1/chat/completions', {
        ...{ model: 'desk', messages: [{ role: 'user', content: `print ${text}` }] },
      })
    const SECRET = 'the-deploy-secret-of-ann-not-real'
    const TOKEN = `oc_${'x'.repeat(43)}`

    it('an account sees what runs in it and what it printed, from outside, and nothing that is secret', async () => {
      expect(await ann.tenant('PUT', '/secrets/DEPLOY', { value: SECRET })).toMatchObject({ status: 200 })
      const wake = { kind: 'webhook', target: 'https://hooks.demo.test/', token: 'played-wake-token' }
      expect(await ann.tenant('POST', '/agents', { name: 'caller', wake })).toMatchObject({ status: 200 })
      const said = [SECRET, btoa(SECRET), 'sk-ant-test-ann-not-real', TOKEN, wake.token]
      await print(
        `begun \u001b[2J\u202e|${said.join(' ')}|played-gateway-token|of many of ${SECRET.repeat(200)}`,
      )
      await expect
        .poll(async () => (await ann.call('GET', '/debug/logs')).body.stdout, { timeout: patience(10_000) })
        .toContain('gateway token]\nof many of [secret:DEPLOY]')
      const { body: log } = await ann.call('GET', '/debug/logs')
      expect(log).toMatchObject({
        name: 'desk',
        state: 'running',
        process_id: null,
        stderr: '',
        truncated: false,
      })
      expect(log.stdout).toContain(
        'begun ⟨U+001B⟩[2J⟨U+202E⟩\n[secret:DEPLOY] [secret:DEPLOY] [secret:anthropic key ',
      )
      expect(log.stdout).toContain(' [token] [secret:wake token of caller]\n[secret:gateway token]\n')
      for (const one of [...said, SECRET.slice(0, 12), 'played-gateway'])
        expect(log.stdout).not.toContain(one)

      const { body: list } = await ann.call('GET', '/debug/processes?instance=desk')
      // Its program was given as an argument.
      expect(list).toMatchObject({ name: 'desk', state: 'running', count: list.processes.length })
      expect(list.processes).toMatchObject([{ parent_id: null, command: 'deno', status: expect.any(String) }])
      const [{ id: process }] = list.processes
      expect((await ann.call('GET', `/debug/logs?id=${process}`)).body).toMatchObject({
        ...{ process_id: process, stdout: log.stdout },
      })
      for (const none of ['1', '0', '-1', 'x', '..', `${process}%20`])
        expect((await ann.call('GET', `/debug/logs?id=${none}`)).status, none).toBe(404)
      expect(await ann.call('GET', '/debug/version')).toMatchObject({
        ...{ status: 200, body: { image: MACHINE_IMAGE, openclaw_version: '2026.9.6', node_version: null } },
      })
      for (const method of ['POST', 'PUT', 'DELETE'])
        expect((await ann.call(method, '/debug/processes')).status, method).toBe(404)

      const { rows } = (await ann.tenant('GET', '/audit?limit=1000')).body
      const ofEvent = (event: string) => rows.filter((row: { event: string }) => row.event === event)
      expect(ofEvent('machine.inspected')[0].actor).toMatch(/^account:/)
      // The first looks found nothing to open.
      expect(ofEvent('secret.opened').at(-1).data).toContain('"for":"scrub"')
      expect(JSON.stringify(rows)).not.toContain(SECRET)
    })

    it('another account sees none of it, nor does who has no token', async () => {
      for (const path of ['processes', 'logs', 'version']) {
        for (const instance of [id, 'desk', 'mch_0000000000000000'])
          expect(await bob.call('GET', `/debug/${path}?instance=${instance}`)).toMatchObject({
            ...{ status: 404, body: { error: { code: 'not_found', message: 'No such instance.' } } },
          })
        expect((await bob.call('GET', `/debug/${path}`)).status).toBe(404)
        for (const token of [undefined, kit.token, TOKEN])
          expect((await api(token)('GET', `/debug/${path}?instance=${id}`)).status, path).toBe(401)
      }
    })

    it('who looks wakes it not, and a lockdown hides what would have to be cut', async () => {
      const stateNow = () => stateOf(ann.tenant, 'desk')
      await ann.tenant('POST', '/hosts/desk/order', { order: 'sleep' })
      await expect.poll(stateNow, { timeout: patience(30_000) }).toBe('paused')
      expect((await ann.call('GET', '/debug/processes')).body).toMatchObject({ state: 'paused', count: 1 })
      expect((await ann.call('GET', '/debug/logs')).body.stdout).toContain('begun')
      expect(await stateNow()).toBe('paused')
      await ann.call('POST', `/api/instances/${id}/stop`)
      await expect.poll(stateNow, { timeout: patience(30_000) }).toBe('asleep')
      expect((await ann.call('GET', '/debug/processes')).body).toMatchObject({ state: 'asleep', count: 0 })
      expect((await ann.call('GET', '/debug/logs')).body).toMatchObject({ state: 'asleep', stdout: '' })
      expect((await ann.call('GET', '/debug/version')).body).toMatchObject({ openclaw_version: null })
      expect(await stateNow()).toBe('asleep')
      expect((await ann.tenant('POST', '/panic', {})).status).toBe(200)
      for (const path of ['processes', 'logs'])
        expect((await ann.call('GET', `/debug/${path}`)).body.error.code, path).toBe('locked')
      expect((await ann.tenant('POST', '/panic/end', { confirm: 'unlock' })).status).toBe(200)
      expect((await ann.call('GET', '/debug/logs')).status).toBe(200)
    })

    it('the quota counts what sleeps, and the one that is removed is gone', async () => {
      // As a client says it that has no name for it.
      expect((await ann.call('POST', '/api/instances', { name: null })).status).toBe(200)
      expect((await ann.call('POST', '/api/instances')).body.error).toMatchObject({
        code: 'refused',
        details: { reason: 'quota' },
      })
      // A desktop is one more; the image may not be here.
      expect((await ann.call('POST', `/api/instances/${id}/desktop`)).body.error).toMatchObject({
        ...{ code: 'refused', details: { reason: expect.stringMatching(/^(?:quota|no_image)$/) } },
      })
      const { instances } = (await ann.call('GET', '/api/instances')).body
      for (const one of instances)
        expect((await ann.call('DELETE', `/api/instances/${one.id}`)).body).toEqual({ ok: true })
      await expect
        .poll(async () => (await ann.call('GET', '/api/instances')).body.instances, {
          timeout: patience(30_000),
        })
        .toEqual([])
      expect(await thingsOf(id)).toBe(0)
    })
  })
})
