/** The pinned OpenClaw in its container, as a machine has it: sockets are all that it can reach. The model is played at the wire. */
import { execFileSync, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join as joinPath } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { text as textOf } from 'node:stream/consumers'
import { chromium } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readRecord } from '../../src/hosting/agents/session-watch.ts'
import { LABEL_WAITS } from '../../src/hosting/machines/machine-labels.ts'
import { createEngineClient } from '../../src/sandbox/engine/index.ts'
import { openclawVersion } from '../../src/sandbox/runtimes/index.ts'
import { type ApiKit, startApi } from '../support/api-kit.ts'
import { CHROMIUM_ARGS, chromiumBinary, withoutChromium } from '../support/chromium.ts'
import { createDaemonKit } from '../support/daemon-kit.ts'
import { dockerOrSkip } from '../support/docker.ts'
import { createScriptedSandbox } from '../support/domain-kit.ts'
import { createPlayedHosting } from '../support/hosted-kit.ts'
import { createMessagesApi, type MessagesApi, say, use } from '../support/messages-api-double.ts'
import { createOpenclawMachine, join, type OpenclawMachine, turnOf } from '../support/openclaw-machine.ts'
import { patience } from '../support/pace.ts'
import { createTestCa } from '../support/test-ca.ts'

const availability = await dockerOrSkip({ images: ['openclaw'] })
const MODEL = 'claude-sonnet-5-5'
const configure = (token: string) => ({
  do: 'configure',
  token,
  model: `anthropic/${MODEL}`,
  providers: [{ id: 'anthropic', path: '', api: 'anthropic-messages', models: [{ id: MODEL }] }],
})
const SESSION = 'agent:main:chat'
/** What an earlier incarnation would have left. */
const FILES = {
  '.openclaw/.env': '# nothing',
  '.openclaw/openclaw.json': '{}',
  'workspace/NOTES.md': 'heron',
}

function archiveOf(files: Readonly<Record<string, string>>): Buffer {
  const root = mkdtempSync(joinPath(tmpdir(), 'openclaw-files-'))
  try {
    for (const [name, text] of Object.entries(files)) {
      const path = joinPath(root, 'home', name)
      mkdirSync(dirname(path), { recursive: true })
      writeFileSync(path, text)
    }
    return execFileSync('tar', ['-c', '-C', root, '--owner=65532', '--group=65532', 'home'])
  } finally {
    rmSync(root, { recursive: true })
  }
}

