import { describe, expect, it } from 'vitest'
import { sha256Hex } from '../../kernel/index.ts'
import { type Consent, openConsent, sealConsent, uncovered } from './index.ts'

const consent: Consent = {
  v: 1,
  skill_id: 'demo-skill',
  description: 'demo',
  code: { sha256: 'a'.repeat(64), bytes: 10 },
  source: null,
  agent: { id: 'agt_1', name: 'one' },
  runtime: { name: 'deno', image: 'sha256:1111', isolation: 'docker' },
  secrets: [
    { name: 'B_KEY', mode: 'raw', hosts: ['b.com', 'a.com', 'b.com'], in: ['query', 'body'], bound_to: null },
    { name: 'A_KEY', mode: 'raw', hosts: [], in: [], bound_to: null },
  ],
  network: ['b.com', 'a.com', 'a.com'],
  args: '{"a":1}',
  limits: { timeout_ms: 1, memory_bytes: 2, cpu_millis: 3, pids: 4, tmp_bytes: 5, output_bytes: 6 },
}

describe('a consent', () => {
  it('is one text, whatever the order of what it lists', () => {
    const reordered: Consent = {
      ...Object.fromEntries(Object.entries(consent).reverse()),
      secrets: consent.secrets
        .toReversed()
        .map((secret) => ({ ...secret, hosts: secret.hosts.toReversed(), in: secret.in.toReversed() })),
      network: ['a.com', 'b.com'],
    } as Consent
    expect(sealConsent(reordered).hash).toBe(sealConsent(consent).hash)
    expect(sealConsent(consent).consent).toMatchObject({
      network: ['a.com', 'b.com'],
      secrets: [{ name: 'A_KEY' }, { hosts: ['a.com', 'b.com'] }],
    })
  })

  it('opens to what was sealed', () => {
    const sealed = sealConsent(consent)
    expect(sealed.hash).toBe(sha256Hex(sealed.json))
    expect(openConsent(sealed.json, sealed.hash)).toEqual(sealed.consent)
  })

  it.each<[string, (json: string) => string]>([
    ['one byte more', (json) => `${json} `],
    ['another host', (json) => json.replace('a.com', 'e.com')],
    ['nothing', () => ''],
  ])('does not open with %s', (_what, change) => {
    const { json, hash } = sealConsent(consent)
    expect(() => openConsent(change(json), hash)).toThrow('does not match its hash')
  })

  it('does not open in another form, also when its hash is right', () => {
    for (const other of [{ ...consent, v: 2 }, { ...consent, extra: 1 }, { v: 1 }, null]) {
      const json = JSON.stringify(other)
      expect(() => openConsent(json, sha256Hex(json) as never)).toThrow('does not match its hash')
    }
  })

  it('has another hash for every fact that differs', () => {
    const variants: Partial<Consent>[] = [
      ...[
        {},
        { skill_id: 'x' },
        { description: 'x' },
        { args: null },
        { args: '{}' },
        { network: [] },
        { secrets: [] },
      ],
      ...[{ agent: { id: 'agt_2', name: 'one' } }, { code: { sha256: 'b'.repeat(64), bytes: 10 } }],
      ...[{ limits: { ...consent.limits, pids: 5 } }, { runtime: { ...consent.runtime, image: 'x' } }],
      { source: { url: 'https://a.com', relation: 'same' } },
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
