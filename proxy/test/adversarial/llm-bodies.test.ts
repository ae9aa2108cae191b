/**
 * Bodies cost the daemon what their agent is entitled to: of one that nothing is granted to nearly nothing is read, and
 * whatever a body holds, the event loop goes on. Counted in bytes and in the order of events, not in milliseconds.
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { IncomingMessage } from 'node:http'
import { connect, type Socket } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { chatBody, createLlmKit, type LlmKit } from '../support/llm-kit.ts'

const CHAT = '/llm/openai/v1/chat/completions'
const MIB = 1_048_576
const LONG = 31 * MIB
/** What may be read of a body before its agent has a grant. */
const BEGINNING = 256 * 1_024
/** What is read in one go, besides. */
const PIECES = 4 * 65_536

let kit: LlmKit
let taken: Map<string, IncomingMessage['socket']>
const watch = (message: unknown): void => {
  const { request } = message as { request: IncomingMessage }
  taken.set(request.headers['x-name']?.toString() ?? '', request.socket)
}
beforeAll(async () => {
  kit = await createLlmKit()
  await kit.open('openai')
})
beforeEach(() => {
  taken = new Map()
  subscribe('oauth3.http1.request.start', watch)
})
afterEach(() => {
  unsubscribe('oauth3.http1.request.start', watch)
  expect(kit.vendors.faults.splice(0)).toEqual([])
})
afterAll(() => kit?.[Symbol.asyncDispose]())

/** Sends a long body as fast as it is taken; resolves with what came back when the connection is over. */
async function sendLong(
  {
    path = CHAT,
    name,
    token,
    wait = 0,
    length = true,
  }: {
    path?: string
    name: string
    token: string
    wait?: number
    length?: boolean
  },
  body = `{"model":"gpt-demo","x":"${'a'.repeat(LONG)}"}`,
): Promise<string> {
  const { hostname, port } = new URL(kit.url)
  const socket = connect(Number(port), hostname)
  socket.on('error', () => {})
  const parts: Buffer[] = []
  socket.on('data', (part: Buffer) => void parts.push(part))
  const framing = length ? `Content-Length: ${body.length}` : 'Transfer-Encoding: chunked'
  socket.write(
    `POST ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\nX-Name: ${name}\r\nPrefer: wait=${wait}\r\n` +
      `Content-Type: application/json\r\n${framing}\r\n\r\n`,
  )
  socket.write(length ? body : `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`)
  socket.once('end', () => socket.end())
  await closed(socket)
  return Buffer.concat(parts).toString('latin1')
}

const closed = (socket: Socket): Promise<unknown> => new Promise((resolve) => socket.once('close', resolve))

describe('of the body of an agent', () => {
  it.each([
    ['that nothing is granted to', CHAT, true],
    ['that nothing is granted to and whose length is not told', CHAT, false],
    ['that nothing is granted to, where the model would choose the provider', '/v1/chat/completions', true],
    ['whose token is wrong', CHAT, true],
  ])('%s, little is read', async (name, path, length) => {
    const token = name.includes('wrong')
      ? `oa3_${'x'.repeat(43)}`
      : await kit.addAgent(`poor-${taken.size}-${path.length}-${length}`)
    const answer = await sendLong({ path, name, token, length })
    expect(answer).toMatch(/^HTTP\/1\.1 4/)
    expect(taken.get(name)?.bytesRead).toBeLessThan(2 * BEGINNING + PIECES)
    expect(kit.vendors.calls).toEqual([])
  })

  it('that the owner has refused, nothing is kept and little is read', async () => {
    const token = await kit.addAgent('refused')
    const short = await kit.ask(CHAT, { token, body: chatBody(), headers: { prefer: 'wait=0' } })
    expect(short.status).toBe(403)
    const { asks } = await kit.admin('GET', '/v1/asks')
    const ask = asks.find((row: { agent: string }) => row.agent === 'refused')
    await kit.admin('POST', `/v1/asks/${ask.id}/decision`, {
      decision: 'deny',
      consent_hash: ask.consent_hash,
    })
    const answer = await sendLong({ name: 'refused', token })
    expect(answer).toContain('approval_denied')
    expect(taken.get('refused')?.bytesRead).toBeLessThan(BEGINNING + PIECES)
  })
})

