/** WebSockets of accounts to their hosted agents, from outside: who gets in, by what, once; what is said on the way; what cuts them. */
import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
import type { WebSocket } from 'ws'
import { TENANT_HEADER } from '../../src/contracts/admin/index.ts'
import { bearer, CONNECT, settle, useAccountSockets } from '../support/account-sockets-kit.ts'
import { PASSWORD } from '../support/accounts-kit.ts'
import { adminCall } from '../support/daemon-kit.ts'
import { patience } from '../support/pace.ts'

const sockets = useAccountSockets()
const { api, signIn, ticketOf, client, own, joined } = sockets

describe('a WebSocket to a hosted agent', () => {
  it('is opened by a header; the gateway’s token is put in inside, and no credential comes out', async () => {
    const one = client(own(), bearer(sockets.ann))
    expect(await one.opened).toBe('open')
    await one.next()
    one.say({ ...CONNECT, params: { ...CONNECT.params, auth: { token: 'a client’s own word' } } })
    const hello = await one.next()
    expect(hello).toEqual({
      ...{ type: 'res', id: '1', ok: true },
      payload: {
        ...{ type: 'hello-ok', protocol: 4, snapshot: {} },
        auth: { role: 'operator', scopes: ['operator.admin'] },
      },
    })
    one.say({ type: 'req', id: '2', method: 'chat.send', params: { text: 'hello' } })
    expect(await one.next()).toMatchObject({ id: '2', payload: { params: { text: 'hello' } } })
    const { headers } = sockets.gateway.openings.at(-1) ?? {}
    expect(headers).toMatchObject({ host: '127.0.0.1:18789', origin: 'http://127.0.0.1:18789' })
    expect(JSON.stringify([headers, sockets.gateway.heard])).not.toContain(sockets.ann)
    expect(JSON.stringify(headers)).not.toMatch(/authorization|cookie|forwarded/i)
    expect(sockets.gateway.used()).toBeGreaterThan(0)
    await settle(one)
    const told = async (event: string) => {
      const { body } = await adminCall(
        sockets.kit.daemon.adminSocketPath,
        'GET',
        `/v1/audit?event=${event}`,
        undefined,
        {
          [TENANT_HEADER]: sockets.tenant,
        },
      )
      return body.rows.map(({ data }: { data: string }) => JSON.parse(data))
    }
    await expect.poll(() => told('socket.ended')).toHaveLength(1)
    const [begun] = await told('socket.opened')
    expect(begun).toMatchObject({ machine: sockets.machine, purpose: 'cloudbot', by: 'header' })
    const [ended] = await told('socket.ended')
    expect(ended).toMatchObject({ socket: begun.socket, code: 1005, messages_in: 2 })
  })

  it('takes what a device has signed as it is, and puts the token beside it', async () => {
    const one = client(own(), bearer(sockets.ann))
    await one.next()
    const device = { id: 'dev', publicKey: 'k', signature: 's', signedAt: 1, nonce: 'demo' }
    one.say({ ...CONNECT, params: { ...CONNECT.params, device } })
    expect(await one.next()).toMatchObject({ ok: true })
    expect(JSON.parse(sockets.gateway.heard.at(-1) ?? '').params).toEqual({
      ...CONNECT.params,
      ...{ device, auth: { password: sockets.gateway.token } },
    })
    await settle(one)
  })

  it('is opened by a ticket once, for that machine, by whoever asked for it', async () => {
    const path = await ticketOf()
    const one = await joined(path, {})
    await settle(one)
    const other = client(path)
    expect(await other.closed).toEqual({
      code: 4401,
      reason: 'This ticket was used, is over, or is for something else.',
    })
    const two = (await api('POST', '/api/instances', { token: sockets.ann, body: { name: 'two' } })).body.id
    expect((await client((await ticketOf()).replace(sockets.machine, two)).closed).code).toBe(4401)
    expect((await client(`${own()}?ticket=ot_${'x'.repeat(43)}`).closed).code).toBe(4401)
  })

  it('is nobody’s who is another, or nobody: not by a token in the address, not by a cookie, not from another page', async () => {
    const { headers } = await fetch(
      `${sockets.kit.daemon.url.replace('127.0.0.1', 'localhost')}/api/auth/login`,
      {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ email: 'ann@example.com', password: PASSWORD }),
      },
    )
    const cookie = headers.get('set-cookie')?.split(';')[0] ?? ''
    const host = new URL(sockets.kit.daemon.url).host.replace('127.0.0.1', 'localhost')
    expect(cookie).toMatch(/^oauth3_session_/)
    const refused: readonly (readonly [string, Readonly<Record<string, string>>, number])[] = [
      [own(), bearer(sockets.eve), 404],
      [own(), {}, 401],
      [own(), bearer('a.b.c'), 401],
      [`${own()}?token=${sockets.ann}`, {}, 401],
      [`${own()}?access_token=${sockets.ann}`, {}, 401],
      [own(), { cookie, host }, 401],
      [own(), { cookie, host, origin: `http://${host}` }, 401],
      [own(), { ...bearer(sockets.ann), origin: 'https://evil.example' }, 403],
      [await ticketOf(), { origin: 'https://evil.example' }, 403],
      [await ticketOf(), { host: 'evil.example' }, 403],
      [`/api/instances/${sockets.machine}/vnc2`, bearer(sockets.ann), 404],
      ['/api/instances/mch_none/cloudbot', bearer(sockets.ann), 404],
    ]
    for (const [path, sent, status] of refused) {
      const one = client(path, sent)
      expect(await one.opened, `${path} ${JSON.stringify(sent)}`).toBe(status)
    }
    // As any call of the API is refused (RFC 9110, 11.6.1).
    const [, refusal] = await once(client(own()).socket, 'unexpected-response')
    expect(refusal.headers).toHaveProperty('www-authenticate', 'Bearer realm="oauth3"')
    const eves = await api('POST', `/api/instances/${sockets.machine}/tickets`, {
      ...{ token: sockets.eve, body: { purpose: 'cloudbot' } },
    })
    expect(eves.status).toBe(404)
  })

  it('is cut when its session ends, and nothing more goes through', async () => {
    const { access, refresh } = await signIn('ann')
    const byHeader = await joined(own(), bearer(access))
    const byTicket = await joined(await ticketOf(access), {})
    const unused = await ticketOf(access)
    const theirs = sockets.gateway.sockets.slice(-2)
    await api('POST', '/api/auth/logout', { body: { refresh_token: refresh } })
    for (const { closed } of [byHeader, byTicket]) expect((await closed).code).toBe(4401)
    expect((await client(unused).closed).code).toBe(4401)
    await expect.poll(() => theirs.every(({ readyState }) => readyState === 3)).toBe(true)
  })

  it('is cut when its agent is not to be reached any more, though its session goes on', async () => {
    const one = await joined()
    const theirs = sockets.gateway.sockets.at(-1) as WebSocket
    sockets.isShut = true
    expect(await one.closed).toEqual({ code: 4503, reason: 'The agent is gone, or everything is stopped.' })
    await expect.poll(() => theirs.readyState).toBe(3)
    sockets.isShut = false
    await settle(await joined())
  })

  it('goes by an access key of that scope, and with it', async () => {
    const { host, browse } = await sockets.browserOf('ann')
    const { id, key } = await browse('POST', '/account/access-keys', { name: 'bot', scopes: ['machines'] })
    const keys = await browse('POST', '/account/access-keys', { name: 'keys', scopes: ['keys'] })
    expect(await client(own(), bearer(keys.key)).opened).toBe(409)
    const one = await joined(own(), bearer(key))
    // The console's own page asks for its tickets by the name of the agent.
    const { path } = await browse('POST', '/hosts/desk/tickets', { purpose: 'cloudbot' })
    const page = await joined(path, { origin: `http://${host}`, host })
    await browse('DELETE', `/account/access-keys/${id}`)
    expect((await one.closed).code).toBe(4401)
    await browse('POST', '/session/logout')
    expect((await page.closed).code).toBe(4401)
  })

  it('hands over why each side closed, and says when the gateway is gone', async () => {
    const last = () => sockets.gateway.sockets.at(-1) as WebSocket
    const one = await joined()
    last().close(1012, 'service restart')
    expect(await one.closed).toEqual({ code: 1012, reason: 'service restart' })
    const two = await joined()
    const ended = once(last(), 'close')
    two.socket.close(3001, 'enough')
    const [code, reason] = await ended
    expect([code, String(reason)]).toEqual([3001, 'enough'])
    const three = await joined()
    last().terminate()
    expect((await three.closed).code).toBe(4503)
    const four = client(own(), bearer(sockets.ann))
    await four.next()
    four.say({ ...CONNECT, method: 'chat.send' })
    expect(await four.closed).toEqual({ code: 1008, reason: 'unauthorized' })
  })

  it('waits for a machine that wakes, and says why it did not', async () => {
    const waking = Promise.withResolvers<void>()
    sockets.wake = () => waking.promise
    const one = client(own(), bearer(sockets.ann))
    expect(await one.opened).toBe('open')
    one.say(CONNECT)
    const before = sockets.gateway.sockets.length
    waking.resolve()
    await one.next()
    expect(await one.next()).toMatchObject({ id: '1', ok: true })
    expect(sockets.gateway.sockets.length).toBe(before + 1)
    sockets.wake = () => Promise.reject(new Error('it does not wake'))
    expect((await client(own(), bearer(sockets.ann)).closed).code).toBe(1011)
    sockets.wake = async () => {}
    await settle(one)
  })

  it('has an end to what is said at once, to its messages, and to how many there are', async () => {
    const long = await joined()
    long.socket.send(Buffer.alloc(26_214_401))
    expect((await long.closed).code).toBe(1009)
    const early = client(own(), bearer(sockets.ann))
    await early.next()
    early.say({ ...CONNECT, more: 'x'.repeat(70_000) })
    expect((await early.closed).code).toBe(1008)
    const fast = await joined()
    for (let at = 0; at < 4_000; at += 1) fast.say({ type: 'req', id: 'x', method: 'health' })
    expect((await fast.closed).code).toBe(4429)
    const many = await Promise.all(Array.from({ length: 16 }, () => joined()))
    const refused = client(own(), bearer(sockets.ann))
    expect(await refused.opened).toBe(429)
    expect((await client(await ticketOf()).closed).code).toBe(4429)
    await settle(...many)
  })

  it('is read as fast as its reader reads, and loses nothing', async () => {
    const one = await joined()
    one.socket.removeAllListeners('message')
    const seen: number[] = []
    one.socket.on('message', (data) => seen.push((data as Buffer).readUInt32BE(0)))
    one.socket.pause()
    const TOTAL = 256
    let sent = 0
    const socket = sockets.gateway.sockets.at(-1) as WebSocket
    // One after the other: of several that wait each would be told as sent when the last is.
    const sendNext = (): void => {
      if (sent === TOTAL) return
      const piece = Buffer.alloc(262_144)
      piece.writeUInt32BE(sent)
      socket.send(piece, () => {
        sent += 1
        sendNext()
      })
    }
    sendNext()
    // What fits into the buffers of two connections, and a little of ours, goes; the rest waits where it comes from.
    let before = -1
    let steady = 0
    await expect
      .poll(
        () => {
          steady = sent > 0 && sent === before ? steady + 1 : 0
          before = sent
          return steady
        },
        { interval: 100, timeout: patience(20_000) },
      )
      .toBe(5)
    expect(sent).toBeLessThan(TOTAL / 2)
    one.socket.resume()
    await expect.poll(() => seen.length, { timeout: patience(20_000) }).toBe(TOTAL)
    expect(seen).toEqual([...Array(TOTAL).keys()])
    await settle(one)
  })
})

