/**
 * The agent's token goes no further than the daemon, and the vendor's key no further than the vendor: whatever is said
 * twice, in another place or under another name.
 */
import { once } from 'node:events'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { chatBody, createLlmKit, type LlmKit } from '../support/llm-kit.ts'
import { json } from '../support/vendor-answers.ts'

const CHAT = '/llm/openai/v1/chat/completions'

let kit: LlmKit
let key: string
let host: string
beforeAll(async () => {
  kit = await createLlmKit()
  key = await kit.open('openai')
  await kit.open('anthropic')
  host = new URL(kit.url).host
})
afterAll(() => kit?.[Symbol.asyncDispose]())
afterEach(() => expect(kit.vendors.faults.splice(0)).toEqual([]))

interface Raw {
  readonly status: number
  readonly code: string
  readonly text: string
}
/** A chat with these header lines and this query, as bytes. */
async function say(lines: readonly string[], query = '', path = CHAT): Promise<Raw> {
  const body = JSON.stringify(chatBody())
  const text = await kit.raw(
    [
      `POST ${path}${query} HTTP/1.1`,
      `Host: ${host}`,
      'Connection: close',
      'Content-Type: application/json',
      `Content-Length: ${Buffer.byteLength(body)}`,
      ...lines,
      '',
      body,
    ].join('\r\n'),
  )
  return {
    status: Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1] ?? 0),
    code: /^x-oauth3-error: (.*)$/im.exec(text)?.[1]?.trim() ?? '',
    text,
  }
}
const calls = (): number => kit.vendors.calls.length
const OTHER = `oa3_${'B'.repeat(43)}`

/** Every place that a token may stand in, as a header line or a query. */
const PLACES = {
  authorization: (token: string) => ({ lines: [`Authorization: Bearer ${token}`], query: '' }),
  'x-api-key': (token: string) => ({ lines: [`X-Api-Key: ${token}`], query: '' }),
  'x-goog-api-key': (token: string) => ({ lines: [`X-Goog-Api-Key: ${token}`], query: '' }),
  'api-key': (token: string) => ({ lines: [`Api-Key: ${token}`], query: '' }),
  'xi-api-key': (token: string) => ({ lines: [`xi-api-key: ${token}`], query: '' }),
  query: (token: string) => ({ lines: [] as string[], query: `?key=${token}` }),
} as const
type Place = keyof typeof PLACES
const ALL = Object.keys(PLACES) as Place[]
const PAIRS = ALL.flatMap((one) => ALL.map((two): [Place, Place] => [one, two]))

describe('a token in one place', () => {
  it.each(ALL)('%s: is taken, and the vendor sees its key alone, in its own place', async (place) => {
    const { lines, query } = PLACES[place](kit.token)
    expect((await say(lines, query)).status).toBe(200)
    const call = kit.vendors.callsTo('openai').at(-1)
    expect(call?.headers.authorization).toBe(`Bearer ${key}`)
    expect(call?.url).toBe('/v1/chat/completions')
  })

  it.each(['authorization: bearer TOKEN', 'AUTHORIZATION: BEARER   TOKEN', 'aUtHoRiZaTiOn:Bearer TOKEN '])(
    'is taken however it is written: %s',
    async (line) => {
      expect((await say([line.replace('TOKEN', kit.token)])).status).toBe(200)
    },
  )

  it.each(['?key=TOKEN&alt=sse', '?alt=sse&key=TOKEN', '?%6bey=TOKEN&alt=sse', '?key=%6Fa3_REST&alt=sse'])(
    'is taken out of the query %s, and the rest stays',
    async (query) => {
      const filled = query.replace('TOKEN', kit.token).replace('REST', kit.token.slice(4))
      expect((await say([], filled)).status).toBe(200)
      expect(kit.vendors.callsTo('openai').at(-1)?.url).toBe('/v1/chat/completions?alt=sse')
    },
  )
})

