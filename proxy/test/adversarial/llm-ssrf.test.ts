/** The proxy reaches the vendors of its table and what the owner added, at addresses that were checked when they were dialled. */
import { createServer, type Server } from 'node:http'
import { type AddressInfo, createServer as createTcpServer, type Server as TcpServer } from 'node:net'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { chatBody, createLlmKit, type LlmKit } from '../support/llm-kit.ts'
import { VENDOR_ADDRESS } from '../support/vendor-doubles.ts'

const CHAT = '/llm/openai/v1/chat/completions'

let kit: LlmKit
/** Answers everything on loopback, and counts: what must never be reached unless the owner said so. */
let trap: Server
let serial = 0
const dialled: string[] = []
const snares: TcpServer[] = []
let trapped: { url: string; authorization: string | undefined }[]
beforeAll(async () => {
  kit = await createLlmKit({ moreNames: ['mine.example', 'rebind.example'] })
  await kit.open('openai')
  trapped = []
  trap = createServer((request, response) => {
    trapped.push({ url: request.url ?? '', authorization: request.headers.authorization })
    response.setHeader('content-type', 'application/json')
    response.end('{"model":"m","usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}}')
  })
  await new Promise<void>((resolve) => trap.listen(0, '127.0.0.1', resolve))
  // The port of the vendors on addresses that must not be dialled: a connection is enough to be caught.
  for (const address of ['127.0.0.1', '::1']) {
    const snare = createTcpServer((socket) => {
      dialled.push(address)
      socket.on('error', () => {}).destroy()
    })
    await new Promise<void>((resolve) => snare.listen(kit.vendors.port, address, resolve))
    snares.push(snare)
  }
})
afterAll(async () => {
  await kit?.[Symbol.asyncDispose]()
  for (const snare of snares) snare.close()
  trap.closeAllConnections()
  await new Promise((resolve) => trap.close(resolve))
})
afterEach(() => {
  expect(kit.vendors.faults.splice(0)).toEqual([])
  expect(dialled.splice(0)).toEqual([])
})
const trapPort = (): number => (trap.address() as AddressInfo).port
const add = (body: Record<string, unknown>): Promise<{ status: number; body: unknown }> =>
  kit.daemon.admin('POST', '/v1/providers', body)

describe('a name that leads elsewhere', () => {
  it.each([
    ['link-local', ['169.254.169.254']],
    ['loopback', ['127.0.0.1']],
    ['IPv6 loopback', ['::1']],
    ['a private network', ['10.0.0.7']],
    ['another private network', ['192.168.1.1']],
    ['carrier NAT', ['100.64.0.1']],
    ['unique local', ['fd00::1']],
    ['mapped IPv4', ['::ffff:127.0.0.1']],
    ['mapped link-local', ['::ffff:169.254.169.254']],
    ['this host', ['0.0.0.0']],
    ['one public and one private', [VENDOR_ADDRESS, '169.254.169.254']],
    ['nobody', []],
  ])('%s is not dialled, and no key leaves', async (_name, addresses) => {
    const fresh = 'together'
    kit.names.set('api.together.ai', () => addresses)
    await kit.addKey(fresh, { label: `key-${++serial}` })
    await kit.grant(fresh)
    const answer = await kit.ask('/llm/together/v1/chat/completions', { body: chatBody() })
    expect([answer.status, answer.headers.get('x-oauth3-error')]).toEqual([502, 'upstream_unreachable'])
    for (const address of addresses) expect(answer.text).not.toContain(address)
    expect(kit.vendors.callsTo(fresh)).toEqual([])
    expect(trapped).toEqual([])
  })

  it('is looked up and checked anew for each connection: a change between two of them is seen', async () => {
    kit.names.set('api.x.ai', (lookup) => (lookup === 1 ? [VENDOR_ADDRESS] : ['169.254.169.254']))
    await kit.open('xai')
    const path = '/llm/xai/v1/chat/completions'
    // The first connection is closed by the vendor, so the second request needs another.
    kit.vendors.next('xai', (_call, response) => {
      response.writeHead(200, { 'content-type': 'application/json', connection: 'close' }).end('{}')
    })
    expect((await kit.ask(path, { body: chatBody() })).status).toBe(200)
    const second = await kit.ask(path, { body: chatBody() })
    expect([second.status, second.headers.get('x-oauth3-error')]).toEqual([502, 'upstream_unreachable'])
    expect(kit.vendors.callsTo('xai')).toHaveLength(1)
  })

  it('a vendor with the certificate of another is not spoken to', async () => {
    await kit.admin('POST', '/v1/providers', { name: 'imposter', url: 'https://nobody.example' })
    await kit.addKey('imposter', { value: 'demo-value-imposter-0123456789abcdef' })
    await kit.grant('imposter')
    const before = kit.vendors.calls.length
    const answer = await kit.ask('/llm/imposter/v1/chat/completions', { body: chatBody() })
    expect([answer.status, answer.headers.get('x-oauth3-error')]).toEqual([502, 'upstream_unreachable'])
    expect(kit.vendors.calls.length).toBe(before)
  })
})

describe('a redirect', () => {
  it.each([301, 302, 303, 307, 308])('%i is given to the client and not followed', async (status) => {
    const location = `http://127.0.0.1:${trapPort()}/latest/meta-data`
    kit.vendors.next('openai', { status, headers: { location }, pieces: [] })
    const before = kit.vendors.calls.length
    const answer = await kit.ask(CHAT, { body: chatBody() })
    expect([answer.status, answer.headers.get('location')]).toEqual([status, location])
    expect(kit.vendors.calls.length).toBe(before + 1)
    expect(trapped).toEqual([])
  })
})

