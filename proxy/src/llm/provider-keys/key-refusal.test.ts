import { describe, expect, it } from 'vitest'
import { START, USE, useProviderKeys } from '../../../test/support/provider-keys-kit.ts'
import type { KeyUse } from './ports.ts'

const world = useProviderKeys()
const { label, pick, add, answered } = world

const OTHER: KeyUse = { endpoint: 'POST /chat/completions', model: 'gpt-5-mini' }

describe('a refusal', () => {
  const restsFor = async (use: KeyUse): Promise<boolean> => label(await pick({ use })) === 'keys_in_cooldown'

  it.each([401, 429])('with %i is about the model and endpoint that it was drawn by', async (status) => {
    const { id } = await add()
    answered(id, status, '60')
    expect([await restsFor(USE), await restsFor(OTHER)]).toEqual([true, false])
    expect(await restsFor({ ...USE, endpoint: 'POST /responses' })).toBe(false)
    expect(world.keys.list()[0]?.cooldown).toMatchObject({ agents: 1, parts: 1 })
  })

  it.each<[string, number, { headers?: readonly string[]; body?: string }, boolean]>([
    ['OpenAI: a wrong key', 401, { body: '{"error":{"message":"no","code":"invalid_api_key"}}' }, true],
    [
      'Anthropic: a wrong key',
      401,
      { body: '{"type":"error","error":{"type":"authentication_error"}}' },
      true,
    ],
    ['Google: no credential', 401, { body: '{"error":{"code":401,"status":"UNAUTHENTICATED"}}' }, true],
    ['RFC 6750: a dead token', 401, { headers: ['WWW-Authenticate', 'Bearer error="invalid_token"'] }, true],
    [
      'RFC 6750: no scope',
      401,
      { headers: ['WWW-Authenticate', 'Bearer error="insufficient_scope"'] },
      false,
    ],
    [
      'OpenAI: a restricted key',
      401,
      {
        body: '{"error":{"message":"You have insufficient permissions for this operation. Missing scopes: api.model.read. If you use a restricted API key, check it","type":"invalid_request_error","code":null}}',
      },
      false,
    ],
    ['somebody: a word of its own', 401, { body: '{"detail":"Unauthorized"}' }, false],
    ['OpenAI: nothing left to spend', 429, { body: '{"error":{"code":"insufficient_quota"}}' }, true],
    ['OpenAI: a limit of the model', 429, { body: '{"error":{"code":"rate_limit_exceeded"}}' }, false],
    [
      'Google: a quota of the model',
      429,
      { body: '{"quotaId":"GenerateRequestsPerDayPerProjectPerModel-FreeTier"}' },
      false,
    ],
    [
      'Google: a quota of the project',
      429,
      { body: '{"quotaId":"GenerateRequestsPerMinutePerProject"}' },
      true,
    ],
    ['GitHub: of the model', 429, { headers: ['x-ratelimit-type', 'UserByModelByDay'] }, false],
    ['GitHub: of the user', 429, { headers: ['x-ratelimit-type', 'UserConcurrentRequests'] }, true],
    [
      'Anthropic: five hours of the account',
      429,
      {
        headers: [
          ...['anthropic-ratelimit-unified-status', 'rejected'],
          ...['anthropic-ratelimit-unified-representative-claim', 'five_hour'],
        ],
      },
      true,
    ],
    [
      'Anthropic: seven days of one model',
      429,
      {
        headers: [
          ...['anthropic-ratelimit-unified-status', 'rejected'],
          ...['anthropic-ratelimit-unified-representative-claim', 'seven_day_opus'],
        ],
      },
      false,
    ],
  ])('is read as the vendor means it: %s', async (_, status, said, isOfKey) => {
    const { id } = await add()
    answered(id, status, null, 'one', said)
    expect([await restsFor(USE), await restsFor(OTHER)]).toEqual([true, isOfKey])
  })

  it.each<[readonly string[], string, number]>([
    [['retry-after-ms', '1500', 'retry-after', '60'], '', 2],
    [[], '{"details":[{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"7.5s"}]}', 8],
    [['anthropic-ratelimit-unified-reset', String(START / 1_000 + 90)], '', 90],
  ])('says how long in the ways that vendors have: %j %s', async (headers, body, seconds) => {
    const { id } = await add()
    answered(id, 429, null, 'one', { headers, body })
    expect(await pick()).toEqual({ refused: 'keys_in_cooldown', retryAfterSeconds: seconds })
  })

  it('of ever new models leaves the key alone for that agent after a while, and keeps no more of them', async () => {
    const { id } = await add()
    for (let at = 0; at < 1_000; at += 1)
      answered(id, 429, '60', 'hostile', { use: { ...USE, model: `made-up-${at}` } })
    expect(label(await pick({ agentId: 'hostile' }))).toBe('keys_in_cooldown')
    expect(label(await pick({ agentId: 'other' }))).toBe('key-1')
    expect(world.keys.list()[0]?.cooldown?.parts).toBe(0)
  })
})
