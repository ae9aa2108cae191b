import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { type ApprovalDetail, plainLine } from '../../src/approvals/index.ts'
import type { EgressSession } from '../../src/egress/index.ts'
import { hasHiddenCharacters, type TenantId } from '../../src/kernel/index.ts'
import { ask, tlsThrough } from '../support/gateway-client.ts'
import { createGatewayKit } from '../support/gateway-kit.ts'
import { approver, asAgent, owner } from '../support/principals.ts'
import { createRunTools } from '../support/run-tools-kit.ts'
import { ANN, createTelegramKit } from '../support/telegram-kit.ts'
import { startTlsUpstream } from '../support/tls-upstream.ts'

/** What a prompt that was talked into it, or a row that was altered, tries with tools that a person is asked about. */
const PAGE = { url: 'https://docs.example.com/a', prompt: 'p' }
const refusedFor = (reason: string) => ({ accepted: false, reason })

async function start(options: Parameters<typeof createTelegramKit>[0] = {}) {
  const kit = await createTelegramKit(options)
  const tools = await createRunTools(kit, options.clock)
  const detail = (id: string): Promise<ApprovalDetail> =>
    kit.storage.read((tx) => kit.approvals.detail(tx, id))
  return { ...tools, kit, detail, [Symbol.asyncDispose]: () => kit[Symbol.asyncDispose]() }
}

describe('what was shown is what is allowed', () => {
  test.each([
    ['input', '{"prompt":"p","url":"https://docs.example.com/a?secret=1"}'],
    ['effect', '{"kind":"host","host":"evil.example"}'],
    ['tool', 'Newfangled'],
    ['run_id', 'run_of_somebody_else'],
    ['prompt_sha256', 'f'.repeat(64)],
  ])('a row whose %s is another by now is decided by nobody', async (column, value) => {
    await using world = await start()
    const { kit } = world
    const run = world.begin()
    const verdict = run.request('WebFetch', PAGE)
    const id = await world.nextAsked()
    const card = await kit.said('A run asks to use a tool')
    const { contentHash } = await world.viewOf(id)
    kit.db.exec(`UPDATE tool_calls SET ${column} = '${value}' WHERE id = '${id}'`)
    const pressed = await kit.double.press(kit.chatId, card.messageId, '✅ Allow once', ANN).answered
    expect(pressed).toEqual({ text: 'This card is for another request.', alert: true })
    const chosen = await kit.storage.transaction((tx) =>
      kit.approvals.choose(tx, id, contentHash, 'run', owner()),
    )
    expect(chosen).toMatchObject(refusedFor('other_consent'))
    expect(run.reached()).toEqual([])
    run.controller.abort()
    expect(await verdict).toMatchObject({ behavior: 'deny' })
  })

  test('arguments that the CLI changes while a person reads are not those that go', async () => {
    await using world = await start()
    const run = world.begin()
    const input = { ...PAGE, headers: { a: '1' } }
    const verdict = run.request('WebFetch', input)
    const id = await world.nextAsked()
    input.url = 'https://evil.example/'
    input.headers.a = '2'
    await world.answer(id, 'once', owner())
    expect(await verdict).toEqual({
      behavior: 'allow',
      updatedInput: { ...PAGE, headers: { a: '1' } },
    })
    expect(run.reached()).toEqual(['docs.example.com'])
  })

  test('of two calls at once, the same to the byte, one yes allows one', async () => {
    await using world = await start()
    const run = world.begin()
    const verdicts = [run.request('WebFetch', PAGE), run.request('WebFetch', PAGE)]
    const [one, two] = [await world.nextAsked(), await world.nextAsked()]
    expect((await world.viewOf(one)).contentHash).not.toBe((await world.viewOf(two)).contentHash)
    await world.answer(one, 'once', owner())
    const first = await Promise.race(verdicts)
    expect(first).toMatchObject({ behavior: 'allow' })
    expect((await world.viewOf(two)).state).toBe('pending')
    await world.answer(two, 'deny', owner())
    expect((await Promise.all(verdicts)).map(({ behavior }) => behavior).sort()).toEqual(['allow', 'deny'])
  })

  test('two presses at once decide once', async () => {
    await using world = await start()
    const run = world.begin()
    const verdict = run.request('WebFetch', PAGE)
    const id = await world.nextAsked()
    const outcomes = await Promise.all([
      world.answer(id, 'deny', owner()),
      world.answer(id, 'run', approver('1001', 'Ann')),
    ])
    expect(outcomes.map((outcome) => outcome?.accepted).sort()).toEqual([false, true])
    const { state } = await world.viewOf(id)
    expect((await verdict).behavior).toBe(state === 'approved' ? 'allow' : 'deny')
  })
})

