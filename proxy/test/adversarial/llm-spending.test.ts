/** Ways around limits, and around the share of others in what the daemon has. */
import { once } from 'node:events'
import { connect } from 'node:net'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { chatBody, createLlmKit, type LlmKit } from '../support/llm-kit.ts'
import { json } from '../support/vendor-answers.ts'

const CHAT = '/llm/openai/v1/chat/completions'
const MIB = 1_048_576

let kit: LlmKit
beforeAll(async () => {
  kit = await createLlmKit()
  await kit.addKey('openai')
})
afterAll(() => kit?.[Symbol.asyncDispose]())
afterEach(() => expect(kit.vendors.faults.splice(0)).toEqual([]))

const limited = async (
  agent: string,
  limits: Record<string, number>,
  groups: readonly string[] = ['inference'],
): Promise<string> => {
  const token = await kit.addAgent(agent)
  await kit.grant('openai', { agent, groups, limits })
  return token
}

describe('a limit on tokens a day', () => {
  it('counts a request that was left before anything came of it', async () => {
    const token = await limited('leaver', { tokens_per_day: 1_000 })
    const gone = new AbortController()
    const coming = kit.vendors.nextCall('openai')
    const over = Promise.withResolvers<void>()
    kit.vendors.next('openai', async (_call, response) => {
      await over.promise
      response.destroy()
    })
    const body = chatBody({ model: 'left-early', max_tokens: 900 })
    const left = kit.ask(CHAT, { token, body, signal: gone.signal }).catch(() => 'left')
    await coming
    gone.abort()
    expect(await left).toBe('left')
    over.resolve()
    await kit.usageOf('left-early', 1)
    const next = await kit.ask(CHAT, { token, body: chatBody({ max_tokens: 100 }) })
    expect([next.status, next.headers.get('x-oauth3-error')]).toEqual([429, 'limit_passed'])
  })

  it('lets one out at a time that does not say how much it wants', async () => {
    const token = await kit.addAgent('crowd')
    await kit.addKey('mistral')
    await kit.grant('mistral', { agent: 'crowd', limits: { tokens_per_day: 40_000 } })
    const hold = Promise.withResolvers<void>()
    let underWay = 0
    for (let n = 0; n < 12; n++) {
      kit.vendors.next('mistral', async (_call, response) => {
        underWay += 1
        await hold.promise
        response.destroy()
      })
    }
    const path = '/llm/mistral/v1/chat/completions'
    let refused = 0
    const asked = Array.from({ length: 12 }, async () => {
      const { status } = await kit.ask(path, { token, body: chatBody() })
      if (status === 429 && ++refused === 11) hold.resolve()
    })
    await Promise.all(asked)
    expect([refused, underWay]).toEqual([11, 1])
  })
})

it('an agent that holds bodies back takes nothing from another', async () => {
  const thief = await kit.addAgent('thief')
  const honest = await limited('honest', {})
  const { hostname, port } = new URL(kit.url)
  const sockets = await Promise.all(
    Array.from({ length: 8 }, async () => {
      const socket = connect(Number(port), hostname)
      await once(socket, 'connect')
      socket.write(
        `POST ${CHAT} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${thief}\r\ncontent-type: application/json\r\ncontent-length: 33554432\r\n\r\n{`,
      )
      return socket
    }),
  )
  try {
    expect((await kit.ask(CHAT, { token: honest, body: chatBody() })).status).toBe(200)
  } finally {
    for (const socket of sockets) socket.destroy()
  }
})

