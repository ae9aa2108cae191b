/** Families 26 and 27: what an approved host sends back, and what code that holds a value prints. */
import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { dockerOrSkip } from '../support/docker.ts'
import { attack } from '../support/egress-attack.ts'
import { createEgressKit, type EgressKit } from '../support/egress-kit.ts'
import { findSecret } from '../support/secret-search.ts'

const docker = await dockerOrSkip()
const made = (): string => `demo-value-${randomBytes(16).toString('hex')}`

describe.skipIf(!docker.available)(`an upstream that echoes the secret ${docker.reason}`, () => {
  const VALUE = made()
  let kit: EgressKit

  beforeAll(async () => {
    kit = await createEgressKit()
    await kit.store('KEY', VALUE)
  })
  afterAll(async () => {
    await kit?.[Symbol.asyncDispose]()
  })

  const run = (body: string, given: Record<string, unknown> = {}) =>
    attack(
      kit,
      `const base = 'https://api.demo.test:' + PORT\nconst headers = { authorization: 'Bearer ' + key('KEY') }\n${body}`,
      { network: [kit.at('api.demo.test')], secrets: ['KEY'], given, shown: true },
    )
  /** Nothing that left the daemon, in any form, and nothing in what the code was given either. */
  const nowhere = async (report: unknown, requestId: string): Promise<void> => {
    await kit.card(requestId)
    const places = new Map([...kit.evidence(), ['report', Buffer.from(JSON.stringify(report))] as const])
    expect(findSecret(places, VALUE)).toEqual([])
  }

  it('gets it, and the agent, Telegram, the database and the logs get [secret:KEY]', async () => {
    const { report, answer } = await run(
      `const { text } = await get(base + '/echo', { headers })\ntell('text', text)\nconsole.log(text); console.error(text)`,
    )
    expect(kit.upstream.seen.at(-1)?.headers.authorization).toBe(`Bearer ${VALUE}`)
    expect(report.text).toContain('Bearer [secret:KEY]')
    expect(answer.stderr).toContain('[secret:KEY]')
    expect(await kit.card(answer.request_id)).toContain('[secret:KEY]')
    await nowhere(report, answer.request_id)
  })

  it('does not bring it back without the ending that its placeholder has too', async () => {
    const plain = randomBytes(16).toString('hex')
    await kit.store('ENDED', `${plain}-us21`)
    const { report, answer } = await attack(
      kit,
      `const stem = key('ENDED').replace(/-us21$/, '')
      for (const sent of [stem, stem + '.and-more', key('ENDED')])
        tell(sent.length, (await get('https://api.demo.test:' + PORT + '/echo', { headers: { authorization: 'Bearer ' + sent } })).text)`,
      { network: [kit.at('api.demo.test')], secrets: ['ENDED'], shown: true },
    )
    expect(kit.upstream.seen.at(-1)?.headers.authorization).toBe(`Bearer ${plain}-us21`)
    expect(JSON.stringify(report).match(/Bearer \[secret:ENDED\]/g)?.length).toBeGreaterThan(2)
    await kit.card(answer.request_id)
    expect(
      findSecret(
        new Map([...kit.evidence(), ['report', Buffer.from(JSON.stringify(report))] as const]),
        plain,
      ),
    ).toEqual([])
  })

  it.each(['gzip', 'deflate', 'br', 'zstd', 'x-unheard-of', 'gzip, x-unheard-of', 'GZIP', 'identity'])(
    'does not bring it back compressed as %s',
    async (encoding) => {
      const { report, answer } = await run(
        `const path = '/encoded/' + encodeURIComponent(ENCODING)
        tell('fetch', await get(base + path, { headers: { ...headers, 'accept-encoding': 'gzip, deflate, br, zstd' } }))
        // As the bytes came, for a client may unpack them itself.
        tell('raw', await tunnelled('api.demo.test:' + PORT, 'GET ' + path + ' HTTP/1.1\\r\\nHost: api.demo.test:' + PORT + '\\r\\nAccept-Encoding: ' + ENCODING + '\\r\\nConnection: close\\r\\nAuthorization: Bearer ' + key('KEY') + '\\r\\n\\r\\n'))`,
        { ENCODING: encoding },
      )
      expect(JSON.stringify(report)).toMatch(/\[secret:KEY\]|answer_unreadable/)
      expect(report.raw.text).not.toMatch(/\r\ncontent-encoding:/i)
      await nowhere(report, answer.request_id)
    },
  )

  it('does not bring it back in headers, reason, trailers, hints or a redirect', async () => {
    const { report, answer } = await run(
      `for (const way of ['header', 'reason', 'trailer', 'hints', 'redirect-with-key', 'error']) {
        tell(way, await get(base + '/' + way, { headers }))
        tell('raw ' + way, await tunnelled('api.demo.test:' + PORT, 'GET /' + way + ' HTTP/1.1\\r\\nHost: api.demo.test:' + PORT + '\\r\\nTE: trailers\\r\\nConnection: close\\r\\nAuthorization: Bearer ' + key('KEY') + '\\r\\n\\r\\n'))
      }`,
    )
    expect(report.header.headers['x-echo']).toContain('[secret:KEY]')
    expect(report['redirect-with-key'].headers.location).toContain('[secret:KEY]')
    expect(report.error.text).toContain('[secret:KEY]')
    await nowhere(report, answer.request_id)
  })

  it('does not bring it back in other forms, in single bytes, or as an event that stays open', async () => {
    const { report, answer } = await run(
      `tell('forms', await get(base + '/forms', { headers }))
      tell('bytewise', await get(base + '/bytewise', { headers }))
      const answer = await fetch(base + '/events', { headers })
      const reader = answer.body.getReader()
      let text = ''
      while (!text.includes('\\n\\n')) text += new TextDecoder().decode((await reader.read()).value)
      tell('events', text)
      await reader.cancel()`,
    )
    expect(report.forms.text.match(/\[secret:KEY\]/g)?.length).toBeGreaterThanOrEqual(7)
    expect(report.bytewise.text).toContain('[secret:KEY]')
    expect(report.events).toContain('[secret:KEY]')
    await nowhere(report, answer.request_id)
  })

  it('does not bring it back in the pieces that a range cuts', async () => {
    const { report, answer } = await run(
      `const size = ${VALUE.length}
      const pieces = []
      for (let at = 0; at < size; at += 6) {
        const { text, status } = await get(base + '/range', { headers: { ...headers, range: 'bytes=' + at + '-' + (at + 5) } })
        pieces.push([status, text])
      }
      tell('pieces', pieces)
      tell('joined', pieces.map(([, text]) => text).join(''))
      tell('multipart', await get(base + '/range', { headers: { ...headers, range: 'bytes=0-3,4-7', 'if-range': 'x' } }))`,
    )
    for (const [status] of report.pieces) expect(status).toBe(206)
    // What stands in its place is as long as it is.
    expect(report.joined).toBe('[secret:KEY]'.padEnd(VALUE.length, '*'))
    expect(report.multipart.rule).toBe('range_not_searchable')
    await nowhere(report, answer.request_id)
  })

  it('does not bring it back over a WebSocket', async () => {
    const { report, answer } = await run(
      `const conn = await endpoint()
      await writeAll(conn, 'CONNECT api.demo.test:' + PORT + ' HTTP/1.1\\r\\nHost: api.demo.test:' + PORT + '\\r\\n\\r\\n')
      await read(conn, headEnds)
      const tls = await Deno.startTls(conn, { hostname: 'api.demo.test', alpnProtocols: ['http/1.1'] })
      await writeAll(tls, 'GET /socket HTTP/1.1\\r\\nHost: api.demo.test:' + PORT + '\\r\\nConnection: Upgrade\\r\\nUpgrade: websocket\\r\\nSec-WebSocket-Version: 13\\r\\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\\r\\nAuthorization: Bearer ' + key('KEY') + '\\r\\n\\r\\n')
      const text = await read(tls, (got) => got.includes('hello ') && got.length > got.indexOf('hello ') + 18)
      tell('upgrade', text)`,
    )
    expect(kit.upstream.seen.at(-1)?.headers.authorization).toBe(`Bearer ${VALUE}`)
    expect(report.upgrade).toMatch(/^HTTP\/1\.1 101 /)
    expect(report.upgrade).toContain('[secret:KEY]')
    await nowhere(report, answer.request_id)
  })

  it('passes WebSocket messages both ways', async () => {
    const { report } = await run(
      `const socket = new WebSocket('wss://api.demo.test:' + PORT + '/socket')
      const got = []
      await new Promise((resolve, reject) => {
        socket.onerror = (event) => reject(new Error(event.message ?? 'error'))
        socket.onmessage = ({ data }) => { got.push(data); if (got.length === 1) socket.send('one'); else if (got.length === 2) socket.send('x'.repeat(1000)); else resolve() }
      }).catch((error) => got.push(String(error)))
      tell('messages', got)
      socket.close()`,
    )
    expect(report.messages).toEqual(['hello nobody', 'one', 'x'.repeat(1_000)])
  })

  it('does not bring it back when another run, without the secret, asks the same connection', async () => {
    const { report } = await attack(
      kit,
      `tell('echo', await get('https://api.demo.test:' + PORT + '/echo'))`,
      {
        network: [kit.at('api.demo.test')],
      },
    )
    expect(report.echo.status).toBe(200)
    expect(kit.upstream.seen.at(-1)?.headers.authorization).toBeUndefined()
  })
})