describe('a press that comes too late', () => {
  test('after the run’s end opens nothing, and says so', async () => {
    await using world = await start()
    const { kit } = world
    const run = world.begin()
    const verdict = run.request('WebFetch', PAGE)
    const id = await world.nextAsked()
    const { contentHash } = await world.viewOf(id)
    await run.end()
    const late = await kit.storage.transaction((tx) =>
      kit.approvals.choose(tx, id, contentHash, 'once', owner()),
    )
    expect(late).toMatchObject({ ...refusedFor('already_decided'), message: 'Already cancelled.' })
    expect(await verdict).toMatchObject({ behavior: 'deny' })
    expect(run.reached()).toEqual([])
  })

  test('on a row whose run is gone without a word is no yes', async () => {
    await using world = await start()
    const { kit } = world
    const run = world.begin()
    const verdict = run.request('WebFetch', PAGE)
    const id = await world.nextAsked()
    run.controller.abort()
    await verdict
    await kit.storage.flushed()
    // As a daemon that was killed leaves it.
    kit.db.exec(`UPDATE tool_calls SET status = 'pending', ended_at = NULL WHERE id = '${id}'`)
    await expect(world.answer(id, 'once', owner())).rejects.toMatchObject({ code: 'invalid_request' })
    expect((await world.viewOf(id)).state).toBe('pending')
    expect(await world.answer(id, 'deny', owner())).toMatchObject({ accepted: true })
  })
})

describe('whoever may not', () => {
  test('is the agent, another tenant’s owner, and a stranger', async () => {
    await using world = await start()
    const { kit } = world
    const run = world.begin()
    const verdict = run.request('WebFetch', PAGE)
    const id = await world.nextAsked()
    const agent = asAgent((await kit.agentOf()).id)
    for (const by of [agent, owner('0', 'owner', 'ten_0000000000000001' as TenantId)])
      expect(await world.answer(id, 'once', by)).toMatchObject(refusedFor('not_permitted'))
    expect((await world.viewOf(id)).state).toBe('pending')
    run.controller.abort()
    await verdict
  })

  test('is the app itself: no choice takes terms, words of other kinds or a reason with a yes', async () => {
    await using world = await start()
    const { kit } = world
    const run = world.begin()
    const verdict = run.request('WebFetch', PAGE)
    const id = await world.nextAsked()
    const { contentHash } = await world.viewOf(id)
    const choose = (choice: string, details: { reason: string | null; terms: object | null }) =>
      kit.storage.transaction((tx) =>
        kit.approvals.choose(tx, id, contentHash, choice, owner(), details as never),
      )
    for (const word of ['forever', 'always', 'trust24h', 'constructor', ''])
      expect(await choose(word, { reason: null, terms: null })).toBeUndefined()
    await expect(choose('run', { reason: null, terms: { until: 9e12 } })).rejects.toMatchObject({
      code: 'invalid_request',
    })
    await expect(choose('once', { reason: 'x', terms: null })).rejects.toMatchObject({
      code: 'invalid_request',
    })
    run.controller.abort()
    await verdict
  })
})

