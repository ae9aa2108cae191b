/** Family 19: approved names that lead, or come to lead, to addresses which nobody approved; real code, real sandbox. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { dockerOrSkip } from '../support/docker.ts'
import { attack, rulesOf } from '../support/egress-attack.ts'
import { createEgressKit, type EgressKit } from '../support/egress-kit.ts'
import { PUBLIC_ADDRESS } from '../support/egress-upstream.ts'

const docker = await dockerOrSkip()

/** What a resolver may answer for a name that an attacker owns. */
const ADDRESSES: Record<string, readonly string[]> = {
  loopback: ['127.0.0.1'],
  'other-loopback': ['127.1.2.3'],
  'loopback-v6': ['::1'],
  unspecified: ['0.0.0.0'],
  'unspecified-v6': ['::'],
  ten: ['10.0.0.1'],
  'docker-bridge': ['172.17.0.1'],
  home: ['192.168.1.1'],
  metadata: ['169.254.169.254'],
  'metadata-v6': ['fd00:ec2::254'],
  'link-local-v6': ['fe80::1'],
  'carrier-nat': ['100.64.0.1'],
  'unique-local': ['fd00::1'],
  'mapped-loopback': ['::ffff:127.0.0.1'],
  'mapped-hex': ['::ffff:7f00:1'],
  'mapped-metadata': ['::ffff:169.254.169.254'],
  compatible: ['::127.0.0.1'],
  nat64: ['64:ff9b::7f00:1'],
  'six-to-four': ['2002:7f00:1::'],
  multicast: ['224.0.0.1'],
  broadcast: ['255.255.255.255'],
  decimal: ['2130706433'],
  octal: ['0177.0.0.1'],
  hex: ['0x7f.0.0.1'],
  short: ['127.1'],
  'a-good-one-first': [PUBLIC_ADDRESS, '127.0.0.1'],
  'a-good-one-last': ['::1', PUBLIC_ADDRESS],
}

