/** What a request waits through that needs the owner, as its client's own SDK reads it. */
import { connect } from 'node:net'
import { describe, expect, it } from 'vitest'
import { chatBody } from '../support/llm-kit.ts'
import { CHAT, messages, useWaiting } from '../support/waiting-kit.ts'

const world = useWaiting()
const { open, decide, asked } = world

const COMMENT = ': waiting for your approval\n\n'

describe('a request that is held', () => {
  const streamed = chatBody({ stream: true })

  it('is a stream of comments, each an event of its own, and nothing else until the owner decides', async () => {
    const before = world.kit.vendors.calls.length
    const stream = await open(CHAT, streamed)
    expect([stream.response.status, stream.response.headers.get('content-type')]).toEqual([
      200,
      'text/event-stream; charset=utf-8',
    ])
    const held = await stream.until(COMMENT.repeat(3))
    expect(held.replaceAll(COMMENT, '')).toBe('')
    expect(world.kit.vendors.calls.length).toBe(before)
    await decide('1h')
    const whole = await stream.until()
    expect(whole).toMatch(/^(?:: waiting for your approval\n\n)+data: \{/)
    expect(whole).toMatch(/data: \[DONE\]\n\n$/)
    expect(world.kit.vendors.calls.length).toBe(before + 1)
  })

  it('whose card expires says first what it waited for', async () => {
    const stream = await open(CHAT, streamed)
    await asked()
    world.kit.advance(3_600_001)
    const last = (await stream.until()).replaceAll(COMMENT, '')
    expect(JSON.parse(last.replace(/^data: /, ''))).toMatchObject({
      error: { message: expect.stringMatching(/^waiting for your approval/), code: 'approval_pending' },
    })
    const plain = await world.kit.ask(CHAT, {
      token: world.token,
      body: chatBody(),
      headers: { prefer: 'wait=0' },
    })
    expect(plain.json.error.message).toMatch(/^waiting for your approval/)
  })

  it.each([
    ['is no stream', { 'content-type': 'application/json' }, JSON.stringify({ choices: [] })],
    ['is compressed', { 'content-type': 'text/event-stream', 'content-encoding': 'zz' }, 'data: {}\n\n'],
    ['cannot be read', { 'content-type': 'text/html' }, '<html>'],
  ])('ends in an error, and in nothing of the answer, where that %s', async (_what, headers, body) => {
    world.kit.vendors.next('openai', { headers, pieces: [body] })
    const stream = await open(CHAT, streamed)
    await decide('1h')
    const last = (await stream.until()).replaceAll(COMMENT, '')
    expect(last).toMatch(/^data: \{"error":\{"message":"oauth3: [^\n]+\}\}\n\n$/)
    expect(last).not.toContain(body)
  })

  it('ends with its client, before and after its stream has begun', async () => {
    const before = world.kit.vendors.calls.length
    const stream = await open(CHAT, streamed)
    await stream.until(COMMENT)
    stream.leave()
    for (let turn = 0; turn < 50; turn++) await world.kit.ask('/health')
    await decide('1h')
    await world.kit.ask(CHAT, { token: world.token, body: chatBody() })
    expect(world.kit.vendors.calls.length).toBe(before + 1)
  })

  it('is not begun as a stream where its client did not ask for one', async () => {
    const read = world.kit.ask(CHAT, { token: world.token, body: chatBody() })
    await asked()
    for (let turn = 0; turn < 20; turn++) await world.kit.ask('/health')
    await decide('deny')
    const { status, headers } = await read
    expect([status, headers.get('x-oauth3-error')]).toEqual([403, 'approval_denied'])
  })

  it.each([
    ['ollama', '/llm/ollama/api/chat', { model: 'm', messages, stream: true }],
    ['google, as a list', '/llm/google/v1beta/models/gemini-demo:streamGenerateContent', { contents: [] }],
  ])('is not begun as events where the vendor streams in another form: %s', async (_name, path, body) => {
    const read = world.kit.ask(path, { token: world.token, body })
    await asked()
    for (let turn = 0; turn < 20; turn++) await world.kit.ask('/health')
    await decide('deny')
    expect((await read).status).toBe(403)
  })

  it('is answered at once where its agent has too many held, and another agent is held all the same', async () => {
    const streams = await Promise.all(Array.from({ length: 64 }, () => open(CHAT, streamed)))
    const more = await world.kit.ask(CHAT, { token: world.token, body: streamed })
    expect([more.status, more.headers.get('x-oauth3-error')]).toEqual([403, 'approval_pending'])
    const other = await world.kit.addAgent(`${world.agent}-other`)
    const held = world.kit.ask(CHAT, { token: other, body: streamed })
    await decide('1h', `${world.agent}-other`)
    expect((await held).text).toContain('[DONE]')
    await decide('deny')
    for (const stream of streams) expect(await stream.until()).toContain('approval_denied')
    // Every place is free again.
    world.kit.advance(11 * 60_000)
    const again = await open(CHAT, streamed)
    await decide('1h')
    expect(await again.until()).toContain('[DONE]')
  })

  it('with a large body is answered at once where its agent holds as much already', async () => {
    await world.kit.grant('openai', { agent: world.agent, modelsAllowed: ['gpt-other'] })
    const large = chatBody({ stream: true, metadata: { padding: 'x'.repeat(5 * 1_048_576) } })
    const streams = []
    for (let count = 0; count < 3; count++) streams.push(await open(CHAT, large))
    for (const { response } of streams) expect(response.status).toBe(200)
    const more = await open(CHAT, large)
    expect([more.response.status, more.response.headers.get('x-oauth3-error')]).toEqual([
      403,
      'approval_pending',
    ])
    for (const stream of streams) stream.leave()
    await decide('deny')
  })
})

it('a held stream whose client is gone without a word keeps no place', async () => {
  const { hostname, port } = new URL(world.kit.url)
  const body = JSON.stringify(chatBody({ stream: true }))
  const sockets = Array.from({ length: 64 }, () => {
    const socket = connect(Number(port), hostname).on('error', () => {})
    socket.write(
      `POST ${CHAT} HTTP/1.1\r\nHost: ${hostname}\r\nAuthorization: Bearer ${world.token}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    )
    return new Promise<typeof socket>((resolve) => socket.once('data', () => resolve(socket)))
  })
  for (const socket of await Promise.all(sockets)) socket.resetAndDestroy()
  // One more is held as soon as the daemon has heard of it.
  for (;;) {
    const stream = await open(CHAT, chatBody({ stream: true }))
    if (stream.response.status === 200) {
      await decide('deny')
      expect(await stream.until()).toContain('approval_denied')
      return
    }
  }
})