it('an agent that asks for lists of models without end has one at a time, and no other agent waits for it', async () => {
  const lister = await limited('lister', {}, ['models'])
  const honest = await limited('honest-lister', {}, ['models'])
  const hold = Promise.withResolvers<void>()
  const before = kit.vendors.callsTo('openai').length
  const underWay = (): number => kit.vendors.callsTo('openai').length - before
  kit.vendors.next('openai', async (_call, response) => {
    await hold.promise
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end('{"data":[{"id":"late"}]}')
  })
  const arrived = kit.vendors.nextCall('openai')
  const refused = Promise.withResolvers<void>()
  let many = 0
  const asked = Array.from({ length: 40 }, async () => {
    const { status } = await kit.ask('/v1/models', { token: lister })
    if (status === 429 && ++many === 23) refused.resolve()
    return status
  })
  await arrived
  await refused.promise
  expect(underWay()).toBe(1)
  expect((await kit.ask('/v1/models', { token: honest })).status).toBe(200)
  hold.resolve()
  const answers = await Promise.all(asked)
  expect(answers.filter((status) => status === 200)).toHaveLength(17)
})

it('a request that takes two grants keeps the limits of both', async () => {
  const token = await kit.addAgent('two-grants')
  await kit.grant('openai', { agent: 'two-grants', modelsAllowed: ['gpt-free'] })
  await kit.grant('openai', {
    ...{ agent: 'two-grants', modelsAllowed: ['gpt-dear'] },
    limits: { requests_per_minute: 1 },
  })
  const ask = async (body: Record<string, unknown>) => {
    const { status, headers } = await kit.ask(CHAT, { token, body: chatBody(body) })
    return [status, headers.get('x-oauth3-error')]
  }
  const both = { model: 'gpt-free', models: ['gpt-dear'] }
  expect(await ask(both)).toEqual([200, null])
  expect(await ask(both)).toEqual([429, 'limit_passed'])
  expect(await ask({ model: 'gpt-free' })).toEqual([200, null])
})

describe('a number of requests', () => {
  const ask = (token: string, body = {}) =>
    kit.ask(CHAT, { token, headers: { prefer: 'wait=0' }, body: chatBody(body) })
  const grants = async (id: number) =>
    (await kit.admin('GET', '/v1/provider-grants')).grants.filter((grant: { id: number }) => grant.id === id)
  /** As many streams as come next; each has begun, and ends when `hold` is resolved. */
  function holdStreams(count: number, hold: Promise<void>): void {
    for (let n = 0; n < count; n += 1)
      kit.vendors.next('openai', async (_call, response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' })
        response.write('data: {"choices":[]}\n\n')
        await hold
        response.end('data: [DONE]\n\n')
      })
  }

  it('is never passed by many at once, and what it let through goes on to its end', async () => {
    const token = await kit.addAgent('many-at-once')
    const id = await kit.grant('openai', { agent: 'many-at-once', limits: { requests: 3 } })
    const hold = Promise.withResolvers<void>()
    const refused = Promise.withResolvers<void>()
    const before = kit.vendors.calls.length
    holdStreams(3, hold.promise)
    let errors = 0
    const asked = Array.from({ length: 12 }, async () => {
      const { status, headers, text } = await ask(token, { stream: true })
      if (status !== 200 && ++errors === 9) refused.resolve()
      return status === 200 ? text.trim().split('\n').at(-1) : headers.get('x-oauth3-error')
    })
    await Promise.race([refused.promise, Promise.all(asked)])
    expect(await grants(id)).toMatchObject([{ limits: { requests: 3 }, requests_left: 0 }])
    hold.resolve()
    const answers = (await Promise.all(asked)).toSorted()
    expect(answers).toEqual([...Array(9).fill('approval_pending'), ...Array(3).fill('data: [DONE]')])
    expect(kit.vendors.calls.length - before).toBe(3)
    expect((await ask(token)).headers.get('x-oauth3-error')).toBe('approval_pending')
    expect(await grants(id)).toEqual([])
  })

  it('is taken by what goes out alone, by lists of models too, and revoking it cuts the last one', async () => {
    const token = await kit.addAgent('counted')
    const limits = { requests: 3, tokens_per_day: 1_000 }
    const id = await kit.grant('openai', { agent: 'counted', limits })
    expect((await ask(token, { max_tokens: 5_000 })).status).toBe(429)
    expect((await kit.ask('/llm/openai/v1/files', { token, headers: { prefer: 'wait=0' } })).status).toBe(403)
    expect(await grants(id)).toMatchObject([{ requests_left: 3 }])
    expect((await ask(token, { max_tokens: 10 })).status).toBe(200)
    expect((await kit.ask('/v1/models', { token })).status).toBe(200)
    expect(await grants(id)).toMatchObject([{ requests_left: 1 }])
    const hold = Promise.withResolvers<void>()
    holdStreams(1, hold.promise)
    const coming = kit.vendors.nextCall('openai')
    const cut = ask(token, { stream: true, max_tokens: 10 })
    await coming
    expect(await grants(id)).toMatchObject([{ requests_left: 0 }])
    await kit.revokeGrant(id)
    hold.resolve()
    expect((await cut).text).not.toContain('[DONE]')
  })
})

