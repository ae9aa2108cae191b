import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { adminCall, createDaemonKit, type DaemonKit } from '../support/daemon-kit.ts'
import { dockerOrSkip } from '../support/docker.ts'
import { findInMachine, type HostedBots, startHostedBots, thingsOf } from '../support/hosted-bots.ts'
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

  beforeAll(async () => {
    telegram = await startHostedBots('default', 'acme')
    kit = await createDaemonKit({
      environment: {
        OAUTH3_SANDBOX: 'docker',
        OAUTH3_POOL_SIZE: '0',
        OAUTH3_HOST_MAX: '2',
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
})