describe.skipIf(!docker.available)(`code that holds the value, in raw mode ${docker.reason}`, () => {
  const VALUE = made()
  let kit: EgressKit

  beforeAll(async () => {
    kit = await createEgressKit()
    await kit.store('RAW', VALUE)
  })
  afterAll(async () => {
    await kit?.[Symbol.asyncDispose]()
  })
  const secrets = [{ name: 'RAW', mode: 'raw' }]

  it('does not get it past the agent, Telegram, the database or the logs, whatever it prints', async () => {
    const answer = await kit.runCode(
      `const value = Deno.env.get('RAW')
      const { Buffer } = await import('node:buffer')
      const out = (text, to = Deno.stdout) => to.writeSync(new TextEncoder().encode(text))
      console.log(value); console.error('error:', value)
      for (const before of ['', 'x', 'xy']) console.log(btoa(before + value), Buffer.from(before + value).toString('base64url'))
      console.log(Buffer.from(value).toString('base64').replace(/(.{10})/g, '$1\\n'))
      console.log(Buffer.from(value).toString('hex'), Buffer.from(value).toString('hex').toUpperCase())
      console.log(encodeURIComponent(value), Buffer.from(value).toString('hex').replace(/../g, '%$&'))
      console.log(JSON.stringify({ value }), JSON.stringify(JSON.stringify({ value })))
      console.log([...value].map((c) => '\\\\u' + c.charCodeAt(0).toString(16).padStart(4, '0')).join(''))
      console.log(new TextEncoder().encode(value))
      for (const c of value) out(c)
      out('\\n')
      console.log('\\u001b[31m' + value + '\\u001b[0m<b>' + value + '</b>')
      try { throw new Error('bad key ' + value) } catch (error) { console.error(error.stack) }
      throw new TypeError('at the end ' + value)`,
      { secrets, shown: true },
    )
    expect(answer.status).toBe('failed')
    expect(answer.stdout.match(/\[secret:RAW\]/g)?.length).toBeGreaterThanOrEqual(12)
    expect(answer.stderr.match(/\[secret:RAW\]/g)?.length).toBeGreaterThanOrEqual(3)
    await kit.card(answer.request_id)
    expect(findSecret(kit.evidence(), VALUE)).toEqual([])
  })

  it.each([
    ['stdout', 'stderr'],
    ['stderr', 'stdout'],
  ])(
    'does not get it past them in two halves, the first on %s and the second on %s',
    async (first, second) => {
      const answer = await kit.runCode(
        `const value = new TextEncoder().encode('x' + Deno.env.get('RAW'))
      Deno.${first}.writeSync(value.subarray(0, 21)); Deno.${second}.writeSync(value.subarray(21))`,
        { secrets, shown: true },
      )
      expect(answer.status).toBe('success')
      await kit.card(answer.request_id)
      expect(findSecret(kit.evidence(), VALUE)).toEqual([])
    },
  )

  it('is asked for anew after trust in placeholder mode, and the card says so first', async () => {
    const code = `console.log(Deno.env.get('RAW').length)`
    const entry = { host: kit.at('api.demo.test'), methods: ['GET'], paths: ['/**'] }
    const options = { network: [entry], skillId: 'attack/upgrade' }
    const first = await kit.ask(code, { ...options, secrets: ['RAW'] })
    await kit.approve(first, 'forever')
    expect((await kit.finished(first)).status).toBe('success')
    const body = (more: unknown) => ({
      skill_id: options.skillId,
      code,
      secrets: [more],
      metadata: { network: options.network, timeout: 30 },
    })
    expect((await kit.daemon.post(body('RAW'))).body).toMatchObject({ status: 'success', trusted: true })
    for (const wider of [
      { name: 'RAW', mode: 'raw' },
      { name: 'RAW', in: ['header', 'query'] },
      { name: 'RAW', in: ['header', 'body'] },
    ]) {
      const asked = await kit.daemon.post(body(wider))
      expect([wider, asked.status, asked.body.status]).toEqual([wider, 202, 'pending'])
    }
    const card = await kit.daemon.telegram.waitForMessage(
      ({ text, buttons }) => buttons.length > 0 && /RAW: placeholder → raw/.test(text),
    )
    expect(card.text).toMatch(/raw/i)
  })
})