/** One container for all; its cases stand in the order of its life. */
describe.skipIf(!availability.available)('OpenClaw in its machine', () => {
  let api: MessagesApi
  let machine: OpenclawMachine
  let answer: Parameters<typeof createMessagesApi>[0] = () => say('hello')
  let daemon: ApiKit
  let untouched: readonly string[]

  beforeAll(async () => {
    daemon = await startApi()
    api = createMessagesApi((call, at) => answer(call, at))
    machine = await createOpenclawMachine({
      model: (socket) => api.connection(socket),
      agent: (socket) => join(socket, connect(Number(new URL(daemon.url).port), '127.0.0.1')),
    })
    await machine.put(archiveOf(FILES))
    await machine.start()
    await machine.until(({ state }) => state === 'waiting', 0)
    await machine.until(({ log }) => log === 'OpenClaw’s modules are loaded.', 0)
    untouched = await untouchedFiles()
    machine.tell(configure(daemon.token))
    await machine.until(({ state }) => state === 'ready', 0)
  })
  afterAll(async () => {
    await machine?.[Symbol.asyncDispose]()
    await api?.[Symbol.asyncDispose]()
    await daemon?.[Symbol.asyncDispose]()
  })

  const chat = async (content: string): Promise<string> =>
    turnOf(
      await machine.http(
        '/v1/chat/completions',
        { model: 'openclaw/default', messages: [{ role: 'user', content }] },
        { 'x-openclaw-session-key': SESSION },
      ),
    )
  const heard = (): string => JSON.stringify(api.calls.at(-1)?.body.messages)

  /** Nobody has read them since they were unpacked; mounts that keep no times of reading are found out by the test. */
  const untouchedFiles = async (): Promise<string[]> => {
    const seen = await machine.exec('find', '/state/home', '-type', 'f', '-printf', '%A@ %T@ %P\n')
    const all = seen.trim().split('\r\n')
    return all.flatMap((line) => {
      const [read, written, name = ''] = line.split(' ')
      return read === written ? [name] : []
    })
  }

  it('touches none of its files before it is configured, though its modules are loaded', async () => {
    const { Config } = await createEngineClient().getContainer(machine.container).inspect()
    expect(Config.Labels).toMatchObject({ [LABEL_WAITS]: '1' })
    expect(untouched.toSorted()).toEqual(Object.keys(FILES))
    // Since then it was read.
    expect(await untouchedFiles()).not.toContain('.openclaw/.env')
  })

  it('says what it is, waits for its configuration, and is ready once its gateway answers', async () => {
    expect(machine.told[0]).toMatchObject({ role: 'control', image: 'openclaw', openclaw: openclawVersion() })
    expect(machine.told.filter(({ state }) => state !== undefined).map(({ state }) => state)).toEqual([
      'waiting',
      'starting',
      'ready',
    ])
    expect(machine.told.find(({ state }) => state === 'ready')).toMatchObject({
      gatewayToken: expect.stringMatching(/^[\w-]{43}$/),
    })
    machine.tell({ do: 'probe', id: 1 })
    expect(await machine.until(({ probe }) => probe === 1, 0)).toEqual({ probe: 1, ready: true })
  })

  it('answers a turn by the model at its socket, which sees no key', async () => {
    answer = () => say('The model has spoken.')
    expect(await chat('Remember the word heron.')).toBe('The model has spoken.')
    expect(api.refused).toEqual([])
    const call = api.calls.at(-1)
    expect(call).toMatchObject({ path: '/v1/messages', body: { model: MODEL } })
    expect(JSON.stringify(call?.headers)).not.toContain(daemon.token)
  })

  it('has the agent’s token in no file', async () => {
    expect(await machine.exec('grep', '-rlF', daemon.token, '/state', '/tmp')).toBe('')
  })

  it('asks a person by the plugin, and wakes exactly the session that asked', async () => {
    const woken = Promise.withResolvers<string>()
    const execute = { skill_id: 'demo/count', code: 'console.log(1)' }
    let requestId = ''
    const turns = [
      () => use('tool_call', { id: 'oauth3_execute', args: execute }),
      () => say('You are asked for it.'),
      () => use('tool_call', { id: 'oauth3_status', args: { request_id: requestId } }),
      (conversation: string) => {
        woken.resolve(conversation)
        return say('It has run.')
      },
    ]
    answer = ({ body }) => turns.shift()?.(JSON.stringify(body.messages)) ?? say('Nothing more.')
    expect(await chat('Count my repositories.')).toBe('You are asked for it.')
    requestId = (await daemon.call('GET', '/execute')).json.executions[0].request_id
    await daemon.decide(requestId)
    const conversation = await woken.promise
    expect(conversation).toContain('Remember the word heron.')
    expect(conversation).toContain(`OAuth3: ${requestId} is success`)
    expect(conversation).toContain('ran')
    expect(daemon.events('execution.acknowledged')).toHaveLength(1)
    // As a chat shows it: what was used, and what was said unasked.
    const { gatewayToken } = machine.told.find(({ state }) => state === 'ready') ?? {}
    const recorded = async () =>
      await readRecord(
        { stream: await machine.connect(), gatewayToken: String(gatewayToken) },
        AbortSignal.timeout(patience(20_000)),
        SESSION,
      )
    await expect.poll(recorded, { timeout: patience(20_000) }).toMatchObject([
      { isWoken: false, answer: 'The model has spoken.', tools: [] },
      {
        ...{ id: expect.stringMatching(/^chatcmpl_/), isWoken: false, isOver: true, model: MODEL },
        answer: 'You are asked for it.',
        tools: [{ name: 'oauth3_execute', state: 'done', arguments: JSON.stringify(execute) }],
      },
      {
        ...{ isWoken: true, isOver: true, answer: 'It has run.', fetched: [requestId] },
        tools: [{ name: 'oauth3_status', state: 'done', durationMs: expect.any(Number) }],
      },
    ])
    // Followed no more.
    await expect.poll(() => machine.exec('cat', '/state/home/.openclaw/oauth3/requests.json')).toBe('{}')
  })

  it.skipIf(withoutChromium() !== undefined)(
    'has its own page in a real browser, at an origin of its own, signed in by a ticket of ours',
    async () => {
      answer = () => say('A heron stands in the water.')
      const ready = machine.told.find(({ state }) => state === 'ready')
      const played = {
        ...createPlayedHosting(),
        openGateway: async () => ({
          ...{ stream: await machine.connect(), gatewayToken: String(ready?.gatewayToken), used: () => {} },
        }),
      }
      await using kit = await createDaemonKit({
        environment: { OAUTH3_SIGNUP: 'password', OAUTH3_HOST_PAGES: 'http://*.localhost' },
        hosting: { played: () => played },
        sandbox: async () => createScriptedSandbox(() => ({})),
      })
      const post = async (path: string, body: object, token = '') => {
        const response = await fetch(kit.daemon.url + path, {
          method: 'POST',
          headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) },
          body: JSON.stringify(body),
        })
        // biome-ignore lint/suspicious/noExplicitAny: answers are checked by the tests that read them
        return (await response.json()) as any
      }
      const ann = { email: 'ann@example.com', password: 'correct horse battery' }
      const { access_token: access } = await post('/api/auth/signup', ann)
      const { id } = await post('/api/instances', { name: 'claw' }, access)
      const { url } = await post(`/api/instances/${id}/page`, {}, access)
      const browser = await chromium.launch({ executablePath: chromiumBinary() ?? '', args: CHROMIUM_ARGS })
      try {
        const page = await browser.newPage({ viewport: { width: 1280, height: 900 } })
        page.setDefaultTimeout(patience(60_000))
        const frames: string[] = []
        page.on('websocket', (socket) =>
          socket
            .on('framesent', ({ payload }) => frames.push(String(payload)))
            .on('framereceived', ({ payload }) => frames.push(String(payload))),
        )
        await page.goto(url)
        const box = page.locator('textarea').first()
        await box.fill('What stands there?')
        await box.press('Enter')
        await page.getByText('A heron stands in the water.').first().waitFor()
        expect(new URL(page.url()).host).toMatch(/^mch-[0-9a-f]{16}\.localhost:/)
        expect(page.url()).not.toContain('ticket')
        const { gatewayToken } = ready as { gatewayToken: string }
        expect(frames.length).toBeGreaterThan(4)
        expect(frames.join()).not.toContain(gatewayToken)
        expect(frames.join()).not.toMatch(/"deviceToken"/)
        // A link on another page chooses none of its settings, of which the conversation is one.
        const body = `<a href="${new URL(url).origin}/#session=agent:main:chosen">go</a>`
        await page.route('http://other.test/', (route) => route.fulfill({ contentType: 'text/html', body }))
        await page.addInitScript('window.begunWith = location.hash')
        await page.goto('http://other.test/').then(() => page.getByText('go').click())
        await page.getByText('A heron stands in the water.').first().waitFor()
        expect(await page.evaluate('begunWith')).toBe('')
        if (process.env.PAGE_SCREENSHOT) await page.screenshot({ path: process.env.PAGE_SCREENSHOT })
      } finally {
        await browser.close()
      }
    },
    patience(240_000),
  )

  it('has a home, and nothing else that it could write or reach', async () => {
    const seen = await machine.exec('sh', '-c', 'id -u; ls /sys/class/net; touch /x; touch /run/oauth3/x')
    expect(seen.split('\r\n')).toEqual([
      '65532',
      'lo',
      "touch: cannot touch '/x': Read-only file system",
      "touch: cannot touch '/run/oauth3/x': Read-only file system",
      '',
    ])
  })

  it('starts from what was compiled for its user when its image was built', async () => {
    const script = 'ls /opt/openclaw/compile-cache/*-$(id -u) | wc -l; ls /tmp | grep -c compile-cache'
    const [kept, own] = (await machine.exec('sh', '-c', script)).split('\r\n')
    expect(Number(kept)).toBeGreaterThan(1_000)
    expect(own).toBe('0')
  })

  it('takes in what its programs leave behind', async () => {
    const left = await machine.exec(
      'sh',
      '-c',
      '(sh -c : &); (sh -c : &); sleep 1; cat /proc/[0-9]*/stat | grep -c ") Z "',
    )
    expect(left.trim()).toBe('0')
  })

  it('tells a daemon that comes anew how it stands, and goes on', async () => {
    const from = machine.told.length
    machine.hangUp()
    expect(await machine.until(({ state }) => state !== undefined, from)).toMatchObject({ state: 'ready' })
    machine.tell(configure(daemon.token))
    machine.tell({ do: 'probe', id: 2 })
    expect(await machine.until(({ probe }) => probe === 2, from)).toEqual({ probe: 2, ready: true })
    expect(machine.told.slice(from).filter(({ state }) => state !== undefined)).toHaveLength(1)
  })

  it.each([
    ['an unknown task', { do: 'nonsense' }],
    ['a configure that lacks something', { ...configure('oa3_x'), model: '' }],
    ['a stream without a proper name', { do: 'open', stream: '../x' }],
  ])('refuses %s and stays', async (failed, message) => {
    const from = machine.told.length
    machine.tell(message)
    expect(await machine.until((told) => 'failed' in told, from)).toEqual({ failed })
  })

  it('stands still while it is paused, with its connections, and goes on', async () => {
    const from = machine.told.length
    await machine.pause()
    machine.tell({ do: 'probe', id: 3 })
    await machine.unpause()
    expect(await machine.until(({ probe }) => probe === 3, from)).toEqual({ probe: 3, ready: true })
    expect(machine.told.slice(from).some(({ role }) => role !== undefined)).toBe(false)
  })

  it('wakes the session that is named', async () => {
    const woken = Promise.withResolvers<string>()
    answer = ({ body }) => {
      woken.resolve(JSON.stringify(body.messages))
      return say('NO_REPLY')
    }
    const from = machine.told.length
    machine.tell({ do: 'wake', id: 4, text: 'OAuth3: req_demo is success', session: SESSION })
    expect(await machine.until(({ woke }) => woke === 4, from)).toEqual({
      woke: 4,
      status: 200,
      outcome: 'queued',
    })
    const messages = await woken.promise
    expect(messages).toContain('OAuth3: req_demo is success')
    expect(messages).toContain('Remember the word heron.')
  })

  it('ends the turn that is under way when it is stopped', async () => {
    const asked = Promise.withResolvers<void>()
    const released = Promise.withResolvers<void>()
    answer = async () => {
      asked.resolve()
      await released.promise
      return say('Said at the end.')
    }
    const turn = chat('Take your time.')
    await asked.promise
    const from = machine.told.length
    const stopping = machine.stop(330)
    await machine.until(({ state }) => state === 'draining', from)
    released.resolve()
    expect(await turn).toBe('Said at the end.')
    expect(await stopping).toBe(0)
  })

  it('starts again with its files: the conversation and the token are those that were', async () => {
    const { gatewayToken } = machine.told.find(({ state }) => state === 'ready') ?? {}
    const from = machine.told.length
    await machine.start()
    await machine.until(({ state }) => state === 'waiting', from)
    // What an agent can break in its files is mended.
    await machine.exec('sh', '-c', 'echo "{ broken" > /state/home/.openclaw/openclaw.json')
    machine.tell(configure(daemon.token))
    const ready = await machine.until(({ state }) => state === 'ready' || state === 'failed', from)
    expect(ready).toMatchObject({ state: 'ready', gatewayToken })
    answer = () => say('heron')
    expect(await chat('Which word was it?')).toBe('heron')
    expect(heard()).toContain('Remember the word heron.')
    expect(heard()).toContain('Said at the end.')
    expect(JSON.stringify(machine.told.filter(({ log }) => log !== undefined))).not.toContain(daemon.token)
  })
})