describe('credentials that are doubled or contradict each other are refused, and nothing is sent', () => {
  it.each(PAIRS)('%s and %s, the same token', async (one, two) => {
    const first = PLACES[one](kit.token)
    const second = PLACES[two](kit.token)
    const query = [first.query, second.query].filter(Boolean).join('&').replace('&?', '&')
    const before = calls()
    const { status, code } = await say([...first.lines, ...second.lines], query)
    // The reader of HTTP takes this one once, whatever it holds.
    const isTwice = one === two && one === 'authorization'
    expect([status, code]).toEqual([400, isTwice ? 'bad_request' : 'ambiguous_credentials'])
    expect(calls()).toBe(before)
  })

  it.each(PAIRS)('%s with the token, %s with another one', async (one, two) => {
    const first = PLACES[one](kit.token)
    const second = PLACES[two](OTHER)
    const query = [first.query, second.query].filter(Boolean).join('&').replace('&?', '&')
    const before = calls()
    const { status } = await say([...first.lines, ...second.lines], query)
    expect(status).toBe(400)
    const swapped = await say([...second.lines, ...first.lines], query)
    expect(swapped.status).toBe(400)
    expect(calls()).toBe(before)
  })

  it.each([
    'Authorization: Bearer TOKEN, Bearer OTHER',
    'Authorization: Bearer TOKEN OTHER',
    'Authorization: Bearer OTHER,TOKEN',
    'Authorization: Basic dXNlcjpUT0tFTg==\r\nX-Api-Key: TOKEN',
    'Authorization:\r\nX-Api-Key: TOKEN',
    'Authorization: Bearer sk-demo-not-ours\r\nX-Api-Key: TOKEN',
    'Authorization: Bearer TOKEN\r\nX-Api-Key:',
    'Authorization: Bearer TOKEN\r\nX-Goog-Api-Key: AIza-demo',
    'X-Api-Key: TOKEN\r\nX-Api-Key: TOKEN',
    'X-Api-Key: TOKEN, OTHER',
  ])('%s', async (lines) => {
    const before = calls()
    const { status } = await say(
      lines.replaceAll('TOKEN', kit.token).replaceAll('OTHER', OTHER).split('\r\n'),
    )
    expect([400, 401]).toContain(status)
    expect(calls()).toBe(before)
  })
})

describe('a token that also stands where it means nothing is passed to no vendor', () => {
  it.each([
    'X-Demo: TOKEN',
    'Cookie: session=TOKEN',
    'User-Agent: demo/1 (TOKEN)',
    'X-Forwarded-Authorization: Bearer TOKEN',
    'X-Amz-Security-Token: TOKEN',
    'Referer: https://example.com/?k=TOKEN',
    'TOKEN: x',
  ])('in the header %s', async (line) => {
    const before = calls()
    const filled = line.replace('TOKEN', kit.token)
    const { status } = await say([`Authorization: Bearer ${kit.token}`, filled])
    expect(status).toBe(400)
    expect(calls()).toBe(before)
  })

  it.each([
    'Proxy-Authorization: Bearer TOKEN',
    'Connection: close, TOKEN',
    'Keep-Alive: TOKEN',
    'TE: TOKEN',
  ])('in a header between two hops: %s', async (line) => {
    // The double knows: whether it is refused or taken off, it must not arrive.
    const { status } = await say([`Authorization: Bearer ${kit.token}`, line.replace('TOKEN', kit.token)])
    expect([200, 400]).toContain(status)
  })

  it.each([
    '?user=TOKEN',
    '?TOKEN',
    '?a=b&TOKEN=c',
    '?user=%6F%61%33%5FREST',
    '?user=oa3%5fREST',
    '?user=xTOKENx',
  ])('in the query %s', async (query) => {
    const before = calls()
    const filled = query.replace('TOKEN', kit.token).replace('REST', kit.token.slice(4))
    const { status } = await say([`Authorization: Bearer ${kit.token}`], filled)
    expect(status).toBe(400)
    expect(calls()).toBe(before)
  })

  it.each(['/TOKEN', '/files/TOKEN/content', '/files/oa3%5FREST'])('in the path %s', async (rest) => {
    const before = calls()
    const filled = rest.replace('TOKEN', kit.token).replace('REST', kit.token.slice(4))
    const { status } = await say([`Authorization: Bearer ${kit.token}`], '', `/llm/openai/v1${filled}`)
    expect(status).toBe(400)
    expect(calls()).toBe(before)
  })

  it('in a body of JSON it is made unreadable', async () => {
    const body = chatBody({
      messages: [{ role: 'user', content: `my token is ${kit.token}, twice: ${kit.token}` }],
    })
    const answer = await kit.ask(CHAT, { body })
    expect(answer.status).toBe(200)
    const { json, body: arrived } = kit.vendors.callsTo('openai').at(-1) ?? {}
    expect(json?.messages[0].content).toMatch(/^my token is \*+, twice: \*+$/)
    expect(arrived?.length).toBe(Buffer.byteLength(JSON.stringify(body)))
  })
})

