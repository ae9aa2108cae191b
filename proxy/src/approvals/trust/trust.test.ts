import { describe, expect, it } from 'vitest'
import {
  type SampleChange,
  sampleCapability,
  sampleRawSecret,
  sampleSecret,
} from '../../../test/support/sample-consent.ts'
import { ACTOR, consent, useTrust } from '../../../test/support/trust-kit.ts'
import { describeNetwork } from '../../egress/capabilities/index.ts'
import { type ConsentHash, canonicalJson, sha256Hex } from '../../kernel/index.ts'
import { type Consent, openConsent } from '../consent/index.ts'

const world = useTrust()
const { grant, isTrusted, evaluate } = world

const [key, other] = consent.secrets as [Consent['secrets'][0], Consent['secrets'][0]]
const withKey = (change: Partial<typeof key>): SampleChange => ({
  secrets: [{ ...key, ...change }, other],
})
const limits = (change: Partial<Consent['limits']>): SampleChange => ({
  limits: { ...consent.limits, ...change },
})

describe('what a grant covers', () => {
  it('covers the very same request, again and again', async () => {
    await grant('forever')
    expect([await isTrusted(), await isTrusted(), await isTrusted()]).toEqual([true, true, true])
  })

  it.each<[string, SampleChange]>([
    ['another description', { description: 'in other words' }],
    ['another link to the same bytes', { source: { url: 'https://example.com/x', relation: 'fetched' } }],
    ['the agent under another name', { agent: { id: 'agt_1', name: 'renamed' } }],
  ])('covers %s, which the code never sees', async (_what, change) => {
    await grant('forever')
    expect(await evaluate(change)).toMatchObject({ trusted: true })
  })

  it('covers a secret that was not stored yet, once it is bound to the hosts that the card showed', async () => {
    await grant('forever', withKey({ bound_to: null }))
    expect(await evaluate(withKey({ bound_to: ['*.example.com'] }))).toMatchObject({ trusted: true })
    expect((await evaluate(withKey({ bound_to: ['a.example.com'] }))).trusted).toBe(false)
    expect((await evaluate(withKey({ hosts: ['a.example.com'], bound_to: ['a.example.com'] }))).trusted).toBe(
      false,
    )
  })

  it('covers it when other requests waited for the secret too, and it is bound to the hosts of all of them', async () => {
    await grant('forever', withKey({ bound_to: null }))
    const union = ['*.example.com', 'x.com']
    expect(await evaluate(withKey({ bound_to: union }))).toMatchObject({ trusted: true })
    expect((await evaluate(withKey({ bound_to: union, hosts: union }))).trusted).toBe(false)
  })

  it.each<[string, SampleChange, readonly string[]]>([
    ['one secret less', { secrets: [key] }, ['secret: − OTHER_KEY']],
    ['no secret', { secrets: [] }, ['secret: − DEMO_KEY', 'secret: − OTHER_KEY']],
    ['one host less', { network: ['*.example.com'] }, ['network: − GET api.example.org:8443/v1']],
    [
      'one host under the wildcard',
      { network: ['a.b.example.com', 'api.example.org:8443'] },
      ['network: − GET *.example.com/v1'],
    ],
    ['no network', { network: [] }, ['network: − GET *.example.com/v1, GET api.example.org:8443/v1']],
    [
      'fewer requests',
      { network: [sampleCapability('*.example.com', { requests: 5 }), 'api.example.org:8443'] },
      ['sends: − GET *.example.com/v1 (100 requests)'],
    ],
    [
      'a secret that goes to one host of the wildcard',
      withKey({ hosts: ['a.example.com'] }),
      ['DEMO_KEY: − *.example.com'],
    ],
    [
      'a secret on fewer surfaces',
      { secrets: [key, { ...other, in: ['query'] }] },
      ['OTHER_KEY: − in header'],
    ],
    ['no imports', { imports: null }, ['imports: − all of them']],
    ['a shorter timeout', limits({ timeout_ms: 1_000 }), ['timeout: 30 → 1 s']],
    ['less memory', limits({ memory_bytes: 134_217_728 }), ['memory: 256 → 128 MiB']],
    ['less processor', limits({ cpu_millis: 500 }), ['cpu: 1 → 0.5 cores']],
    ['fewer processes', limits({ pids: 8 }), ['processes: 64 → 8']],
    ['less scratch', limits({ tmp_bytes: 1_048_576 }), ['scratch: 64 → 1 MiB']],
    ['less output', limits({ output_bytes: 1_024 }), ['output: 256 → 1 KiB']],
  ])('does not cover %s: less can take another branch', async (_what, change, lines) => {
    await grant('forever')
    expect(await evaluate(change)).toEqual({ trusted: false, changes: lines })
  })

  it.each<[string, Partial<ReturnType<typeof sampleCapability>>, string]>([
    ['one method less', { methods: ['GET'] }, 'sends: − POST api.example.com/v1'],
    ['one path less', { paths: ['/v1'] }, 'sends: − GET|POST api.example.com/v2'],
    ['no WebSocket', { websocket: false }, 'WebSocket api.example.com/v1'],
    ['no GraphQL mutations', { graphql: 'query' }, 'GraphQL mutations'],
  ])('does not cover %s', async (_what, change, line) => {
    const wide = {
      methods: ['GET', 'POST'],
      paths: ['/v1', '/v2'],
      websocket: true,
      graphql: 'mutation',
    } as const
    await grant('forever', { network: [sampleCapability('api.example.com', wide)] })
    const verdict = await evaluate({ network: [sampleCapability('api.example.com', { ...wide, ...change })] })
    expect(verdict).toEqual({ trusted: false, changes: [expect.stringContaining(line)] })
  })

  it('does not cover code that may no longer be made from text, nor the same network in other entries', async () => {
    await grant('forever', { dynamic_code: true })
    expect(await evaluate()).toEqual({ trusted: false, changes: ['code made from text: − allowed'] })
    await grant('forever', { network: [sampleCapability('a.com', { paths: ['/a', '/b'], requests: 4 })] })
    const split = ['/a', '/b'].map((path, at) =>
      sampleCapability('a.com', { paths: [path], requests: at + 1 }),
    )
    expect((await evaluate({ network: split })).trusted).toBe(false)
  })

  it.each<[string, SampleChange, string]>([
    ['one more secret', { secrets: [key, other, { ...other, name: 'THIRD_KEY' }] }, 'secret: + THIRD_KEY'],
    ['another secret', { secrets: [{ ...key, name: 'DEMO_KEY2' }] }, 'secret: + DEMO_KEY2'],
    [
      'another method',
      { network: [sampleCapability('*.example.com', { methods: ['GET', 'POST'] })] },
      'sends: + POST *.example.com/v1',
    ],
    [
      'another path',
      { network: [sampleCapability('*.example.com', { paths: ['/v1', '/v2'] })] },
      'sends: + GET *.example.com/v2',
    ],
    [
      'a wider path',
      { network: [sampleCapability('*.example.com', { paths: ['/v1', '/v1/*'] })] },
      'sends: + GET *.example.com/v1/*',
    ],
    [
      'any method and path',
      { network: [sampleCapability('*.example.com', { methods: ['*'], paths: ['/**'] })] },
      'sends: + ANY method *.example.com, ANY path',
    ],
    [
      'more requests',
      { network: [sampleCapability('*.example.com', { requests: 101 })] },
      'sends: + GET *.example.com/v1 (up to 101 requests)',
    ],
    [
      'the same in two entries, which is twice as many requests',
      {
        network: [sampleCapability('a.example.com'), sampleCapability('b.example.com')],
      },
      'sends: + GET b.example.com/v1 (100 requests)',
    ],
    [
      'a WebSocket',
      { network: [sampleCapability('*.example.com', { websocket: true })] },
      'sends: + GET *.example.com/v1, WebSocket *.example.com/v1',
    ],
    [
      'GraphQL mutations',
      { network: [sampleCapability('*.example.com', { graphql: 'mutation' })] },
      'sends: + GET *.example.com/v1 (GraphQL mutations)',
    ],
    ['code made from text', { dynamic_code: true }, 'code made from text: + allowed'],
    ['one more host', { network: [...consent.network, 'evil.com'] }, 'network: + GET evil.com/v1'],
    ['the parent of the wildcard', { network: ['example.com'] }, 'network: + GET example.com/v1'],
    ['a wider wildcard', { network: ['*.example.org'] }, 'network: + GET *.example.org/v1'],
    ['another port', { network: ['a.example.com:8443'] }, 'network: + GET a.example.com:8443/v1'],
    ['plain http', { network: ['http://a.example.com'] }, 'network: + GET http://a.example.com/v1'],
    ['a secret to one more host', withKey({ hosts: ['*.example.com', 'evil.com'] }), 'DEMO_KEY: + evil.com'],
    ['a secret on one more surface', withKey({ in: ['header', 'body'] }), 'DEMO_KEY: + in body'],
    [
      'the value itself where a placeholder was approved',
      withKey({ mode: 'raw' }),
      'DEMO_KEY: placeholder → raw',
    ],
    [
      'other content of the same imports',
      { imports: { lock: 'd'.repeat(64), files: 2, bytes: 9, modules: ['npm:a@1.0.0'] } },
      'imports: the same names with OTHER content, or fewer of them',
    ],
    [
      'one more import',
      { imports: { lock: 'd'.repeat(64), files: 3, bytes: 10, modules: ['npm:a@1.0.0', 'npm:b@2.0.0'] } },
      'imports: + npm:b@2.0.0',
    ],
    [
      'a secret bound to other hosts',
      withKey({ bound_to: ['*.example.com', 'x.com'] }),
      'DEMO_KEY: its host binding was changed',
    ],
    ['a secret no longer bound', withKey({ bound_to: null }), 'DEMO_KEY: its host binding was changed'],
    ['a longer timeout', limits({ timeout_ms: 30_001 }), 'timeout: 30 → 30.001 s'],
    ['more memory', limits({ memory_bytes: 536_870_912 }), 'memory: 256 → 512 MiB'],
    ['more processor', limits({ cpu_millis: 2_000 }), 'cpu: 1 → 2 cores'],
    ['more processes', limits({ pids: 65 }), 'processes: 64 → 65'],
    ['more scratch', limits({ tmp_bytes: 134_217_728 }), 'scratch: 64 → 128 MiB'],
    ['more output', limits({ output_bytes: 524_288 }), 'output: 256 → 512 KiB'],
    ['other args', { args: '{"a":2}' }, 'args: other than approved'],
    ['no args', { args: null }, 'args: other than approved'],
    ['another agent', { agent: { id: 'agt_2', name: 'two' } }, 'agent: one → two'],
    ['another agent of the same name', { agent: { id: 'agt_2', name: 'one' } }, 'agent: one → one'],
    ['another runtime', { runtime: { ...consent.runtime, name: 'node' } }, 'runtime: deno → node'],
    [
      'another image',
      { runtime: { ...consent.runtime, image: 'sha256:2222' } },
      'runtime image: 1111 → 2222',
    ],
    [
      'weaker walls',
      { runtime: { ...consent.runtime, isolation: 'embedded' } },
      'sandbox: docker → embedded',
    ],
    [
      'other code',
      { code: { sha256: 'b'.repeat(64), bytes: 10 } },
      `code: ${'a'.repeat(12)} → ${'b'.repeat(12)}`,
    ],
  ])('does not cover %s, and says what is different', async (_what, change, line) => {
    await grant('forever')
    const verdict = await evaluate(change)
    expect(verdict.trusted).toBe(false)
    expect('changes' in verdict && verdict.changes[0], 'what is wider leads').toBe(line)
  })

  it('for the value itself does not cover a placeholder, nor the other way round', async () => {
    const raw = { secrets: [sampleRawSecret({ hosts: ['*.example.com'] })] }
    const placeholder = { secrets: [sampleSecret({ hosts: ['*.example.com'] })] }
    await grant('forever', raw, true)
    expect(await evaluate(placeholder)).toEqual({
      trusted: false,
      changes: ['DEMO_KEY: raw → placeholder', 'DEMO_KEY: − in body, query'],
    })
    expect(await isTrusted(raw)).toBe(true)

    await grant('forever', { ...placeholder, skill_id: 'other-skill' }, true)
    expect(await evaluate({ ...raw, skill_id: 'other-skill' })).toMatchObject({
      trusted: false,
      changes: expect.arrayContaining(['DEMO_KEY: placeholder → raw']),
    })
  })

  it('covers other args, and nothing else, when any args were granted', async () => {
    await grant('forever', {}, true)
    expect(await isTrusted({ args: '{"a":2}' })).toBe(true)
    expect(await isTrusted({ args: null })).toBe(true)
    expect(await isTrusted({ args: '{"a":2}', network: ['evil.com'] })).toBe(false)
  })

  it('of an earlier version covers what it said, any method and path of its hosts, and no narrower request', async () => {
    const { dynamic_code: _none, network, ...rest } = consent
    const json = canonicalJson({ ...rest, v: 2, network: network.map(({ host }) => host) })
    const hash = sha256Hex(json) as ConsentHash
    await world.kit.storage.transaction((tx) =>
      world.kit.trust.grant(tx, {
        sealed: { consent: openConsent(json, hash), json, hash },
        level: 'forever',
        anyArgs: false,
        requestId: 'req_old',
        actor: ACTOR,
      }),
    )
    expect(await isTrusted()).toBe(false)
    const any = {
      methods: ['*'],
      paths: ['/**'],
      requests: 10_000,
      websocket: true,
      graphql: 'mutation',
    } as const
    const asBefore = network.map(({ host }) => sampleCapability(host, any))
    expect(await isTrusted({ dynamic_code: true, network: asBefore })).toBe(true)
    expect(await isTrusted({ dynamic_code: true, network: asBefore.slice(1) })).toBe(false)
    const [grant] = await world.kit.storage.read((tx) => world.kit.trust.list(tx))
    expect(describeNetwork(openConsent(grant?.consentJson ?? '', hash).network)).toMatch(
      /^ANY method \*\.example\.com, ANY path/,
    )
  })

  it('does not cover another skill with the same code', async () => {
    await grant('forever')
    expect(await evaluate({ skill_id: 'other-skill' })).toEqual({ trusted: false, changes: [] })
  })

  it('lets two grants for different args stand beside each other', async () => {
    await grant('forever')
    await grant('24h', { args: '{"a":2}' })
    expect([
      await isTrusted(),
      await isTrusted({ args: '{"a":2}' }),
      await isTrusted({ args: '{"a":3}' }),
    ]).toEqual([true, true, false])
    expect(await world.kit.storage.read((tx) => world.kit.trust.list(tx))).toHaveLength(2)
  })

  it('does not add up two grants to a third that nobody gave', async () => {
    await grant('forever', { network: ['a.com'] })
    await grant('forever', { network: ['b.com'] })
    expect(await isTrusted({ network: ['a.com', 'b.com'] })).toBe(false)
  })

  it('keeps one grant for one scope: the later answer replaces the earlier', async () => {
    await grant('24h')
    const forever = await grant('forever')
    expect((await world.kit.storage.read((tx) => world.kit.trust.list(tx))).map(({ id }) => id)).toEqual([
      forever.id,
    ])
  })

  it('says what differs from the closest of several grants', async () => {
    await grant('forever', { network: ['a.com'], args: '{"b":1}' })
    await grant('forever', { network: ['a.com'] })
    expect(await evaluate({ network: ['a.com', 'c.com'] })).toEqual({
      trusted: false,
      changes: ['network: + GET c.com/v1'],
    })
  })
})
