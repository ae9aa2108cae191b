import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openUninstall } from '../../src/compose/daemon-uninstall.ts'
import { readConfig } from '../../src/config/index.ts'
import { createEngineClient } from '../../src/sandbox/engine/index.ts'
import { createDaemonKit, type DaemonKit } from '../support/daemon-kit.ts'
import { dockerOrSkip } from '../support/docker.ts'
import { followEvents } from '../support/follow-events.ts'
import { PLAYED_MACHINE } from '../support/hosted-kit.ts'
import { MACHINE_IMAGE } from '../support/machine-kit.ts'
import { createMessagesApi, say } from '../support/messages-api-double.ts'
import { patience } from '../support/pace.ts'
import { tellHost } from '../support/tell-host.ts'
import { engineSettings } from '../support/test-engine.ts'

const docker = await dockerOrSkip()
const KEY = 'sk-ant-test-key-of-the-owner-not-real'

/** One daemon and one machine for all of it: each test goes on where the one before ended. */
describe.skipIf(!docker.available)('a hosted agent', () => {
  const heard = Promise.withResolvers<void>()
  const held = Promise.withResolvers<void>()
  let second = Promise.withResolvers<void>()
  const model = createMessagesApi(async ({ body }) => {
    const text = JSON.stringify(body.messages)
    if (text.includes('take your time')) {
      heard.resolve()
      await held.promise
    }
    if (text.includes('hold on')) await second.promise
    return say(`model heard: ${text}`)
  })
  let kit: DaemonKit
  let machineId = ''
  const admin = (method: string, path: string, body?: unknown) => kit.admin(method, `/v1/hosts${path}`, body)
  const chat = async (text: string): Promise<string> => {
    const { status, body } = await tellHost(admin, '/claw', text)
    expect({ status, body }).toMatchObject({ status: 200 })
    return body.text
  }
  const stateOf = async (): Promise<string | undefined> =>
    (await admin('GET', '')).body.hosts.find(({ name }: { name: string }) => name === 'claw')?.state
  /** All that is answered at a socket of the machine's. */
  async function atSocket(name: string, line: string): Promise<string> {
    const socket = connect(join(kit.folder, 'data', 'gateway', machineId, name))
    socket.on('error', () => {})
    socket.write(`${line} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`)
    let all = ''
    socket.setEncoding('utf8').on('data', (part) => {
      all += part
    })
    await once(socket, 'close').catch(() => {})
    return all
  }
  /** Containers and volumes. */
  async function thingsOfIt(): Promise<readonly string[]> {
    const engine = createEngineClient()
    const filters = { label: [`oauth3.machine=${machineId}`] }
    const containers = await engine.listContainers({ all: true, filters })
    const { Volumes } = await engine.listVolumes({ filters })
    return [...containers.map(({ Id }) => Id), ...(Volumes ?? []).map(({ Name }) => Name)]
  }
  const filesIn = (folder: string): number =>
    readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).length
  const untilState = (state: string | undefined) =>
    expect.poll(stateOf, { timeout: patience(30_000) }).toBe(state)

  beforeAll(async () => {
    kit = await createDaemonKit({
      agent: 'other',
      environment: { OAUTH3_SANDBOX: 'docker', OAUTH3_POOL_SIZE: '0' },
      hosting: {
        image: MACHINE_IMAGE,
        command: ['/bin/deno', 'eval', PLAYED_MACHINE],
        memoryBytes: 256 * 1_048_576,
      },
    })
    const url = await model.listen()
    await kit.admin('PUT', '/v1/providers/anthropic/params/url', { value: url, private: true })
    await kit.admin('POST', '/v1/provider-keys', { provider: 'anthropic', value: KEY })
  }, patience(60_000))
  afterAll(async () => {
    // Where a test failed before it; the last one leaves no daemon.
    for (const name of ['claw', 'last'])
      await admin('POST', `/${name}/order`, { order: 'remove' }).catch(() => {})
    await kit[Symbol.asyncDispose]()
    await model[Symbol.asyncDispose]()
  }, patience(60_000))

  it('is made by one order, and talks by a model whose key it does not have', async () => {
    const made = await admin('POST', '', { name: 'claw', provider: 'anthropic', model: 'claude-sonnet-5-5' })
    expect(made).toMatchObject({ status: 200, body: { name: 'claw', wanted: 'awake' } })
    machineId = made.body.id
    // Not with the advice for an agent's token.
    const again = await admin('POST', '', { name: 'claw', provider: 'anthropic', model: 'claude-sonnet-5-5' })
    expect(again.body.error).toMatchObject({
      code: 'conflict',
      message: expect.stringMatching(/^There is a hosted/),
    })
    expect(await chat('hello')).toContain('model heard: [{"role":"user","content":"hello"}]')
    expect(model.calls.at(-1)?.headers['x-api-key']).toBe(KEY)
    expect(model.refused).toEqual([])
  })

  it('is listed with what comes next, and no one is woken by looking', async () => {
    const { body } = await admin('GET', '')
    expect(body.hosts).toMatchObject([
      { name: 'claw', state: 'running', next: 'paused', because: expect.stringContaining('just now') },
    ])
    await admin('POST', '/claw/order', { order: 'sleep' })
    await untilState('paused')
    await admin('GET', '')
    expect(await stateOf()).toBe('paused')
  })

  it('is woken by whoever comes, from its pause and from its stop, with its files', async () => {
    expect(await chat('again')).toContain('again')
    await admin('POST', '/claw/order', { order: 'stop' })
    await untilState('asleep')
    // Sealed files are all that is left of it.
    expect(await thingsOfIt()).toEqual([])
    expect(filesIn(join(kit.folder, 'data', 'machine-files'))).toBeGreaterThan(0)
    const answers = await Promise.all([chat('history'), chat('history')])
    for (const answer of answers) expect(answer).toContain('hello\nagain\nhistory\n')
  })

  it('is rolled back to files of before, and those that it had are kept as well', async () => {
    const generations = async () => (await admin('GET', '/claw/generations')).body.generations
    const [before] = await generations()
    expect(before).toMatchObject({ current: true, files: expect.any(Number) })
    const refused = await admin('POST', '/claw/rollback', { to: before.number + 99 })
    expect(refused.body.error.code).toBe('not_found')
    const back = await admin('POST', '/claw/rollback', { to: before.number })
    expect(back).toMatchObject({ status: 200, body: { wanted: 'awake' } })
    // What was said since its last sleep it has not.
    expect(await chat('history')).toMatch(/^hello\nagain\nhistory\n$/)
    const [newest] = await generations()
    expect(newest.number).toBeGreaterThan(before.number)
    const forward = await admin('POST', '/claw/rollback', { to: newest.number })
    expect(forward.status).toBe(200)
    expect(await chat('history')).toMatch(/^hello\nagain\nhistory\nhistory\nhistory\n$/)
    const { body } = await kit.admin('GET', '/v1/audit?limit=100')
    expect(JSON.stringify(body)).toContain('machine.rolled_back')
  })

  it('is told what it used: its time, by rows, and the model calls that are below its name', async () => {
    const used = async () => (await admin('GET', '/claw/usage?days=2')).body
    // Counted when the call is over, which may be after its answer.
    const ofModel = () => model.calls.length
    await expect.poll(async () => (await used()).requests, { timeout: patience(10_000) }).toBe(ofModel())
    const { groups } = (await kit.admin('GET', '/v1/usage?by=agent&days=2')).body
    const { key: _name, ...calls } = groups.find(({ key }: { key: string }) => key === 'claw')
    const told = await used()
    expect(told).toMatchObject(calls)
    expect(told.awake_seconds).toBeGreaterThan(0)
    // 256 MiB, which it held while it was paused as well.
    expect(told.gb_seconds * 4).toBeGreaterThan(told.awake_seconds)
  })

  const tell = async (body: object): Promise<number> => {
    const { status, body: turn } = await admin('POST', '/claw/turns', body)
    expect({ status, turn }).toMatchObject({ status: 200, turn: { state: 'open', answer: null } })
    return turn.number
  }
  const turnsOf = async (query = '') => (await admin('GET', `/claw/turns${query}`)).body.turns

  it('tells an answer as it comes to all who follow, and who comes back goes on where they were', async () => {
    second = Promise.withResolvers()
    const number = await tell({ text: 'pieces one|hold on|three' })
    const path = `/v1/hosts/claw/turns/${number}/events`
    await using stays = await followEvents(kit, path)
    await using leaves = await followEvents(kit, path)
    const first = await leaves.until(({ event }) => event === 'text')
    expect(first.data.text).toContain('one')
    await leaves[Symbol.asyncDispose]()
    await using back = await followEvents(kit, path, { 'last-event-id': String(first.id) })
    await back.until(({ event }) => event === 'turn')
    second.resolve()
    const { data: end } = await back.until(({ event }) => event === 'end')
    const { data: same } = await stays.until(({ event }) => event === 'end')
    expect(end).toEqual(same)
    expect(end).toMatchObject({ number, state: 'done', asked: 'pieces one|hold on|three' })
    for (const piece of ['one', 'hold on', 'three']) expect(end.answer).toContain(piece)
    expect(stays.text()).toBe(end.answer)
    expect(first.data.text + back.text()).toBe(end.answer)
    expect((await turnsOf()).at(-1)).toEqual(end)
    // Nothing more will come for who has seen the end.
    await using over = await followEvents(kit, path, { 'last-event-id': 'end' })
    expect(over.status).toBe(204)
    // And for who comes late all of it is there.
    await using late = await followEvents(kit, path)
    expect((await late.until(({ event }) => event === 'end')).data).toEqual(end)
  })

  it('tells what tools it uses, while it does and after', async () => {
    second = Promise.withResolvers()
    const number = await tell({ text: 'uses exec {"command":"hold on"}' })
    const path = `/v1/hosts/claw/turns/${number}/events`
    await using stream = await followEvents(kit, path)
    const used = { name: 'exec', arguments: '{"command":"hold on"}' }
    const begun = await stream.until(({ event }) => event === 'tool')
    expect(begun.data).toMatchObject({ ...used, state: 'running', duration_ms: null })
    await using late = await followEvents(kit, path)
    await late.until(({ event }) => event === 'tool')
    second.resolve()
    const { data: end } = await stream.until(({ event }) => event === 'end')
    expect(end.tools).toEqual([{ ...begun.data, state: 'done', duration_ms: expect.any(Number) }])
    expect((await late.until(({ event }) => event === 'end')).data).toEqual(end)
    expect((await turnsOf()).at(-1)).toEqual(end)
    await chat('uses fails')
    expect((await turnsOf()).at(-1).tools).toMatchObject([{ name: 'fails', state: 'failed' }])
  })

  it('is asked by the model that is chosen for a turn', async () => {
    for (const [body, used] of [
      [{ text: 'by another', model: 'claude-opus-5' }, 'claude-opus-5'],
      [{ text: 'by its own' }, 'claude-sonnet-5-5'],
    ] as const) {
      const number = await tell(body)
      await using stream = await followEvents(kit, `/v1/hosts/claw/turns/${number}/events`)
      expect((await stream.until(({ event }) => event === 'end')).data).toMatchObject({
        model: used,
        state: 'done',
      })
      expect(model.calls.at(-1)?.body.model).toBe(used)
    }
    const refused = await admin('POST', '/claw/turns', { text: 'x', model: 'a\nb' })
    expect(refused.body.error.code).toBe('invalid_request')
  })

  it('is stopped in the middle, and answers what was said behind it', async () => {
    second = Promise.withResolvers()
    const number = await tell({ text: 'pieces begun|hold on|never' })
    const next = await tell({ text: 'and this' })
    await using stream = await followEvents(kit, `/v1/hosts/claw/turns/${number}/events`)
    await stream.until(({ event }) => event === 'text')
    const stopped = await admin('DELETE', `/claw/turns/${number}`)
    expect(stopped.body).toMatchObject({ state: 'stopped', problem: null })
    expect(stopped.body.answer).toContain('begun')
    expect(stopped.body.answer).not.toContain('never')
    expect((await stream.until(({ event }) => event === 'end')).data).toEqual(stopped.body)
    await using behind = await followEvents(kit, `/v1/hosts/claw/turns/${next}/events`)
    expect((await behind.until(({ event }) => event === 'end')).data.answer).toContain('and this')
    second.resolve()
    expect((await admin('DELETE', '/claw/turns/999')).status).toBe(404)
  })

  it('is an agent of its own, by its socket and not by a token', async () => {
    expect(await chat('api GET /secrets')).toMatch(/^HTTP\/1\.1 200 /)
    const { body } = await kit.admin('GET', '/v1/agents')
    expect(body.agents).toContainEqual(
      expect.objectContaining({ name: 'claw', wake: expect.objectContaining({ kind: 'machine' }) }),
    )
    // What it was given opens nothing anywhere else.
    const token = await chat('shell return configuration.token')
    const refused = await fetch(`${kit.daemon.url}/secrets`, {
      headers: { authorization: `Bearer ${token}` },
    })
    expect(refused.status).toBe(401)
  })

  it('goes on when the daemon is started anew', async () => {
    await kit.restart()
    expect(await stateOf()).toBe('running')
    const before = await turnsOf()
    expect(before.map(({ asked }: { asked: string }) => asked)).toContain('pieces begun|hold on|never')
    expect(await turnsOf(`?before=${before.at(-1).number}&limit=1`)).toEqual([before.at(-2)])
    expect(await chat('still there')).toContain('still there')
    expect(await chat('api GET /secrets')).toMatch(/^HTTP\/1\.1 200 /)
  })

  it('asks as any agent does, and is told of the outcome where it lives, asleep or not', async () => {
    const order = { skill_id: 'demo/hosted', code: 'console.log(1)', metadata: { description: 'asks' } }
    const asked = await chat(
      `shell return await call('agent.sock', 'POST', '/execute', {}, ${JSON.stringify(JSON.stringify(order))})`,
    )
    const id = /req_[0-9a-f]{32}/.exec(asked)?.[0] ?? ''
    await chat('once woken It was denied.')
    await admin('POST', '/claw/order', { order: 'sleep' })
    await untilState('paused')
    const { consent_hash } = (await kit.admin('GET', `/v1/requests/${id}`)).body
    await kit.admin('POST', `/v1/requests/${id}/decision`, { decision: 'deny', consent_hash })
    await untilState('running')
    await expect.poll(() => chat('woken'), { timeout: patience(20_000) }).toContain(id)
    const woken = async () => (await turnsOf()).filter(({ origin }: { origin: string }) => origin === 'woken')
    await expect.poll(woken, { timeout: patience(20_000) }).toMatchObject([
      {
        ...{ state: 'done', request_id: id, asked: '', answer: 'It was denied.' },
        tools: [{ name: 'oauth3_status', state: 'done', arguments: JSON.stringify({ request_id: id }) }],
      },
    ])
  })

  it('is not believed whose outcome woke it: a request of another’s is not named', async () => {
    const response = await fetch(`${kit.daemon.url}/execute`, {
      ...{ method: 'POST', body: JSON.stringify({ skill_id: 'demo/theirs', code: 'console.log(2)' }) },
      headers: { authorization: `Bearer ${kit.token}`, 'content-type': 'application/json' },
    })
    const { request_id: theirs } = (await response.json()) as { request_id: string }
    await chat('once woken So they say.')
    await chat(`wakes ${theirs}`)
    await expect
      .poll(async () => (await turnsOf()).at(-1), { timeout: patience(20_000) })
      .toMatchObject({ origin: 'woken', state: 'done', request_id: null, answer: 'So they say.' })
  })

  it('has what it said unasked once, also when the daemon is started anew', async () => {
    const before = await turnsOf()
    await kit.restart()
    await chat('heard again')
    expect((await turnsOf()).slice(0, -1)).toEqual(before)
  })

  it('stands still in a lockdown, cut off from model and API, and is woken by nobody until that ends', async () => {
    expect(await chat('before')).toContain('before')
    const underWay = tellHost(admin, '/claw', 'take your time')
    await heard.promise
    await kit.admin('POST', '/v1/panic')
    const locked = { body: { error: { code: 'locked' } } }
    expect(await underWay).toMatchObject(locked)
    await untilState('paused')
    const calls = model.calls.length
    const holds = async (): Promise<void> => {
      expect(await admin('GET', '/claw/turns')).toMatchObject(locked)
      expect(await tellHost(admin, '/claw', 'hello?')).toMatchObject(locked)
      for (const order of ['wake', 'start'])
        expect(await admin('POST', '/claw/order', { order })).toMatchObject(locked)
      // As the machine would say it, in whatever state it is.
      expect(await atSocket('agent.sock', 'GET /secrets')).toMatch(/^HTTP\/1\.1 503 [\s\S]*"locked"/)
      expect(await atSocket('model.sock', 'POST /v1/messages')).toBe('')
      expect(await stateOf()).toBe('paused')
    }
    await holds()
    await kit.restart()
    await holds()
    expect(model.calls.length).toBe(calls)
    held.resolve()
    await kit.admin('POST', '/v1/panic/end', { confirm: 'unlock' })
    const cutOff = (await turnsOf()).find(({ asked }: { asked: string }) => asked === 'take your time')
    expect(cutOff).toMatchObject({ state: 'failed', problem: 'The owner has stopped everything.' })
    expect(await chat('after')).toContain('after')
    expect(await chat('api GET /secrets')).toMatch(/^HTTP\/1\.1 200 /)
  })

  it('loses model and API with its agent, and leaves nothing when it is removed', async () => {
    await kit.admin('DELETE', '/v1/agents/claw')
    expect((await tellHost(admin, '/claw', 'hello?')).body.error).toMatchObject({ code: 'refused' })
    await admin('POST', '/claw/order', { order: 'remove' })
    await untilState(undefined)
    expect(existsSync(join(kit.folder, 'data', 'gateway', machineId))).toBe(false)
    expect(await thingsOfIt()).toEqual([])
    await expect.poll(() => filesIn(join(kit.folder, 'data', 'machine-files'))).toBe(0)
  })

  it('is taken by uninstall: container and volume, its kept files when that is said, and nothing of others', async () => {
    const made = await admin('POST', '', { name: 'last', provider: 'anthropic', model: 'claude-sonnet-5-5' })
    machineId = made.body.id
    expect((await tellHost(admin, '/last', 'hello')).status).toBe(200)
    await admin('POST', '/last/order', { order: 'stop' })
    const stateOfLast = async () => (await admin('GET', '')).body.hosts[0]?.state
    await expect.poll(stateOfLast, { timeout: patience(30_000) }).toBe('asleep')
    expect((await tellHost(admin, '/last', 'history')).status).toBe(200)
    await kit.daemon.stop()
    expect(await thingsOfIt()).toHaveLength(2)
    const files = join(kit.folder, 'data', 'machine-files')
    const others = join(files, 'machines', 'default', 'mch_00000000000000ff', '1-aaaaaaaaaaaaaaaa')
    mkdirSync(others, { recursive: true })
    writeFileSync(join(others, 'manifest'), 'another daemon’s')
    const place = readConfig({
      DB_PATH: join(kit.folder, 'data', 'proxy.db'),
      ...(await engineSettings(kit.folder)),
    })
    // Images are every daemon's on this engine.
    const engine = Object.assign(createEngineClient(), { listImages: async () => [] })
    {
      using open = await openUninstall(place, engine)
      expect(open.plan).toMatchObject({ images: [], files: { where: files, machines: 1 } })
      expect([...open.plan.containers, ...open.plan.volumes]).toHaveLength(2)
      expect(await open.remove({ state: false, files: false })).toEqual([])
      expect(await thingsOfIt()).toEqual([])
      expect(filesIn(files)).toBeGreaterThan(1)
    }
    using again = await openUninstall(place, engine)
    expect(again.plan).toMatchObject({ containers: [], volumes: [], files: { machines: 1 } })
    expect(await again.remove({ state: true, files: true })).toEqual([])
    expect(
      readdirSync(files, { recursive: true }).filter((path) => String(path).includes(machineId)),
    ).toEqual([])
    expect(filesIn(files)).toBe(1)
    expect(existsSync(join(kit.folder, 'data', 'gateway', machineId))).toBe(false)
  })
})