describe('an agent that asks again and again what is refused', () => {
  const AT_ONCE = 40
  const MANY = 80

  it('is answered later each time, all of it in the end, and no other agent is', async () => {
    const [busy, other] = [await kit.addAgent('in-a-loop'), await kit.addAgent('beside')]
    const ask = (token: string) => kit.ask(CHAT, { token, body: chatBody(), headers: { prefer: 'wait=0' } })
    const order: string[] = []
    const more = Promise.withResolvers<void>()
    const all = Array.from({ length: MANY }, async () => {
      const { status } = await ask(busy)
      order.push(`busy ${status}`)
      if (order.length === AT_ONCE) more.resolve()
    })
    await more.promise
    for (let at = 0; at < AT_ONCE; at += 1) expect((await ask(other)).status).toBe(403)
    expect(order.length).toBeLessThan(MANY)
    await Promise.all(all)
    expect(order).toEqual(Array.from({ length: MANY }, () => 'busy 403'))
  })

  it('has no more read while it waits', async () => {
    const token = await kit.addAgent('long-in-a-loop')
    const answers = await Promise.all(
      Array.from({ length: MANY }, (_, at) => sendLong({ name: `long-in-a-loop-${at}`, token })),
    )
    expect(answers.every((answer) => /^HTTP\/1\.1 403/.test(answer))).toBe(true)
    const read = [...taken].filter(([name]) => name.startsWith('long-in-a-loop'))
    expect(read.length).toBe(MANY)
    for (const [, { bytesRead }] of read) expect(bytesRead).toBeLessThan(2 * BEGINNING + PIECES)
  })
})