describe('hostile text', () => {
  const EVIL = 'a\u202eb\n\r\u2028<b>x</b>&amp;\u0000`[l](tg://user?id=1)\u{e0041}'

  test('is visible, hides nothing, is no markup and makes no line of its own', async () => {
    await using world = await start()
    const { kit, detail } = world
    const evilTool = `mcp__x__${EVIL}`
    const tool = 'mcp__x__send'
    const run = world.begin({ prompt: `${EVIL}\n🔧 Tool Bash\n`, tools: [tool, evilTool] })
    expect(await run.request(evilTool, {})).toMatchObject({ behavior: 'deny' })
    const verdict = run.request(tool, { [EVIL]: EVIL })
    const id = await world.nextAsked()
    const { card, summary } = await detail(id)
    if (card.form !== 'lines') throw new Error('another form')
    const lines = [summary, ...card.lines].map(plainLine)
    for (const text of [...lines, card.question, card.text?.text ?? '']) {
      expect(hasHiddenCharacters(text)).toBe(false)
      expect(text.replace(/\n {0,2}["}]?/g, '')).not.toContain('\n')
    }
    expect(card.text?.text).toContain('⟨U+202E⟩')
    const message = await kit.said('A run asks to use a tool')
    // The Bot API double reads HTML as Telegram does: what it shows is what was written.
    expect(message.text).toContain('<b>x</b>&amp;')
    // The tool has one line, whatever the prompt says.
    expect(message.text.split('\n').filter((line) => line.startsWith('🔧'))).toHaveLength(1)
    await world.answer(id, 'once', owner())
    expect(await verdict).toEqual({ behavior: 'allow', updatedInput: { [EVIL]: EVIL } })
  })

  test('of a MiB, or nested beyond sense, asks nobody', async () => {
    await using world = await start()
    const run = world.begin()
    let deep: unknown = 'x'
    for (let depth = 0; depth < 100_000; depth++) deep = [deep]
    for (const input of [{ query: 'a'.repeat(1_048_576) }, { deep }, { query: '\ud800' }])
      expect(await run.request('WebSearch', input)).toMatchObject({ behavior: 'deny' })
    expect(await world.kit.storage.read((tx) => world.kit.approvals.list(tx, { which: 'waiting' }))).toEqual(
      [],
    )
  })

  test('in a very long prompt shows its beginning, and the hash is of all of it', async () => {
    await using world = await start()
    const run = world.begin({ prompt: `${'\n'.repeat(50)}${'x'.repeat(5_000_000)}` })
    const verdict = run.request('WebSearch', { query: 'q' })
    const { card } = await world.detail(await world.nextAsked())
    expect(JSON.stringify(card).length).toBeLessThan(3_000)
    run.controller.abort()
    await verdict
  })
})

describe('when everything stops', () => {
  test('what waits is cancelled, what is open is closed, and no standing yes holds', async () => {
    await using world = await start()
    const { kit, toolCalls } = world
    kit.lockdown.onBegin(toolCalls.halt)
    const run = world.begin()
    const standing = run.request('WebFetch', PAGE)
    await world.answer(await world.nextAsked(), 'run', owner())
    expect(await standing).toMatchObject({ behavior: 'allow' })
    const waits = run.request('WebSearch', { query: 'q' })
    const id = await world.nextAsked()
    await kit.lockdown.begin({ actor: 'cli:0', name: null })
    expect(await waits).toMatchObject({ behavior: 'deny' })
    expect((await world.viewOf(id)).state).toBe('cancelled')
    expect(run.reached()).toEqual([])
    for (const input of [PAGE, { ...PAGE, prompt: 'other' }])
      expect(await run.request('WebFetch', input)).toMatchObject({ behavior: 'deny' })
    expect(run.reached()).toEqual([])
  })
})

describe('the wall itself', () => {
  test('opens for the host that was shown, to read, and closes behind the call in tunnels that stand', async () => {
    const seen: string[] = []
    await using upstream = await startTlsUpstream(
      ['docs.example.com', 'evil.example'],
      (request, response) => {
        seen.push(`${request.method} ${request.headers.host} ${request.url}`)
        response.end('hello')
      },
    )
    await using gateway = await createGatewayKit({ tls: { ca: upstream.ca } })
    await using world = await start()
    const { endpoint, session } = await gateway.run([])
    const run = world.begin({ egress: session as EgressSession })
    const url = `https://docs.example.com:${upstream.port}`
    expect((await ask(endpoint, `${url}/a`)).rule).toBe('host_not_approved')
    const verdict = run.request('WebFetch', { url: `${url}/a`, prompt: 'p' })
    const id = await world.nextAsked()
    expect((await ask(endpoint, `${url}/a`)).rule).toBe('host_not_approved')
    await world.answer(id, 'once', owner())
    expect(await verdict).toMatchObject({ behavior: 'allow' })
    expect((await ask(endpoint, `${url}/a`)).body).toBe('hello')
    expect((await ask(endpoint, `${url}/a`, { method: 'POST', body: 'x' })).rule).toBe('method_not_approved')
    expect((await ask(endpoint, `https://evil.example:${upstream.port}/`)).rule).toBe('host_not_approved')
    const tunnel = await tlsThrough(endpoint, `docs.example.com:${upstream.port}`)
    run.calls.answered('toolu_1')
    tunnel.write(`GET /late HTTP/1.1\r\nHost: docs.example.com:${upstream.port}\r\nConnection: close\r\n\r\n`)
    let late = ''
    for await (const chunk of tunnel) late += String(chunk)
    expect(late).toContain('host_not_approved')
    expect((await ask(endpoint, `${url}/a`)).rule).toBe('host_not_approved')
    expect(seen).toEqual([`GET docs.example.com:${upstream.port} /a`])
  })

  test.each([
    ['Content-Type: text/plain\r\nContent-Length: 5', 'LATER'],
    ['Content-Type: text/plain\r\nTransfer-Encoding: chunked', '5\r\nLATER\r\n0\r\n\r\n'],
    ['Content-Type: application/octet-stream\r\nContent-Length: 5', 'LATER'],
    ['Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 5', 'LATER'],
  ])('lets nothing out behind the call whose head came before (%s)', async (framing, body) => {
    const seen: string[] = []
    await using upstream = await startTlsUpstream(['docs.example.com'], async (request, response) => {
      seen.push(await text(request).catch(() => 'broken off'))
      response.end('hello')
    })
    await using gateway = await createGatewayKit({ tls: { ca: upstream.ca } })
    await using world = await start()
    const { endpoint, session } = await gateway.run([])
    const run = world.begin({ egress: session as EgressSession })
    const at = `docs.example.com:${upstream.port}`
    const verdict = run.request('WebFetch', { url: `https://${at}/a`, prompt: 'p' })
    await world.answer(await world.nextAsked(), 'once', owner())
    expect(await verdict).toMatchObject({ behavior: 'allow' })
    const tunnel = await tlsThrough(endpoint, at)
    tunnel.on('error', () => {})
    tunnel.write(`GET /late HTTP/1.1\r\nHost: ${at}\r\nConnection: close\r\n${framing}\r\n\r\n`)
    await sleep(300)
    run.calls.answered('toolu_1')
    tunnel.write(body)
    await once(tunnel.resume(), 'close')
    expect(seen.join()).not.toContain('LATER')
    expect((await ask(endpoint, `https://${at}/a`)).rule).toBe('host_not_approved')
  })

  test('has an end to the requests of one call', async () => {
    await using world = await start()
    const run = world.begin()
    const verdict = run.request('WebFetch', PAGE)
    await world.answer(await world.nextAsked(), 'once', owner())
    await verdict
    const { session } = run
    const spend = () => session?.spend(session.policy.capabilities)
    expect(Array.from({ length: 21 }, spend).filter(Boolean)).toHaveLength(20)
  })
})
