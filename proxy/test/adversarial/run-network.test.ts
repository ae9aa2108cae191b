/** What commands of a run try with hosts: those that nobody approved wait for a person, and nothing else opens the wall. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { connect as connectHttp2 } from 'node:http2'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { connect as connectTls } from 'node:tls'
import { describe, expect, test } from 'vitest'
import { GATEWAY_CA } from '../../src/egress/index.ts'
import {
  connectThrough,
  openRequest,
  openSocket,
  readUntil,
  ruleIn,
  tlsThrough,
} from '../support/gateway-client.ts'
import { patience } from '../support/pace.ts'
import { owner } from '../support/principals.ts'
import { startRunNetwork as start } from '../support/run-network-kit.ts'
import { ANN } from '../support/telegram-kit.ts'

const ASKS = 'A command of a run asks to reach a host'
const WAIT = { timeout: patience(10_000) }
const HELD = 64
const MOST_HOSTS = 16

describe('a command’s request to a host that nobody approved', () => {
  test('waits; a yes lets it go, opens the host to all of this run, and no other', async () => {
    await using world = await start()
    const { kit, seen } = world
    const run = await world.open({ prompt: 'Sum up\nthe docs' })
    const first = run.get('https://docs.example.com/a?q=1')
    const card = await kit.said(ASKS)
    for (const part of [
      ...[world.app.name, run.runId, 'Sum up', 'the docs', 'Prompt SHA-256', 'docs.example.com', 'port 443'],
      ...['the whole container until the run ends', 'every program of this run', 'any method and path'],
      'No secret goes this way',
    ])
      expect(card.text).toContain(part)
    expect(card.text).not.toContain('Without encryption')
    expect(card.buttons).toEqual([['✅ Allow for this run', '❌ Deny']])
    expect([run.session?.asker?.held, seen]).toEqual([1, []])
    await kit.double.press(kit.chatId, card.messageId, '✅ Allow for this run', ANN).answered
    expect(await first).toMatchObject({ status: 200, body: 'hello' })
    expect(await run.get('https://docs.example.com/b', { method: 'POST', body: 'x' })).toMatchObject({
      status: 200,
    })
    expect(seen).toEqual(['GET docs.example.com/a?q=1', 'POST docs.example.com/b'])
    expect(await world.waiting()).toBe(0)
    const other = run.get('https://evil.example/')
    await world.nextAsked()
    await world.answer(await world.nextAsked(), 'deny', owner())
    expect((await other).rule).toBe('host_not_approved')
    run.session?.end()
    await run.session?.written()
    const rows = (await world.rows()).filter(({ event }) => /^(tool_call|egress)/.test(event))
    // Requests are written some at a time, so each kind keeps its own order.
    const of = (kind: string) =>
      rows
        .filter(({ event }) => event.startsWith(kind))
        .map(({ event, data }) => `${event} ${data.host ?? data.origin}`)
    expect(of('tool_call')).toEqual([
      ...['tool_call.asked docs.example.com', 'tool_call.decided docs.example.com'],
      ...['tool_call.asked evil.example', 'tool_call.decided evil.example'],
    ])
    expect(of('egress')).toEqual([
      ...['egress.request https://docs.example.com', 'egress.request https://docs.example.com'],
      'egress.refused https://evil.example',
    ])
    const posted = rows.find(({ data }) => data.method === 'POST')
    expect(posted).toMatchObject({ requestId: run.runId, data: { request_bytes: 1, response_bytes: 5 } })
  })

  test('denied is a phrase and a text that its program can show, also the next time, without another card', async () => {
    await using world = await start()
    const run = await world.open()
    const first = openRequest(run.endpoint, 'https://docs.example.com/')
    await world.answer(await world.nextAsked(), 'deny', owner(), 'not to them')
    const refused = await first
    expect([refused.statusCode, refused.statusMessage]).toEqual([
      403,
      'host_not_approved: A person said no: not to them Do not ask for the same again.',
    ])
    expect((await run.get('https://docs.example.com/other')).body).toContain('A person said no: not to them')
    // A proxy's other form, without a tunnel.
    const plain = run.get('http://docs.example.com/')
    const card = await world.kit.said('Without encryption')
    expect(card.text).toContain('port 80')
    await world.answer(await world.nextAsked(), 'deny', owner())
    expect(await plain).toMatchObject({ status: 403, rule: 'host_not_approved' })
    expect(world.seen).toEqual([])
  })

  test('is one card for many at once, however they come, and one answer lets all go', async () => {
    await using world = await start()
    const run = await world.open()
    const all = Array.from({ length: 12 }, (_, at) =>
      run.get(`https://docs.example.com/${at}`, at % 2 === 0 ? {} : { method: 'PUT', body: 'x' }),
    )
    const id = await world.nextAsked()
    await world.answer(id, 'run', owner())
    expect((await Promise.all(all)).map(({ status }) => status)).toEqual(Array(12).fill(200))
    expect((await world.events()).filter((event) => event === 'tool_call.asked')).toHaveLength(1)
  })

  test('is held whole in every form: a large body, HTTP/2, a WebSocket that says more at once', async () => {
    await using world = await start()
    const run = await world.open()
    const upgraded: string[] = []
    world.upstream.server.on('upgrade', (request, socket, head) => {
      const accept = createHash('sha1')
        .update(`${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
        .digest('base64')
      upgraded.push(`${request.headers.host}${request.url}`)
      socket.write(
        `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
      )
      socket.on('error', () => {}).unshift(head)
      socket.once('data', () => socket.end(Buffer.from([0x81, 4, ...Buffer.from('got!')])))
    })
    const url = 'https://docs.example.com/count'
    const large = run.get(url, { method: 'POST', body: Buffer.alloc(3_000_000, 'x') })
    const webSocket = await tlsThrough(run.endpoint, 'docs.example.com:443')
    webSocket.write(
      'GET /chat HTTP/1.1\r\nHost: docs.example.com\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AQIDBAUGBwgJCgsMDQ4PEA==\r\n\r\n',
    )
    webSocket.write(Buffer.from([0x81, 0x81, 1, 2, 3, 4, 0x40]))
    const tunnel = await connectThrough(run.endpoint, 'docs.example.com:443')
    const ca = readFileSync(join(run.endpoint.directory, GATEWAY_CA))
    const servername = 'docs.example.com'
    const session = connectHttp2('https://docs.example.com', {
      createConnection: () => connectTls({ socket: tunnel, servername, ca, ALPNProtocols: ['h2'] }),
    })
    const http2 = text(session.request({ ':path': '/two' }))
    const id = await world.nextAsked()
    await expect.poll(() => run.session?.asker?.held, WAIT).toBe(3)
    expect([world.seen, upgraded]).toEqual([[], []])
    await world.answer(id, 'run', owner())
    expect([(await large).body, await http2]).toEqual(['3000000', 'hello'])
    expect(await readUntil(webSocket, 'got!')).toContain('101 Switching Protocols')
    expect(upgraded).toEqual(['docs.example.com/chat'])
    session.destroy()
    webSocket.destroy()
  })

  test('that nobody answers is told so, and is not asked about again in this run', async () => {
    let now = Date.now()
    await using world = await start({ clock: { now: () => now } })
    const run = await world.open()
    const first = run.get('https://docs.example.com/')
    await world.nextAsked()
    now += 3_600_000
    await world.kit.approvals.tick()
    expect((await first).body).toContain('Nobody answered in time')
    expect((await run.get('https://docs.example.com/')).body).toContain('Nobody answered in time')
    expect(await world.waiting()).toBe(0)
  })

  test('whose program leaves stays asked about, for whoever comes next', async () => {
    await using world = await start()
    const run = await world.open()
    const socket = await tlsThrough(run.endpoint, 'docs.example.com:443')
    socket.write('GET / HTTP/1.1\r\nHost: docs.example.com\r\n\r\n')
    const id = await world.nextAsked()
    socket.destroy()
    await expect.poll(() => run.session?.asker?.held, WAIT).toBe(0)
    expect(world.seen).toEqual([])
    await world.answer(id, 'run', owner())
    expect(await run.get('https://docs.example.com/')).toMatchObject({ status: 200 })
  })
})

describe('no person is asked for', () => {
  test('an address, whoever it is, and a name of this network', async () => {
    await using world = await start()
    const run = await world.open()
    for (const url of [
      ...['https://127.0.0.1/', 'https://169.254.169.254/latest/meta-data/', 'http://169.254.169.254/'],
      ...['https://[::1]/', 'https://[::ffff:169.254.169.254]/', 'https://8.8.8.8/'],
      ...['https://localhost/', 'https://a.localhost/', 'https://intranet/'],
    ]) {
      const answer = await run.get(url)
      expect.soft(answer.status, url).toBe(403)
      expect.soft(answer.body, url).toContain('the public name of a host alone')
    }
    expect(await world.events()).not.toContain('tool_call.asked')
    expect(world.upstream.connections).toBe(0)
  })

  test('a name that is not the one of the handshake or the tunnel', async () => {
    await using world = await start()
    const run = await world.open()
    const url = 'https://docs.example.com/'
    for (const how of [{ servername: 'evil.example' }, { headers: { host: 'evil.example' } }])
      expect((await run.get(url, how)).rule).toBe('host_mismatch')
    expect(await world.events()).toEqual([])
  })

  test('a run whose app does not ask, and one without a way out', async () => {
    await using world = await start()
    const off = await world.open({ asksForHosts: false })
    expect((await off.get('https://docs.example.com/')).rule).toBe('host_not_approved')
    const without = await world.open({ egress: null })
    await expect(without.get('https://docs.example.com/')).resolves.toMatchObject({ rule: 'no_run' })
    expect(await world.events()).toEqual([])
  })
})

describe('a yes', () => {
  /** A run that reaches docs.example.com by a person's word. */
  async function approved(world: Awaited<ReturnType<typeof start>>, host = 'docs.example.com') {
    const run = await world.open()
    const first = run.get(`https://${host}/`)
    await world.answer(await world.nextAsked(), 'run', owner())
    return { ...run, first: await first }
  }

  /** One answer that does not end, of a host that was allowed, and one request that waits for a person. */
  async function underWay(world: Awaited<ReturnType<typeof start>>) {
    const run = await approved(world)
    const endless = await openRequest(run.endpoint, 'https://docs.example.com/endless')
    const broken = new Promise((resolve) => endless.once('error', resolve).once('close', resolve))
    endless.resume()
    const held = run.get('https://evil.example/').catch(() => 'cut')
    return { run, broken, held, id: await world.nextAsked() }
  }

  test('to a name that leads to an address that is not public dials nothing', async () => {
    await using world = await start()
    for (const host of ['inside.example.com', 'meta.example.com']) {
      const { first } = await approved(world, host)
      expect(first).toMatchObject({ rule: 'address_not_public' })
    }
    expect(world.upstream.connections).toBe(0)
  })

  test('is no other run’s: a second of the same app asks by itself, through its own socket', async () => {
    await using world = await start()
    const one = await approved(world)
    const two = await world.open()
    const second = two.get('https://docs.example.com/')
    await world.answer(await world.nextAsked(), 'deny', owner())
    expect((await second).rule).toBe('host_not_approved')
    expect(await one.get('https://docs.example.com/')).toMatchObject({ status: 200 })
  })

  test('is bound to what was shown: a row with another host opens nothing', async () => {
    await using world = await start()
    const { kit } = world
    const run = await world.open()
    const first = run.get('https://docs.example.com/')
    const id = await world.nextAsked()
    const { contentHash } = await world.viewOf(id)
    await kit.said(ASKS)
    // Another connection: it is locked out while the daemon writes.
    const alter = (): boolean => {
      try {
        kit.db.exec(
          `UPDATE tool_calls SET effect = '{"kind":"network","host":"evil.example"}' WHERE id = '${id}'`,
        )
        return true
      } catch {
        return false
      }
    }
    await expect.poll(alter, WAIT).toBe(true)
    const chosen = await kit.storage.transaction((tx) =>
      kit.approvals.choose(tx, id, contentHash, 'run', owner()),
    )
    expect(chosen).toMatchObject({ accepted: false, reason: 'other_consent' })
    expect(run.reached()).toEqual([])
    await world.answer(id, 'deny', owner())
    await first
  })

  test('has no other form: not once, not with terms, not for ever', async () => {
    await using world = await start()
    const run = await world.open()
    const first = run.get('https://docs.example.com/')
    const id = await world.nextAsked()
    expect(await world.answer(id, 'once', owner())).toMatchObject({ accepted: false, reason: 'not_offered' })
    expect(run.reached()).toEqual([])
    await world.answer(id, 'deny', owner())
    await first
  })

  test('ends with the run: what is under way breaks off, a late press opens nothing', async () => {
    await using world = await start()
    const { run, broken, held, id } = await underWay(world)
    run.calls[Symbol.dispose]()
    run.session?.cut()
    await broken
    expect(await held).toBe('cut')
    await expect.poll(async () => (await world.viewOf(id)).state, WAIT).toBe('cancelled')
    expect(await world.answer(id, 'run', owner())).toMatchObject({ accepted: false })
    expect(run.reached()).not.toContain('evil.example')
    const late = await openSocket(run.endpoint)
    late.write('CONNECT docs.example.com:443 HTTP/1.1\r\nHost: docs.example.com:443\r\n\r\n')
    expect(ruleIn(await readUntil(late, '"rule"'))).toBe('no_run')
    late.destroy()
  })

  test('ends with everything else when everything stops, at once', async () => {
    await using world = await start()
    const { run, broken, held, id } = await underWay(world)
    await world.kit.lockdown.begin({ actor: 'cli:0', name: null })
    await broken
    expect(await held).toBe('cut')
    expect((await world.viewOf(id)).state).toBe('cancelled')
    expect(run.session?.ended).toBe(true)
    expect(world.seen).not.toContain('GET evil.example/')
  })
})