describe('a long body', () => {
  const sent = (more: Record<string, unknown>) =>
    chatBody({ messages: [{ role: 'user', content: 'x'.repeat(MIB) }], ...more })
  const lastBody = (): string => kit.vendors.calls.at(-1)?.body.toString() ?? ''

  it('of an agent that nothing was granted to waits unread for its owner, and is read whole then', async () => {
    const own = await kit.addAgent('later')
    const asked = kit.ask(CHAT, { token: own, body: sent({ stream: true }), headers: { prefer: 'wait=30' } })
    const ask = await askOf('later')
    expect(ask.model).toBeNull()
    await kit.admin('POST', `/v1/asks/${ask.id}/decision`, {
      decision: '1h',
      consent_hash: ask.consent_hash,
    })
    expect((await asked).status).toBe(200)
    expect(JSON.parse(lastBody())).toEqual({
      stream_options: { include_usage: true },
      ...sent({ stream: true }),
    })
  })

  it('goes out as it came but for the token, the wish for a usage and the model without its provider', async () => {
    const own = await kit.addAgent('own')
    await kit.grant('openai', { agent: 'own' })
    const content = `${'é'.repeat(MIB)}${own}${'y'.repeat(100_000)}`
    const body = { stream: true, messages: [{ role: 'user', content }], model: 'openai/gpt-demo' }
    const answer = await kit.ask('/v1/chat/completions', { token: own, body })
    expect(answer.status).toBe(200)
    const masked = content.replace(own, '*'.repeat(own.length))
    expect(JSON.parse(lastBody())).toEqual({
      stream_options: { include_usage: true },
      ...body,
      messages: [{ role: 'user', content: masked }],
      model: 'gpt-demo',
    })
  })

  it('is read off the event loop, whatever it holds', async () => {
    let turns = -1
    const count = (): void => {
      if (turns === -1) return
      turns += 1
      setImmediate(count)
    }
    const arrived = (message: unknown): void => {
      ;(message as { request: IncomingMessage }).request.once('end', () => {
        turns = 0
        count()
      })
    }
    const seen: number[] = []
    const created = (): void => {
      if (turns !== -1) seen.push(turns)
      turns = -1
    }
    subscribe('oauth3.http1.request.start', arrived)
    subscribe('oauth3.http1.request.create', created)
    try {
      const text = `{"model":"gpt-demo","messages":[],"x":[${'[[[1,""]]],'.repeat((8 * MIB) / 11)}1]}`
      await kit.ask(CHAT, { body: text })
    } finally {
      unsubscribe('oauth3.http1.request.start', arrived)
      unsubscribe('oauth3.http1.request.create', created)
    }
    expect(seen.at(-1)).toBeGreaterThan(20)
  })

  it('of escapes alone holds the event loop up for a small part of what it takes to read them', async () => {
    const own = await kit.addAgent('escaper')
    await kit.addKey('qwen')
    await kit.grant('qwen', { agent: 'escaper' })
    await kit.grant('qwen')
    const content = '\\u0041'.repeat((16 * MIB) / 6)
    const text = `{"model":"qwen-demo","messages":[{"role":"user","content":"${content}"}]}`
    const began = performance.now()
    text.replace(/\\u00([2-7][0-9a-f])/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
    const reading = performance.now() - began
    let [longest, last, isOver] = [0, performance.now(), false]
    const turn = (): void => {
      longest = Math.max(longest, performance.now() - last)
      last = performance.now()
      if (!isOver) setImmediate(turn)
    }
    setImmediate(turn)
    await kit.ask('/llm/qwen/chat/completions', { token: own, body: text })
    isOver = true
    expect(kit.vendors.calls.at(-1)?.bodyBytes).toBe(text.length)
    expect(longest).toBeLessThan(reading / 4)
    const quoting = text.replace('\\u0041', '\\u0066ile\\u0069d:')
    const refused = await kit.ask('/llm/qwen/chat/completions', { token: own, body: quoting })
    expect(refused.headers.get('x-oauth3-error')).toBe('shared_key')
  })

  it('of more members than any request has is not read, so that a grant for some models does not cover it', async () => {
    const own = await kit.addAgent('members')
    await kit.grant('openai', { agent: 'members', modelsAllowed: ['gpt-demo'] })
    const members = Array.from({ length: 100_000 }, (_, at) => `"m${at}":1`).join(',')
    const before = kit.vendors.calls.length
    for (const count of [members, members.slice(0, 30_000).replace(/,[^,]*$/, '')]) {
      const body = `{"model":"gpt-demo","messages":[],${count}}`
      const answer = await kit.ask(CHAT, { token: own, body, headers: { prefer: 'wait=0' } })
      expect(answer.status).toBe(403)
    }
    expect(kit.vendors.calls.length).toBe(before)
  })

  it('is refused when its pieces cost more than they hold', async () => {
    const { hostname, port } = new URL(kit.url)
    const socket = connect(Number(port), hostname)
    socket.on('error', () => {})
    let answer = ''
    socket.on('data', (part: Buffer) => {
      answer += part.toString()
    })
    const gone = closed(socket)
    socket.write(
      `POST ${CHAT} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${kit.token}\r\nContent-Type: application/json\r\n` +
        'Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n',
    )
    socket.setNoDelay(true)
    // Pieces that come together are one; each of these comes alone.
    for (let sent = 0; sent < 5_000 && answer === ''; sent += 1) {
      socket.write('1\r\n \r\n')
      await turn()
    }
    socket.write('0\r\n\r\n')
    await gone
    expect(answer).toContain('small pieces')
  })
})

describe('the name of a model that no model has', () => {
  const long = `x${'-0000'.repeat(3_000)}`

  it.each([
    ['in the body', CHAT, chatBody({ model: long })],
    ['among others in the body', CHAT, chatBody({ models: [long] })],
    ['in the path', `/llm/google/v1beta/models/${long}:generateContent`, { contents: [] }],
    ['in the path, where it chooses the provider', `/v1/models/openai%2F${long}`, undefined],
    ['in the query', `${CHAT}?model=${long}`, chatBody()],
  ])('%s is refused before anything is looked for by it', async (name, path, body) => {
    const agent = `long-${name.replaceAll(/[^a-z]/g, '')}`
    const own = await kit.addAgent(agent)
    for (const provider of ['openai', 'google']) {
      await kit.grant(provider, { agent, limits: { micro_usd_per_day: 1_000_000 } })
    }
    const before = kit.vendors.calls.length
    const { status, headers } = await kit.ask(path, { token: own, body })
    expect([status, headers.get('x-oauth3-error')]).toEqual([400, 'bad_request'])
    expect(kit.vendors.calls.length).toBe(before)
  })
})

/** The ask of this agent, once there is one. */
async function askOf(agent: string): Promise<{ id: string; model: string | null; consent_hash: string }> {
  for (;;) {
    const { asks } = await kit.admin('GET', '/v1/asks')
    const ask = asks.find((row: { agent: string }) => row.agent === agent)
    if (ask !== undefined) return ask
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}