describe('who may not', () => {
  it.each([
    ['no token', []],
    ['an unknown token', [`Authorization: Bearer ${OTHER}`]],
    ['a token with a wrong end', ['Authorization: Bearer TOKENx']],
    ['half a token', ['Authorization: Bearer oa3_abc']],
    ['the vendor’s own kind of key', ['Authorization: Bearer sk-demo-not-ours']],
    ['a Basic login', ['Authorization: Basic b2EzX3g6eA==']],
    ['a token without its scheme', ['Authorization: TOKEN']],
    ['a token in another case', ['Authorization: Bearer UPPER']],
  ])('%s: 401 in the vendor’s shape, and no word about what is right', async (_name, lines) => {
    const before = calls()
    const filled = lines.map((line) =>
      line.replace('TOKEN', kit.token).replace('UPPER', kit.token.toUpperCase()),
    )
    const { status, code, text } = await say(filled)
    expect([status, code]).toEqual([401, 'unauthenticated'])
    expect(JSON.parse(text.slice(text.indexOf('\r\n\r\n') + 4)).error.message).toBeTruthy()
    expect(text).not.toContain(kit.token)
    const anthropic = await say(filled, '', '/llm/anthropic/v1/messages')
    expect(anthropic.text).toContain('"type":"authentication_error"')
    expect(calls()).toBe(before)
  })

  it('the real key of the vendor opens nothing', async () => {
    const { status } = await say([`Authorization: Bearer ${key}`])
    expect(status).toBe(401)
  })

  it('another agent has its own grants: its token does not use this one’s', async () => {
    const other = await kit.addAgent('other')
    const before = calls()
    const answer = await kit.ask(CHAT, { token: other, body: chatBody(), headers: { prefer: 'wait=0' } })
    expect([answer.status, answer.headers.get('x-oauth3-error')]).toEqual([403, 'approval_pending'])
    expect(calls()).toBe(before)
  })

  it('an agent bound to other addresses is refused though its token is right', async () => {
    const { token } = await kit.admin('POST', '/v1/agents', { name: 'far-away', cidrs: ['192.0.2.0/24'] })
    await kit.grant('openai', { agent: 'far-away' })
    const answer = await kit.ask(CHAT, { token, body: chatBody() })
    expect([answer.status, answer.headers.get('x-oauth3-error')]).toEqual([403, 'address_not_allowed'])
    const forwarded = await kit.ask(CHAT, {
      token,
      body: chatBody(),
      headers: { 'x-forwarded-for': '192.0.2.7', forwarded: 'for=192.0.2.7' },
    })
    expect(forwarded.status).toBe(403)
  })
})

describe('an address', () => {
  /** A chat from one of this machine's own addresses. */
  const sayFrom = async (address: string, token: string): Promise<{ status: number; code: unknown }> => {
    const request = httpRequest(kit.url + CHAT, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      localAddress: address,
      agent: false,
    })
    request.end(JSON.stringify(chatBody()))
    const [answer] = (await once(request, 'response')) as [IncomingMessage]
    answer.resume()
    return { status: answer.statusCode ?? 0, code: answer.headers['x-oauth3-error'] }
  }

  it('that is not the agent’s is refused also after a good one has used the token', async () => {
    const { token } = await kit.admin('POST', '/v1/agents', { name: 'at-home', cidrs: ['127.0.0.7/32'] })
    await kit.grant('openai', { agent: 'at-home' })
    const before = calls()
    for (let round = 0; round < 2; round += 1) {
      expect((await sayFrom('127.0.0.7', token)).status).toBe(200)
      expect(await sayFrom('127.0.0.8', token)).toEqual({ status: 403, code: 'address_not_allowed' })
    }
    expect(calls()).toBe(before + 2)
  })

  it('that guesses tokens is told of, and held up; a good token is not', async () => {
    const codes = new Map<unknown, number>()
    for (let count = 0; count < 40; count += 1) {
      const { code } = await sayFrom('127.0.0.9', `oa3_${String(count).padStart(43, 'g')}`)
      codes.set(code, (codes.get(code) ?? 0) + 1)
    }
    expect([...codes]).toEqual([
      ['unauthenticated', 30],
      ['rate_limited', 10],
    ])
    expect((await sayFrom('127.0.0.9', kit.token)).status).toBe(200)
    const { rows } = await kit.admin('GET', '/v1/audit?limit=100')
    expect(rows).toContainEqual(
      expect.objectContaining({ event: 'request.refused', actor: 'address:127.0.0.9' }),
    )
  })
})