it('trusts the gateway’s authority in every thread, though it is known behind the start alone', async () => {
  const folder = mkdtempSync(joinPath(tmpdir(), 'oauth3-trust-'))
  try {
    const authority = joinPath(folder, 'ca.pem')
    const program = joinPath(folder, 'program.mjs')
    writeFileSync(authority, createTestCa().certificate)
    writeFileSync(
      program,
      `import { readFileSync } from 'node:fs'
      import tls from 'node:tls'
      import { isMainThread, Worker } from 'node:worker_threads'
      const known = readFileSync(process.env.NODE_EXTRA_CA_CERTS, 'utf8').trim()
      const isTrusted = tls.getCACertificates('default').some((one) => one.trim() === known)
      console.log(isMainThread ? 'main' : 'worker', isTrusted)
      if (isMainThread) new Worker(process.argv[1])`,
    )
    const early = joinPath(import.meta.dirname, '../../../sandbox-images/openclaw/early-modules.mjs')
    const child = spawn(process.execPath, ['--import', early, program], {
      env: { HOME: folder, OAUTH3_EARLY_MODULES: 'none' },
      stdio: ['ignore', 'pipe', 'inherit', 'pipe'],
    })
    const words = child.stdio[3] as Writable
    words.end(JSON.stringify({ NODE_EXTRA_CA_CERTS: authority }))
    expect(await textOf(child.stdout as Readable)).toBe('main true\nworker true\n')
  } finally {
    rmSync(folder, { recursive: true })
  }
})