describe('an address of an agent’s browser', () => {
  const agentOf = async (name: string, more: object = {}) =>
    (await sockets.kit.admin('POST', '/v1/agents', { name, ...more })).body.token as string
  const address = async (token: string): Promise<string> => {
    const { body } = await api('GET', '/cdp/json/version', { token })
    const { pathname, search } = new URL(body.webSocketDebuggerUrl)
    return pathname + search
  }
  const rows = async (event: string) =>
    (await sockets.kit.admin('GET', `/v1/audit?event=${event}`)).body.rows.map(({ data }: { data: string }) =>
      JSON.parse(data),
    )

  it('ends with the token that asked for it: what it opened is cut, and what is not opened yet is refused', async () => {
    const token = await agentOf('surfer')
    const one = client(await address(token))
    expect(await one.opened).toBe('open')
    const unused = await address(token)
    expect((await sockets.kit.admin('POST', '/v1/agents/surfer/token', {})).status).toBe(200)
    await one.closed
    expect(await client(unused).opened).toBe(401)
    expect((await api('GET', '/cdp/json/version', { token })).status).toBe(401)
  })

  it('outlives a rotation that leaves the old token its time', async () => {
    const token = await agentOf('patient')
    const path = await address(token)
    const rotated = await sockets.kit.admin('POST', '/v1/agents/patient/token', { overlap_ms: 60_000 })
    expect(rotated.status).toBe(200)
    const one = client(path)
    expect(await one.opened).toBe('open')
    await settle(one)
  })

  it('opens where its agent may come from, and nowhere else', async () => {
    const token = await agentOf('fenced', { cidrs: ['127.0.0.1/32'] })
    expect(await client(await address(token), {}, '127.0.0.2').opened).toBe(403)
    const one = client(await address(token))
    expect(await one.opened).toBe('open')
    await settle(one)
  })

  it('is in the audit from its opening to its end', async () => {
    const token = await agentOf('seen')
    const one = client(await address(token))
    expect(await one.opened).toBe('open')
    const [begun] = await rows('socket.opened')
    expect(begun).toMatchObject({ purpose: 'cdp', target: 'browser', by: 'ticket' })
    one.socket.terminate()
    await expect
      .poll(async () => (await rows('socket.ended')).map(({ socket }: { socket: string }) => socket))
      .toContain(begun.socket)
  })
})

