import { describe, expect, it } from 'vitest'
import {
  sampleCapability,
  sampleConsent,
  sampleRawSecret,
  sampleSecret,
} from '../../../test/support/sample-consent.ts'
import first from '../../../test/vectors/consent-v1.json' with { type: 'json' }
import second from '../../../test/vectors/consent-v2.json' with { type: 'json' }
import third from '../../../test/vectors/consent-v3.json' with { type: 'json' }
import type { Capability } from '../../egress/capabilities/index.ts'
import { type ConsentHash, sha256Hex } from '../../kernel/index.ts'
import { type Consent, openConsent, type SignedSource, sealConsent, uncovered } from './index.ts'

const consent = sampleConsent({
  secrets: [
    sampleRawSecret({ name: 'B_KEY', hosts: ['b.com', 'a.com', 'b.com'], in: ['query', 'body'] }),
    sampleRawSecret({ name: 'A_KEY', hosts: [], in: [] }),
  ],
  network: ['b.com', 'a.com', 'a.com'],
  args: '{"a":1}',
  imports: {
    lock: 'c'.repeat(64),
    files: 2,
    bytes: 9,
    modules: ['npm:b@1.0.0', 'npm:a@1.0.0', 'npm:b@1.0.0'],
  },
})

const VARIANTS: readonly Partial<Capability>[] = [
  { methods: ['POST'] },
  { paths: ['/v2'] },
  { requests: 7 },
  { websocket: true },
  { graphql: 'mutation' },
]

const signed: SignedSource = {
  relation: 'signed',
  skill: 'report@1.0.0',
  url: 'https://a.com',
  registry: { name: 'acme', key: 'ed25519:one' },
  publisher: 'ed25519:two',
  accepted_publisher: null,
  pinned: false,
  declares: { description: '', secrets: [], network: [] },
}
const SIGNED: readonly Partial<SignedSource>[] = [
  {},
  { skill: 'report@1.0.1' },
  { registry: { name: 'acme', key: 'ed25519:other' } },
  { publisher: 'ed25519:other' },
  { accepted_publisher: 'ed25519:two' },
  { pinned: true },
  { declares: { description: 'x', secrets: [], network: [] } },
  { declares: { description: '', secrets: ['A'], network: [] } },
]

describe('a consent', () => {
  it('is one text, whatever the order of what it lists', () => {
    const reordered: Consent = {
      ...Object.fromEntries(Object.entries(consent).reverse()),
      secrets: consent.secrets
        .toReversed()
        .map((secret) => ({ ...secret, hosts: secret.hosts.toReversed(), in: secret.in.toReversed() })),
      network: consent.network.toReversed(),
    } as unknown as Consent
    expect(sealConsent(reordered).hash).toBe(sealConsent(consent).hash)
    expect(sealConsent(consent).consent).toMatchObject({
      network: [{ host: 'a.com' }, { host: 'b.com' }],
      secrets: [{ name: 'A_KEY' }, { hosts: ['a.com', 'b.com'] }],
      imports: { modules: ['npm:a@1.0.0', 'npm:b@1.0.0'] },
    })
  })

  it('opens to what was sealed', () => {
    const sealed = sealConsent(consent)
    expect(sealed.hash).toBe(sha256Hex(sealed.json))
    expect(openConsent(sealed.json, sealed.hash)).toEqual(sealed.consent)
  })

  it('tells who signed its code, and opens as it was sealed', () => {
    const sealed = sealConsent({ ...consent, source: signed })
    expect(openConsent(sealed.json, sealed.hash).source).toEqual(signed)
    const more = JSON.stringify({ ...sealed.consent, source: { ...signed, approved: true } })
    expect(() => openConsent(more, sha256Hex(more) as ConsentHash)).toThrow('does not match its hash')
  })

  it.each<[string, (json: string) => string]>([
    ['one byte more', (json) => `${json} `],
    ['another host', (json) => json.replace('a.com', 'e.com')],
    ['nothing', () => ''],
  ])('does not open with %s', (_what, change) => {
    const { json, hash } = sealConsent(consent)
    expect(() => openConsent(change(json), hash)).toThrow('does not match its hash')
  })

  it.each(third.consents)(
    'of this form opens as it was sealed before there were more places: $hash',
    ({ json, hash }) => {
      expect(openConsent(json, hash as ConsentHash)).toEqual(JSON.parse(json))
      expect(sealConsent(openConsent(json, hash as ConsentHash)).hash).toBe(hash)
    },
  )

  it('holds each place where a value may stand, and no other', () => {
    const everywhere = sampleSecret({ in: ['query', 'path', 'header', 'form', 'cookie', 'body'] })
    const sealed = sealConsent(sampleConsent({ secrets: [everywhere] }))
    expect(openConsent(sealed.json, sealed.hash).secrets[0]?.in).toEqual([
      ...['body', 'cookie', 'form', 'header', 'path', 'query'],
    ])
    const elsewhere = JSON.stringify(
      sampleConsent({ secrets: [sampleSecret({ in: ['fragment'] as never })] }),
    )
    expect(() => openConsent(elsewhere, sha256Hex(elsewhere) as never)).toThrow('does not match its hash')
  })

  it('does not open in another form, also when its hash is right', () => {
    for (const other of [{ ...consent, v: 4 }, { ...consent, extra: 1 }, { v: 1 }, null]) {
      const json = JSON.stringify(other)
      expect(() => openConsent(json, sha256Hex(json) as never)).toThrow('does not match its hash')
    }
  })

  it.each([...first.consents, ...second.consents])(
    'of an earlier form opens as what it said then: $hash',
    ({ json, hash }) => {
      const stored = JSON.parse(json)
      expect(openConsent(json, hash as ConsentHash)).toEqual({
        imports: null,
        ...stored,
        v: 3,
        dynamic_code: true,
        network: stored.network.map((host: string) => ({
          host,
          methods: ['*'],
          paths: ['/**'],
          requests: 10_000,
          websocket: true,
          graphql: 'mutation',
        })),
      })
      expect(() => openConsent(json.replace('demo', 'other'), hash as ConsentHash)).toThrow(
        'does not match its hash',
      )
    },
  )

  it('has another hash for every fact that differs', () => {
    const variants: Partial<Consent>[] = [
      ...[
        {},
        { skill_id: 'x' },
        { description: 'x' },
        { args: null },
        { args: '{}' },
        { network: [] },
        ...VARIANTS.map((change) => ({ network: [sampleCapability('a.com', change)] })),
        { dynamic_code: true },
        { secrets: [] },
        { imports: null },
        { imports: { lock: 'd'.repeat(64), files: 2, bytes: 9, modules: ['npm:a@1.0.0', 'npm:b@1.0.0'] } },
        { secrets: consent.secrets.map((secret) => ({ ...secret, mode: 'placeholder' as const })) },
      ],
      ...[{ agent: { id: 'agt_2', name: 'one' } }, { code: { sha256: 'b'.repeat(64), bytes: 10 } }],
      ...[{ limits: { ...consent.limits, pids: 5 } }, { runtime: { ...consent.runtime, image: 'x' } }],
      { source: { url: 'https://a.com', relation: 'same' } },
      ...SIGNED.map((change) => ({ source: { ...signed, ...change } })),
    ]
    expect(new Set(variants.map((variant) => sealConsent({ ...consent, ...variant }).hash)).size).toBe(
      variants.length,
    )
  })

  it('counts a host that cannot be read as not covered', () => {
    expect(uncovered(['*.a.com', 'not a host'], ['x.a.com', 'not a host', 'a.com'])).toEqual([
      'not a host',
      'a.com',
    ])
  })
})