describe('a provider of the owner’s own', () => {
  it('at a private address is refused when it is added without the flag', async () => {
    for (const url of [
      `http://127.0.0.1:${trapPort()}`,
      'https://127.0.0.1',
      'https://localhost',
      'https://10.0.0.1/v1',
      'https://[::1]/v1',
      'https://169.254.169.254',
      'https://2130706433',
      'https://0x7f.1',
      'http://mine.example',
    ]) {
      const { status } = await add({ name: 'refused-one', url })
      if (status === 200) {
        // A name may be added; it is the dialling that refuses it then.
        await kit.addKey('refused-one', {
          value: 'demo-value-refused-0123456789abcdef',
          label: `key-${++serial}`,
        })
        await kit.grant('refused-one')
        const answer = await kit.ask('/llm/refused-one/v1/chat/completions', { body: chatBody() })
        expect([answer.status, url]).toEqual([502, url])
        await kit.admin('DELETE', '/v1/providers/refused-one')
      } else expect([400, 422], url).toContain(status)
    }
    expect(trapped).toEqual([])
  })

  it('with the flag is reached there, in plain HTTP', async () => {
    await kit.admin('POST', '/v1/providers', {
      name: 'local-llm',
      url: `http://127.0.0.1:${trapPort()}/v1`,
      private: true,
      auth: { kind: 'none' },
    })
    await kit.grant('local-llm')
    const answer = await kit.ask('/llm/local-llm/chat/completions', { body: chatBody() })
    expect(answer.status).toBe(200)
    expect(trapped).toEqual([{ url: '/v1/chat/completions', authorization: undefined }])
    trapped.length = 0
  })

  it('that comes back without the flag is allowed no private address any more', async () => {
    const place = { name: 'indoors', url: 'https://mine.example', auth: { kind: 'none' } }
    kit.names.set('mine.example', () => ['127.0.0.1'])
    const reached: number[] = []
    for (const isPrivate of [true, false]) {
      await kit.admin('POST', '/v1/providers', { ...place, private: isPrivate })
      await kit.grant('indoors')
      const answer = await kit.ask('/llm/indoors/v1/chat/completions', { body: chatBody() })
      expect(answer.headers.get('x-oauth3-error')).toBe('upstream_unreachable')
      reached.push(dialled.splice(0).length)
      await kit.admin('DELETE', '/v1/providers/indoors')
    }
    // The snare lets nobody in, but it is found where it may be.
    expect(reached).toEqual([1, 0])
  })

  it('with the flag is no way to the addresses of the cloud', async () => {
    const { status } = await add({ name: 'cloud', url: 'http://169.254.169.254', private: true })
    if (status !== 200) return expect([400, 422]).toContain(status)
    await kit.addKey('cloud', { value: 'demo-value-cloud-0123456789abcdef' })
    await kit.grant('cloud', { groups: ['other'] })
    const answer = await kit.ask('/llm/cloud/latest/meta-data')
    expect(answer.headers.get('x-oauth3-error')).toBe('upstream_unreachable')
  })

  it.each([
    'ftp://mine.example',
    'file:///etc/passwd',
    'https://user:pass@mine.example',
    'https://mine.example?x=1',
    'https://mine.example/#x',
    'https://mine.example/../x',
    'https://mine.example/%2e%2e/x',
    'https://mine.example:0',
    'https://mine.example:99999',
    'https://',
    'mine.example',
    'https://mine.example\\@evil.example',
    'https://mine.example/a b',
    'https://mine.exa\u200bmple',
  ])('cannot be at %s', async (url) => {
    const { status } = await add({ name: 'odd', url })
    expect(status).toBeGreaterThanOrEqual(400)
    expect(status).toBeLessThan(500)
  })

  it.each([
    'openai',
    '__proto__',
    'toString',
    'UPPER',
    'a b',
    '',
    '..',
    'a/b',
    'chat',
    'messages',
    'models',
    'responses',
  ])('cannot be called "%s"', async (name) => {
    const { status } = await add({ name, url: 'https://mine.example' })
    expect(status).toBeGreaterThanOrEqual(400)
    expect(status).toBeLessThan(500)
  })

  it.each(['host', 'content-length', 'transfer-encoding', 'connection', 'x\r\ny', 'X Y', ''])(
    'cannot want its key in the header "%s"',
    async (header) => {
      const { status } = await add({
        name: 'odd',
        url: 'https://mine.example',
        auth: { kind: 'header', name: header },
      })
      expect(status).toBeGreaterThanOrEqual(400)
      expect(status).toBeLessThan(500)
    },
  )
})

describe('a parameter of a provider', () => {
  it.each([
    'evil.example/',
    'evil.example#',
    'a.b@evil',
    '..',
    'x y',
    'x\r\nHost: y',
    '127.0.0.1/',
    'x:1',
    'x?',
  ])('cannot move it to another host: %s', async (value) => {
    const { status } = await kit.daemon.admin('PUT', '/v1/providers/azure/params/resource', { value })
    expect(status).toBeGreaterThanOrEqual(400)
    expect(status).toBeLessThan(500)
  })
})