describe('an account’s way to the browser of its agent', () => {
  const opened = (url: string): string => {
    const { pathname, search } = new URL(url)
    return pathname + search
  }
  const version = (token: string, query = '') => api('GET', `/cdp/json/version${query}`, { token })
  const address = async (token: string) =>
    opened((await version(token, '?instance=desk')).body.webSocketDebuggerUrl)

  it('is by the header, to an address that opens once, until the session ends', async () => {
    const { access } = await sockets.signIn('ann')
    const path = await address(access)
    const one = client(path)
    expect(await one.opened).toBe('open')
    expect(await client(path).opened).toBe(401)
    const unused = await address(access)
    expect((await api('POST', '/api/auth/logout', { token: access, body: {} })).status).toBe(200)
    await one.closed
    expect(await client(unused).opened).toBe(401)
    expect((await version(access)).status).toBe(401)
  })

  it('takes a key of a program for machines alone, until it is revoked', async () => {
    const { browse } = await sockets.browserOf('ann')
    const { id, key } = await browse('POST', '/account/access-keys', { name: 'surfer', scopes: ['machines'] })
    const keys = await browse('POST', '/account/access-keys', { name: 'keys', scopes: ['keys'] })
    expect((await version(keys.key)).status).toBe(409)
    const one = client(await address(key))
    expect(await one.opened).toBe('open')
    await browse('DELETE', `/account/access-keys/${id}`)
    await one.closed
    expect((await version(key)).status).toBe(401)
  })

  it('leads to its own agents alone, and its sessions are nobody else’s', async () => {
    const { ann, eve, machine } = sockets
    expect(await version(eve, `?instance=${machine}`)).toMatchObject({
      ...{ status: 404, body: { error: { code: 'not_found' } } },
    })
    expect((await api('GET', '/cdp/json/version')).status).toBe(401)
    await api('POST', '/api/instances', { token: ann, body: { name: 'three' } })
    expect(await version(ann)).toMatchObject({
      ...{
        status: 400,
        body: { error: { message: expect.stringMatching(/^Name one by \?instance=…: .*three/) } },
      },
    })
    const { body: target } = await api(
      'PUT',
      `/cdp/json/new?instance=${machine}&https://api.demo.test/?secret=x`,
      {
        token: ann,
      },
    )
    // The address of a page may hold such words.
    expect(target).toMatchObject({ type: 'page', url: 'https://api.demo.test/?secret=x' })
    const one = client(opened(target.webSocketDebuggerUrl))
    expect(await one.opened).toBe('open')
    const list = async (token: string, query = '') =>
      (await api('GET', `/cdp/json/list${query}`, { token })).body
    expect(await list(ann, `?instance=${machine}`)).toMatchObject([{ id: target.id }])
    const agent = (await sockets.kit.admin('POST', '/v1/agents', { name: 'neighbour' })).body.token
    expect(await list(agent)).toEqual([])
    // A ticket of one target opens no other, nor the browser.
    const [{ webSocketDebuggerUrl: told }] = await list(ann, '?instance=desk')
    expect(await client(opened(told).replace(`/page/${target.id}/`, '/browser/')).opened).toBe(401)
    await settle(one)
    expect(await list(ann, '?instance=desk')).toEqual([])
  })

  it('has no secret in its address, and says what to do', async () => {
    for (const path of ['json/version', 'json/list', 'json/new', 'json/', 'devtools/browser/x'])
      for (const token of [
        undefined,
        sockets.ann,
        (await sockets.kit.admin('POST', '/v1/agents', { name: `s-${path.replaceAll('/', '-')}` })).body
          .token,
      ]) {
        const { status, body } = await api('GET', `/cdp/${path}?secret=demo-secret-of-poeclaw`, { token })
        expect({ path, status, body }).toMatchObject({
          status: 401,
          body: { error: { message: expect.stringContaining('Authorization: Bearer') } },
        })
        expect(JSON.stringify(body)).not.toContain('demo-secret')
      }
    expect(
      await client('/cdp/devtools/browser/x?secret=demo-secret-of-poeclaw', bearer(sockets.ann)).opened,
    ).toBe(401)
  })
})
