import { expect, it } from 'vitest'
import { EGRESS_RULES, type EgressRule } from '../kernel/index.ts'
import { describeRefusal } from './describe-refusal.ts'

const refusal = (change: Partial<Parameters<typeof describeRefusal>[0]> = {}) => ({
  rule: 'host_not_approved' as const,
  origin: 'https://evil.com',
  secrets: [],
  count: 1,
  ...change,
})

it('names the host, the rule in few words, and how often', () => {
  expect(describeRefusal(refusal())).toBe('evil.com: not on the approved list')
  expect(describeRefusal(refusal({ count: 2 }))).toBe('evil.com: not on the approved list (2×)')
  expect(describeRefusal(refusal({ rule: 'plain_http_not_approved', origin: 'http://a.com:8080' }))).toBe(
    'http://a.com:8080: plain http was not approved',
  )
})

it('names the secret whose placeholder went astray', () => {
  const said = (rule: EgressRule): string =>
    describeRefusal(refusal({ rule, secrets: ['OPENAI_API_KEY', 'B_KEY'] }))
  expect(said('secret_not_for_host')).toBe('OPENAI_API_KEY, B_KEY placeholder sent to evil.com')
  expect(said('secret_not_for_surface')).toBe(
    'OPENAI_API_KEY, B_KEY placeholder sent to evil.com in a part not approved',
  )
  expect(said('host_not_approved')).toBe(
    'OPENAI_API_KEY, B_KEY placeholder sent to evil.com: not on the approved list',
  )
})

it('has words for every rule, on one short line', () => {
  for (const rule of Object.keys(EGRESS_RULES) as EgressRule[]) {
    const said = describeRefusal(refusal({ rule }))
    expect(said).toMatch(/^evil\.com: \S/)
    expect(said.length).toBeLessThan(70)
  }
})

it('keeps what hostile code wrote as a host on one line, visible and bounded', () => {
  const said = describeRefusal(
    refusal({ origin: `https://a\u202e\n\u001b[31m${'x'.repeat(5_000)}`, secrets: ['A'.repeat(128), 'B'] }),
  )
  expect(said).toContain('a⟨U+202E⟩ ⟨U+001B⟩[31mx')
  for (const hidden of ['\u202e', '\n', '\u001b']) expect(said).not.toContain(hidden)
  expect(said.length).toBeLessThan(220)
})
