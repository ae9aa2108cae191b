import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { adminCall, createDaemonKit, type DaemonKit } from '../support/daemon-kit.ts'
import { dockerOrSkip } from '../support/docker.ts'
import { findInMachine, type HostedBots, startHostedBots, thingsOf } from '../support/hosted-bots.ts'
import { PLAYED_MACHINE } from '../support/hosted-kit.ts'
import { MACHINE_IMAGE } from '../support/machine-kit.ts'
import { createMessagesApi, say } from '../support/messages-api-double.ts'
import { patience } from '../support/pace.ts'
import { ANN } from '../support/telegram-kit.ts'

const docker = await dockerOrSkip()

/** Two accounts, and the hosted agents of one of them. One daemon for all of it. */
describe.skipIf(!docker.available)('hosted agents by the account’s API', () => {
  const model = createMessagesApi(() => say('said by the model'))
  let telegram: HostedBots<'eve'>
  let kit: DaemonKit
  let url = ''
  const of = (tenant: string) => (method: string, path: string, body?: unknown) =>
    adminCall(kit.daemon.adminSocketPath, method, `/v1${path}`, body, { 'x-oauth3-tenant': tenant })
  type Call = ReturnType<typeof of>
  const stateOf = async (call: Call, name: string) =>
    (await call('GET', '/hosts')).body.hosts.find((host: { name: string }) => host.name === name)?.state

  beforeAll(async () => {
    telegram = await startHostedBots('eve')
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
        memoryBytes: 256 * 1_048_576,
      },
    })
    telegram.serve(kit.telegram)
    url = await model.listen()
  }, patience(60_000))
  afterAll(async () => {
    for (const { tenant } of [ann, bob, eve].filter(Boolean))
      for (const { name } of (await tenant('GET', '/hosts')).body.hosts ?? [])
        await tenant('POST', `/hosts/${name}/order`, { order: 'remove' })
    await kit?.[Symbol.asyncDispose]()
    await telegram?.[Symbol.asyncDispose]()
    await model[Symbol.asyncDispose]()
  }, patience(60_000))

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
  /** Of each account so many changes are taken in a minute. */
  let eve: Awaited<ReturnType<typeof signUp>>
  const ask = (call: Call, content: string, name = 'desk') =>
    call('POST', '/v1/chat/completions', { model: name, messages: [{ role: 'user', content }] })
  let id = ''
  let mute = ''
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
      body: { name: 'desk', status: 'pending', provider: 'anthropic', error: null, notice: null },
    })
    id = made.body.id
    await untilStatus('running')
    expect(await ann.call('POST', `/api/instances/${id}/stop`)).toMatchObject({ status: 200, body: { id } })
    await untilStatus('stopped')
    const { generations } = (await ann.call('GET', `/api/instances/${id}/generations`)).body
    expect(generations).toMatchObject([{ number: 1, current: true, created_at: expect.stringMatching(/Z$/) }])
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
    expect((await ask(ann.call, 'plainly what nobody else is to know')).status).toBe(200)
    await expect.poll(async () => (await audited()).length, { timeout: patience(10_000) }).toBe(2)
    const [asked, ended] = await audited()
    const end = JSON.parse(ended.data)
    expect(end).toMatchObject({ machine: id, state: 'done', chars: 27, by: asked.actor })
    expect(JSON.parse(asked.data)).toMatchObject({ machine: id, messages: 1 })
    expect(asked.actor).toMatch(/^account:/)
    expect(JSON.stringify([asked, ended])).not.toContain('nobody else')
  })

  it('an account without a key is told so at once, and where it stores one', async () => {
    eve = await signUp('eve')
    const { status, body: made } = await eve.call('POST', '/api/instances', { name: 'mute' })
    expect({ status, made }).toMatchObject({
      ...{ status: 200, made: { name: 'mute', notice: expect.stringContaining('POST /api/user/api-keys') } },
    })
    expect(await ask(eve.call, 'hello?', 'mute')).toMatchObject({
      ...{ status: 403, body: { error: { code: 'refused', message: made.notice } } },
    })
    // Whose daemon it is has another way, and nobody's words are kept for an answer that cannot come.
    expect(await eve.tenant('POST', '/hosts/mute/turns', { text: 'hello?' })).toMatchObject({
      ...{ status: 409, body: { error: { message: expect.stringContaining('oauth3 key add anthropic') } } },
    })
    expect((await eve.tenant('GET', '/hosts/mute/turns')).body.turns).toEqual([])
    const key = { provider: 'anthropic', api_key: 'sk-ant-test-eve-not-real' }
    expect((await eve.call('POST', '/api/user/api-keys', key)).status).toBe(200)
    expect((await eve.call('GET', `/api/instances/${made.id}`)).body).toMatchObject({ notice: null })
    expect((await ask(eve.call, 'hello?', 'mute')).status).toBe(200)
    mute = made.id
  })

  it('an account gives its agent a bot in Telegram, pairs a chat with it and takes both away', async () => {
    const bot = telegram.bots.eve
    const at = `/api/instances/${mute}/telegram`
    expect(await eve.call('GET', at)).toEqual({ status: 200, body: { bot: null } })
    expect((await eve.call('POST', `${at}/pair`)).status).toBe(404)
    expect((await eve.call('PUT', at, { token: 'no-token' })).status).toBe(400)
    // The approvers' is nobody's to take.
    expect((await eve.call('PUT', at, { token: kit.telegram.token })).status).toBe(409)
    const given = await eve.call('PUT', at, { token: bot.token })
    expect(given).toMatchObject({
      ...{
        status: 200,
        body: { bot: { username: 'oauth3_test_bot', last4: bot.token.slice(-4), chats: [] } },
      },
    })
    expect(JSON.stringify(given.body)).not.toContain(bot.token)
    expect((await eve.call('PUT', at, { token: bot.token })).status).toBe(409)
    const { code, link, expires_at } = (await eve.call('POST', `${at}/pair`)).body
    expect({ link, expires_at }).toMatchObject({
      ...{ link: `https://t.me/oauth3_test_bot?start=${code}`, expires_at: expect.stringMatching(/Z$/) },
    })
    const heard = (said: RegExp) =>
      bot.waitForMessage(({ fromBot, text }) => fromBot && said.test(text), patience(30_000))
    bot.say(ANN.id, `/start ${code}`, ANN)
    await heard(/You talk to mute/)
    bot.say(ANN.id, 'plainly said in Telegram', ANN)
    await heard(/^said in Telegram$/)
    expect(await findInMachine(mute, bot.token)).toEqual([])
    expect((await eve.call('GET', at)).body.bot.chats).toMatchObject([
      { id: String(ANN.id), paired_at: expect.stringMatching(/Z$/) },
    ])
    expect((await eve.call('DELETE', `${at}/chats/${ANN.id}`)).body.bot.chats).toEqual([])
    expect((await eve.call('DELETE', `${at}/chats/${ANN.id}`)).status).toBe(404)
    expect(await eve.call('DELETE', at)).toEqual({ status: 200, body: { bot: null } })
    expect((await eve.call('DELETE', at)).status).toBe(404)
    const { rows } = (await eve.tenant('GET', '/audit?event=bot.added')).body
    expect(rows).toMatchObject([{ actor: expect.stringMatching(/^account:/) }])
    await eve.call('DELETE', `/api/instances/${mute}`)
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
      ['GET', '/telegram'],
      ['PUT', '/telegram', { token: telegram.bots.eve.token }],
      ['POST', '/telegram/pair'],
      ['DELETE', '/telegram/chats/1001'],
      ['DELETE', '/telegram'],
    ] as const) {
      const theirs = await bob.call(method, `/api/instances/${id}${path}`, body)
      expect(theirs).toMatchObject({ status: 404, body: { error: { code: 'not_found' } } })
      expect(await bob.call(method, `/api/instances/${none}${path}`, body)).toEqual(theirs)
      expect((await api(undefined)(method, `/api/instances/${id}${path}`)).status).toBe(401)
    }
    expect((await bob.call('GET', '/api/instances')).body).toEqual({ instances: [] })
    expect((await ann.call('GET', `/api/instances/${id}`)).body.status).toBe('running')
  })

  const print = (text: string) => ask(ann.call, `print ${text}`)
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
    for (const one of [...said, SECRET.slice(0, 12), 'played-gateway']) expect(log.stdout).not.toContain(one)

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