describe.skipIf(!docker.available)(`the addresses behind approved names ${docker.reason}`, () => {
  let kit: EgressKit

  beforeAll(async () => {
    kit = await createEgressKit()
  })
  beforeEach(() => {
    kit.upstream.seen.length = 0
    kit.upstream.trapped.length = 0
    kit.lookups.length = 0
  })
  afterAll(async () => {
    await kit?.[Symbol.asyncDispose]()
  })

  it('are dialled only when every one of them is public', async () => {
    const before = kit.upstream.connections
    for (const [name, addresses] of Object.entries(ADDRESSES)) {
      kit.names.set(`${name}.bad.demo.test`, () => addresses)
    }
    const { report, answer } = await attack(
      kit,
      "for (const name of NAMES) tell(name, await get('https://' + name + '.bad.demo.test:' + PORT + '/'))",
      {
        network: [`*.bad.demo.test:${kit.upstream.port}`],
        given: { NAMES: Object.keys(ADDRESSES) },
        shown: true,
      },
    )
    for (const name of Object.keys(ADDRESSES)) {
      // What is no address at all, in the plain spelling, is a name that leads nowhere.
      expect([name, report[name].status, report[name].rule]).toEqual([name, 403, 'address_not_public'])
    }
    expect(kit.upstream.trapped).toEqual([])
    expect(kit.upstream.connections).toBe(before)
    expect(answer.network.requests).toBe(Object.keys(ADDRESSES).length)
    expect(rulesOf(answer)).toEqual(['address_not_public'])
    const rows = (await kit.audit(answer.request_id)).filter(({ event }) => event === 'egress.refused')
    expect(rows).toHaveLength(Object.keys(ADDRESSES).length)
    expect(await kit.card(answer.request_id)).toContain('bad.demo.test')
  })

  it('are those that were checked, however the name answers the next time', async () => {
    // A public address for the check, a private one for whoever asks again.
    kit.names.set('rebind.demo.test', (lookup) => (lookup % 2 === 1 ? [PUBLIC_ADDRESS] : ['127.0.0.1']))
    const { report } = await attack(
      kit,
      // All at once, so that each needs a connection of its own.
      `tell('results', (await Promise.all(Array.from({ length: 12 }, () => get('https://rebind.demo.test:' + PORT + '/')))).map(({ status, rule }) => rule ?? status))`,
      { network: [kit.at('rebind.demo.test')] },
    )
    const unexpected = report.results.filter((one: unknown) => one !== 200 && one !== 'address_not_public')
    expect(unexpected).toEqual([])
    expect(report.results).toContain(200)
    expect(report.results).toContain('address_not_public')
    expect(kit.upstream.trapped).toEqual([])
  })

  it('are refused when the name turns to a private one while connections to the public one stand', async () => {
    // A name of its own: what another test left open would serve the requests that must need a connection here.
    const moving = kit.at('moving.demo.test')
    let isMoved = false
    kit.names.set('moving.demo.test', () => (isMoved ? ['169.254.169.254', '127.0.0.1'] : [PUBLIC_ADDRESS]))
    const first = await attack(kit, "tell('before', await get('https://' + MOVING + '/'))", {
      network: [moving],
      given: { MOVING: moving },
    })
    expect(first.report.before.status).toBe(200)
    isMoved = true
    kit.lookups.length = 0
    // The connection that stands is taken before the others ask, and not free before they were answered.
    const [reused, taken, answered] = [
      kit.upstream.nextHeld('/hold/standing'),
      kit.upstream.nextHeld('/hold/taken'),
      kit.upstream.nextHeld('/hold/answered'),
    ]
    void reused.then(async (release) => {
      for (const step of [taken, answered]) (await step)()
      release()
    })
    const { report } = await attack(
      kit,
      `const step = (name) => get('https://' + STEPS + '/hold/' + name)
const first = get('https://' + MOVING + '/hold/standing')
await step('taken')
const others = await Promise.all(Array.from({ length: 8 }, () => get('https://' + MOVING + '/')))
await step('answered')
tell('after', [await first, ...others].map(({ status, rule }) => rule ?? status))`,
      {
        network: [moving, kit.at('api.demo.test')],
        given: { MOVING: moving, STEPS: kit.at('api.demo.test') },
      },
    )
    expect(report.after).toEqual([200, ...Array(8).fill('address_not_public')])
    expect(kit.lookups.filter((name) => name === 'moving.demo.test')).toHaveLength(8)
    expect(kit.upstream.trapped).toEqual([])
  })

  it('are not reached by writing them in any spelling instead of a name', async () => {
    const spellings = [
      '127.0.0.1',
      '127.77.0.1',
      '2130706433',
      '017700000001',
      '0177.0.0.1',
      '0x7f000001',
      '0x7f.0.0.1',
      '127.1',
      '127.0.1',
      '0',
      '0.0.0.0',
      '[::1]',
      '[::]',
      '[::ffff:127.0.0.1]',
      '[::ffff:7f00:1]',
      '[0:0:0:0:0:ffff:127.0.0.1]',
      '[::1%25lo]',
      '[fd00::1]',
      '::1',
      '169.254.169.254',
      'localhost',
      'localhost.',
      'ip6-localhost',
      '127.0.0.1.nip.io',
      '127。0。0。1',
      '①②⑦.0.0.1',
    ]
    const { report } = await attack(
      kit,
      `for (const name of NAMES) {
        const bytes = textOf(new TextEncoder().encode(name))
        tell(name, [
          await tunnelled(bytes + ':' + PORT, 'GET / HTTP/1.1\\r\\nHost: ' + bytes + ':' + PORT + '\\r\\nConnection: close\\r\\n\\r\\n', 'api.demo.test'),
          await raw('GET http://' + bytes + ':' + PORT + '/ HTTP/1.1\\r\\nHost: ' + bytes + ':' + PORT + '\\r\\nConnection: close\\r\\n\\r\\n'),
        ])
      }`,
      { network: [kit.at('api.demo.test')], given: { NAMES: spellings } },
    )
    for (const name of spellings) {
      for (const { line } of report[name]) expect(`${name} ${line}`).not.toMatch(/ 2\d\d /)
    }
    expect(kit.upstream.trapped).toEqual([])
    expect(kit.upstream.seen).toEqual([])
    expect(kit.lookups).toEqual([])
  })

  it('cannot be asked for in disguise: no such pattern gets as far as a card', async () => {
    for (const host of ['2130706433', '0x7f.1', '127.1', '0177.0.0.1', '[::1%25lo]', '10.0.0.0/8', '*.1']) {
      await expect(kit.ask('0', { network: [host] })).rejects.toThrow(/not asked: 400/)
    }
  })

  it('that a person approved as such are dialled: that address, that port, and no other', async () => {
    const { report } = await attack(
      kit,
      `for (const host of ['127.0.0.1', '127.0.0.2', '[::1]']) tell(host, await tunnelled(host + ':' + PORT, 'GET / HTTP/1.1\\r\\nHost: ' + host + ':' + PORT + '\\r\\n\\r\\n', host.replace(/[[\\]]/g, '')))
       tell('other port', await tunnelled('127.0.0.1:' + (PORT + 1), 'GET / HTTP/1.1\\r\\nHost: 127.0.0.1:' + (PORT + 1) + '\\r\\n\\r\\n'))`,
      { network: [`127.0.0.1:${kit.upstream.port}`] },
    )
    // Something listens there, so this also shows that the traps of the other tests would have told.
    expect(kit.upstream.trapped).toContain(`127.0.0.1:${kit.upstream.port}`)
    expect(kit.upstream.trapped.filter((where) => where.startsWith('::1'))).toEqual([])
    expect(report['127.0.0.2'].rule).toBe('host_not_approved')
    expect(report['[::1]'].rule).toBe('host_not_approved')
    expect(report['other port'].rule).toBe('host_not_approved')
  })
})
