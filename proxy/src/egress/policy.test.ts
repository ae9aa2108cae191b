import { describe, expect, it } from 'vitest'
import { placeholderOf, policyOf } from '../../test/support/egress-policy.ts'
import { SecretValue } from '../kernel/index.ts'
import { createScrubber, scrubText } from '../scrub/index.ts'
import { anyCapability } from './capabilities/index.ts'
import { approvedAddresses, bothAllow, createPolicy, reaches } from './policy.ts'

describe('bothAllow', () => {
  it.each([
    [['a.example'], null, ['a.example']],
    [['a.example', 'b.example'], ['b.example'], ['b.example']],
    [['a.example'], ['b.example'], []],
    [['a.example'], [], []],
    [['api.a.example'], ['*.a.example'], ['api.a.example']],
    [['*.a.example'], ['api.a.example'], ['api.a.example']],
    [['*.a.example'], ['*.b.a.example'], ['*.b.a.example']],
    [['*.a.example'], ['a.example'], []],
    [['a.example:8443'], ['a.example'], []],
    [['http://a.example'], ['a.example'], []],
    [
      ['*.a.example', 'a.example'],
      ['*.a.example', 'a.example'],
      ['*.a.example', 'a.example'],
    ],
  ])('%j and %j leave %j', (asked, bound, left) => {
    expect(bothAllow(asked, bound)).toEqual(left)
  })
})

describe('createPolicy', () => {
  it('gives a secret a placeholder of its own', () => {
    const policy = policyOf(['a.example'], { KEY: { value: 'sk-demo-value-one-two', hosts: ['a.example'] } })
    expect(placeholderOf(policy, 'KEY')).toMatch(/^sk-oauth3x[0-9a-f]{40}$/)
  })

  it.each([
    ['00000000-0000-0000-0000-000000000000:fx', /^oauth3x[0-9a-f]{40}:fx$/],
    [`${'0'.repeat(32)}-us21`, /^oauth3x[0-9a-f]{40}-us21$/],
    ['testsk_demo.eu', /^oauth3x[0-9a-f]{40}\.eu$/],
    ['sk_test_demo.eu', /^sk_test_oauth3x[0-9a-f]{40}\.eu$/],
    [`a1b2c3.d4e5f6:${'0a'.repeat(16)}`, /^a1b2c3\.d4e5f6:oauth3x[0-9a-f]{40}$/],
    [
      `access_token$sandbox$a1b2c3$${'0a'.repeat(16)}`,
      /^access_token\$sandbox\$a1b2c3\$oauth3x[0-9a-f]{40}$/,
    ],
    [`vercel_blob_rw_a1B2_${'0a'.repeat(15)}`, /^vercel_blob_rw_a1B2_oauth3x[0-9a-f]{40}$/],
    [`AC${'0a'.repeat(16)}`, /^ACoauth3x[0-9a-f]{40}$/],
    ['sb_secret_demo', /^sb_secret_oauth3x[0-9a-f]{40}$/],
    ['sk_dev_demo', /^sk_dev_oauth3x[0-9a-f]{40}$/],
    // Of no other value more than a known beginning.
    ['demo-value:fx', /^oauth3x[0-9a-f]{40}$/],
    ['demo-value-us21', /^oauth3x[0-9a-f]{40}$/],
    ['demo-value.eu', /^oauth3x[0-9a-f]{40}$/],
    ['a1b2c3.d4e5f6:demo', /^oauth3x[0-9a-f]{40}$/],
    [`a1b2c3.d4e5f6:${'0a'.repeat(15)}`, /^oauth3x[0-9a-f]{40}$/],
    [`user.d4e5f6:${'0a'.repeat(16)}`, /^oauth3x[0-9a-f]{40}$/],
    [`vercel_blob_rw_a1B2_${'0a'.repeat(7)}`, /^oauth3x[0-9a-f]{40}$/],
    [`access_token$other$a1b2c3$${'0a'.repeat(16)}`, /^oauth3x[0-9a-f]{40}$/],
    ['access_token$sandbox$demo', /^oauth3x[0-9a-f]{40}$/],
    ['vercel_blob_rw_demo', /^oauth3x[0-9a-f]{40}$/],
    ['ACdemo', /^oauth3x[0-9a-f]{40}$/],
    ['sk_test_demo.example', /^sk_test_oauth3x[0-9a-f]{40}$/],
  ])('begins and ends a placeholder as libraries expect of %j', (value, placeholder) => {
    const policy = policyOf(['a.example'], { KEY: { value, hosts: ['a.example'] } })
    expect(placeholderOf(policy, 'KEY')).toMatch(placeholder)
  })

  // Code may send a stem without the rest, and an approved host send back what it was given.
  it.each([
    '00000000-0000-0000-0000-00000000000a:fx',
    `${'0a'.repeat(16)}-us21`,
    'sk_demo.eu',
    'sk_d.eu',
    `a1b2c3.d4e5f6:${'0a'.repeat(16)}`,
    `access_token$sandbox$a1b2c3$${'0a'.repeat(16)}`,
    `vercel_blob_rw_a1B2_${'0a'.repeat(8)}`,
    `AC${'0a'.repeat(16)}`,
  ])('puts in nothing of %j that is not found in an answer', (value) => {
    const { secrets, scrubber } = policyOf(['a.example'], { KEY: { value, hosts: ['a.example'] } })
    for (const { replacement } of secrets) {
      const echoed = replacement.open()
      for (const text of [echoed, `${echoed}:other`, Buffer.from(echoed).toString('base64')])
        expect(scrubText(scrubber(), text)).toMatch(/^\[secret:KEY\](?::other|=*)$/)
    }
  })

  it('makes another placeholder for each run', () => {
    const build = () => policyOf(['a.example'], { KEY: { value: 'demo-value', hosts: ['a.example'] } })
    expect(placeholderOf(build(), 'KEY')).not.toBe(placeholderOf(build(), 'KEY'))
  })

  it('binds a secret to hosts that the person and the owner both named', () => {
    const policy = createPolicy(
      {
        owner: 'agt_1',
        network: ['*.a.example', 'b.example'].map(anyCapability),
        secrets: [
          {
            name: 'KEY',
            value: new SecretValue('demo-value'),
            hosts: ['*.a.example', 'b.example'],
            boundTo: ['api.a.example'],
            surfaces: ['header'],
          },
        ],
      },
      () => createScrubber(new Map()),
    )
    const [secret] = policy.secrets
    const at = (host: string) => reaches(secret?.hosts ?? [], { scheme: 'https', host, port: 443 })
    expect(['api.a.example', 'www.a.example', 'b.example'].map(at)).toEqual([true, false, false])
  })
})

it('takes addresses as approved only for their own port and scheme', () => {
  const policy = policyOf(['10.0.0.7', '10.0.0.8:8443', 'http://10.0.0.9', '[fd00::1]', 'a.example'])
  const at = (scheme: 'https' | 'http', port: number) => [
    ...approvedAddresses(policy, { scheme, host: 'a.example', port }),
  ]
  expect(at('https', 443)).toEqual(['10.0.0.7', 'fd00::1'])
  expect(at('https', 8443)).toEqual(['10.0.0.8'])
  expect(at('http', 80)).toEqual(['10.0.0.9'])
})