describe('tags and keys', () => {
  it('a key whose tags the agent lacks is never used, and a plain agent gets a clear answer', async () => {
    const plain = await kit.addAgent('plain')
    const half = await kit.addAgent('half', ['team-a'])
    const full = await kit.addAgent('full', ['team-a', 'eu'])
    const tagged = await kit.addKey('groq', { tags: ['team-a', 'eu'] })
    const path = '/llm/groq/openai/v1/chat/completions'
    for (const agent of ['plain', 'half', 'full']) await kit.grant('groq', { agent })
    for (const token of [plain, half]) {
      const refused = await kit.ask(path, { token, body: chatBody() })
      expect([refused.status, refused.headers.get('x-oauth3-error')]).toEqual([403, 'no_key'])
    }
    expect(kit.vendors.callsTo('groq')).toEqual([])
    expect((await kit.ask(path, { token: full, body: chatBody() })).status).toBe(200)
    expect(kit.vendors.callsTo('groq').at(-1)?.key).toBe(tagged.value)
  })

  it('a key for other models is not used', async () => {
    await kit.open('xai', { models: ['grok-demo*'] })
    const path = '/llm/xai/v1/chat/completions'
    expect((await kit.ask(path, { body: chatBody({ model: 'grok-demo-2' }) })).status).toBe(200)
    const refused = await kit.ask(path, { body: chatBody({ model: 'grok-dear' }) })
    expect(refused.headers.get('x-oauth3-error')).toBe('no_key')
    const unread = await kit.ask(path, { body: 'no json', headers: { 'content-type': 'text/plain' } })
    expect(unread.headers.get('x-oauth3-error')).toBe('no_key')
  })

  it('a key that the vendor refuses is in cooldown, and another takes its place', async () => {
    const { value: first } = await kit.addKey('deepseek', { weight: 1_000 })
    await kit.grant('deepseek')
    const path = '/llm/deepseek/v1/chat/completions'
    expect((await kit.ask(path, { body: chatBody() })).status).toBe(200)
    kit.vendors.endKey('deepseek', first)
    const refused = await kit.ask(path, { body: chatBody() })
    expect(refused.status).toBe(401)
    expect(refused.headers.get('x-oauth3-error')).toBeNull()
    const inCooldown = await kit.ask(path, { body: chatBody() })
    expect([inCooldown.status, inCooldown.headers.get('x-oauth3-error')]).toEqual([429, 'keys_in_cooldown'])
    expect(Number(inCooldown.headers.get('x-oauth3-retry-after'))).toBeGreaterThan(0)
    const { value: second } = await kit.addKey('deepseek', { label: 'second' })
    expect((await kit.ask(path, { body: chatBody() })).status).toBe(200)
    expect(kit.vendors.callsTo('deepseek').at(-1)?.key).toBe(second)
  })

  it('a key is in cooldown as long as the vendor says', async () => {
    await kit.open('mistral')
    const path = '/llm/mistral/v1/chat/completions'
    kit.vendors.next('mistral', json({ message: 'slow down' }, 429, { 'retry-after': '1800' }))
    expect((await kit.ask(path, { body: chatBody() })).status).toBe(429)
    const inCooldown = await kit.ask(path, { body: chatBody() })
    expect(inCooldown.headers.get('x-oauth3-error')).toBe('keys_in_cooldown')
    expect(Number(inCooldown.headers.get('x-oauth3-retry-after'))).toBeGreaterThan(1_700)
  })
})

describe('the token of an agent in a body', () => {
  const u = (char: string): string => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`
  const forms: Record<string, (token: string) => string> = {
    'as it is': (token) => token,
    'with its first character escaped': (token) => u('o') + token.slice(1),
    'with every character escaped': (token) => [...token].map(u).join(''),
    'with escapes of JSON inside JSON': (token) => [...token].map((char) => `\\${u(char)}`).join(''),
  }
  /** With a key of its own: what is not read may refer to things that are kept at the vendor. */
  let token: string
  beforeAll(async () => {
    token = await kit.addAgent('quoting', ['quoting'])
    await kit.addKey('openai', { tags: ['quoting'] })
    await kit.grant('openai', { agent: 'quoting' })
  })
  const send = async (written: string, type: string): Promise<string> => {
    const body = JSON.stringify(chatBody()).replace(/"messages"/, `"user":"${written}","messages"`)
    const before = calls()
    await kit.ask(CHAT, { token, body, headers: { 'content-type': type } })
    expect(calls()).toBe(before + 1)
    return kit.vendors.calls.at(-1)?.body.toString() ?? ''
  }

  it.each(Object.entries(forms))('that is read does not reach the vendor: %s', async (_name, write) => {
    const written = write(token)
    expect(await send(written, 'application/json')).toContain(`"user":"${'*'.repeat(written.length)}"`)
  })

  it.each(Object.entries(forms))(
    'that passes as it comes does not reach the vendor: %s',
    async (_name, write) => {
      const written = write(token)
      expect(await send(written, 'text/plain')).toContain(`"user":"${'*'.repeat(written.length)}"`)
    },
  )
})