describe('the share of one agent', () => {
  const sized = (bytes: number) => chatBody({ messages: [{ role: 'user', content: 'x'.repeat(bytes) }] })
  const code = async (token: string, bytes = 1): Promise<string | null> =>
    (await kit.ask(CHAT, { token, body: sized(bytes) })).headers.get('x-oauth3-error')
  /** The daemon hears a few turns of its loop later that something is over. */
  const becomesFree = async (token: string, bytes = 1): Promise<void> => {
    for (let turn = 0; turn < 100; turn += 1) if ((await code(token, bytes)) === null) return
    expect(await code(token, bytes)).toBeNull()
  }

  it('in requests under way is bounded, is no other agent’s, and is given back', async () => {
    const [busy, modest] = [await limited('busy', {}), await limited('modest', {})]
    const { hostname, port } = new URL(kit.url)
    const sockets = await Promise.all(
      Array.from({ length: 512 }, async () => {
        const socket = connect(Number(port), hostname)
        socket.on('error', () => {})
        socket.write(
          `POST ${CHAT} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${busy}\r\ncontent-type: application/json\r\ncontent-length: 9\r\nexpect: 100-continue\r\n\r\n`,
        )
        // Its head was read.
        await once(socket, 'data')
        return socket
      }),
    )
    expect(await code(busy)).toBe('rate_limited')
    expect(await code(modest)).toBeNull()
    for (const socket of sockets) socket.destroy()
    await becomesFree(busy)
  })

  it('in the memory for bodies is bounded, is no other agent’s, and is given back', async () => {
    const [large, small] = [await limited('large', {}), await limited('small', {})]
    const over = Promise.withResolvers<void>()
    const held = await Promise.all(
      [1, 2].map(async () => {
        kit.vendors.next('openai', async () => {
          await over.promise
          return json({})
        })
        const coming = kit.vendors.nextCall('openai')
        const answer = kit.ask(CHAT, { token: large, body: sized(31 * MIB) })
        // Its body was read whole, and goes out.
        await coming
        return { answer }
      }),
    )
    expect(await code(large, 3 * MIB)).toBe('rate_limited')
    expect(await code(large)).toBeNull()
    expect(await code(small, 3 * MIB)).toBeNull()
    over.resolve()
    for (const { answer } of held) expect((await answer).status).toBe(200)
    await becomesFree(large, 3 * MIB)
  })
})

it('a tag that is taken away while a body is under way opens no key any more', async () => {
  const token = await kit.addAgent('tagged', ['vip'])
  await kit.addKey('groq', { tags: ['vip'] })
  await kit.grant('groq', { agent: 'tagged' })
  const { hostname, port } = new URL(kit.url)
  const socket = connect(Number(port), hostname)
  const body = JSON.stringify(chatBody())
  socket.write(
    `POST /llm/groq/openai/v1/chat/completions HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer ${token}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body.slice(0, 10)}`,
  )
  // Another request on the same way shows that the first one's head was read.
  expect((await kit.ask('/llm/groq/openai/v1/chat/completions', { token, body })).status).toBe(200)
  await kit.admin('PUT', '/v1/agents/tagged/tags', { tags: [] })
  socket.write(body.slice(10))
  const parts: Buffer[] = []
  for await (const part of socket) parts.push(part as Buffer)
  expect(Buffer.concat(parts).toString()).toContain('x-oauth3-error: no_key')
})