describe('a flood', () => {
  test('of hosts has an end of cards, and the rest are refused with words', async () => {
    await using world = await start({ maxWaitingPerAgent: 100 })
    const run = await world.open()
    const all = Array.from({ length: 40 }, (_, at) => run.get(`https://h${at}.example.com/`))
    for (let at = 0; at < MOST_HOSTS; at += 1) await world.answer(await world.nextAsked(), 'deny', owner())
    const bodies = (await Promise.all(all)).map(({ body }) => body)
    expect(bodies.filter((body) => body.includes('A person said no'))).toHaveLength(MOST_HOSTS)
    expect(bodies.filter((body) => body.includes('can ask for no other'))).toHaveLength(40 - MOST_HOSTS)
    expect(await world.waiting()).toBe(0)
  }, 30_000)

  test('of requests that wait is bounded too, and what an app may have waiting bounds its cards', async () => {
    await using world = await start({ maxWaitingPerAgent: 1 })
    const run = await world.open()
    const all = Array.from({ length: HELD + 6 }, () => run.get('https://docs.example.com/'))
    const id = await world.nextAsked()
    await expect.poll(() => run.session?.asker?.held, WAIT).toBe(HELD)
    expect((await run.get('https://evil.example/')).body).toContain('wait for a person already')
    await world.answer(id, 'run', owner())
    const answers = await Promise.all(all)
    expect(answers.filter(({ status }) => status === 200).length).toBeGreaterThanOrEqual(HELD)
    const [one, two] = [run.get('https://evil.example/'), run.get('https://inside.example.com/')]
    const refused = await Promise.race([one, two])
    expect(refused.body).toContain('Nobody can be asked now')
    await world.answer(await world.nextAsked(), 'deny', owner())
    await Promise.all([one, two])
  }, 30_000)
})
