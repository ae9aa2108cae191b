import { describe, expect, it } from 'vitest'
import { requestOf } from '../../test/support/domain-kit.ts'
import { createUnitDouble } from '../../test/support/unit-double.ts'
import type { Consent } from '../approvals/consent/index.ts'
import type { Agent } from '../identity/agents/index.ts'
import { unreadableFacts } from './facts/index.ts'
import { draftConsent, type ExecuteRequest, type RequestedSecret } from './request.ts'

const AGENT = { id: 'agt_1', name: 'one' } as Agent
const NETWORK = ['api.example.com', '*.example.org']

/** The secrets of the consent for a request that names these; `bound` is what the owner bound each of them to. */
async function secretsOf(
  secrets: readonly RequestedSecret[],
  bound: Record<string, readonly string[]> = {},
  request: Partial<ExecuteRequest> = {},
): Promise<Consent['secrets']> {
  const { consent } = await createUnitDouble().read((tx) =>
    draftConsent(
      tx,
      AGENT,
      requestOf({ network: NETWORK, secrets, ...request }),
      { code: 'run()', source: null, metadata: {} },
      { kind: 'docker', runtimes: [{ name: 'deno', image: 'sha256:1' }], notes: [], warm: 0 },
      { binding: async (_tx, name) => bound[name] ?? null },
      unreadableFacts('javascript', 'not read here'),
    ),
  )
  return consent.secrets
}
const secretOf = async (secret: Partial<RequestedSecret> = {}, bound?: readonly string[]) =>
  (await secretsOf([{ name: 'DEMO_KEY', ...secret }], bound ? { DEMO_KEY: bound } : {}))[0]

describe('a secret that is asked for', () => {
  it('is a placeholder that goes in headers to the hosts of the network, unless more is said', async () => {
    expect(await secretOf()).toEqual({
      name: 'DEMO_KEY',
      mode: 'placeholder',
      hosts: ['*.example.org', 'api.example.com'],
      in: ['header'],
      bound_to: null,
    })
  })

  it.each<[RequestedSecret['in'], string[]]>([
    [['query'], ['query']],
    [
      ['header', 'query'],
      ['header', 'query'],
    ],
    [
      ['query', 'header', 'body'],
      ['body', 'header', 'query'],
    ],
  ])('goes in the parts of a request that were asked for: %j', async (asked, expected) => {
    expect((await secretOf({ in: asked ?? [] }))?.in).toEqual(expected)
  })

  it('is refused with a list of parts that names none', async () => {
    await expect(secretOf({ in: [] })).rejects.toThrow(expect.objectContaining({ code: 'invalid_request' }))
  })

  it('goes only to those of the hosts that were asked for', async () => {
    expect((await secretOf({ hosts: ['api.example.com'] }))?.hosts).toEqual(['api.example.com'])
  })

  it.each<[readonly string[], string[]]>([
    [['api.example.com'], ['api.example.com']],
    [['api.example.com', 'other.com'], ['api.example.com']],
    [['a.example.org'], ['a.example.org']],
    [['*.example.com'], ['api.example.com']],
    [
      ['*.b.example.org', 'api.example.com'],
      ['*.b.example.org', 'api.example.com'],
    ],
    [['api.example.com:8443'], []],
    [['http://api.example.com'], []],
    [['example.org'], []],
    [['evil.com'], []],
  ])('bound to %j goes only where both allow', async (bound, expected) => {
    expect(await secretOf({}, bound)).toMatchObject({ mode: 'placeholder', hosts: expected, bound_to: bound })
  })

  it('goes nowhere without a network', async () => {
    const [secret] = await secretsOf([{ name: 'DEMO_KEY' }], {}, { network: [] })
    expect(secret).toMatchObject({ mode: 'placeholder', hosts: [] })
  })

  it('is the value itself only when raw is asked for, and then may go wherever the code may, binding or not', async () => {
    const [raw, other] = await secretsOf(
      [
        { name: 'RAW_KEY', mode: 'raw', hosts: ['api.example.com'], in: ['header'] },
        { name: 'SAFE_KEY', mode: 'placeholder' },
      ],
      { RAW_KEY: ['api.example.com'] },
    )
    expect(raw).toEqual({
      name: 'RAW_KEY',
      mode: 'raw',
      hosts: ['*.example.org', 'api.example.com'],
      in: ['body', 'header', 'query'],
      bound_to: ['api.example.com'],
    })
    expect(other?.mode).toBe('placeholder')
  })

  it.each(['placeholder', 'raw'] as const)(
    'as %s is refused with a host outside the network',
    async (mode) => {
      await expect(secretOf({ mode, hosts: ['evil.com'] })).rejects.toThrow(
        'evil.com is not in the network list',
      )
    },
  )
})
