import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createDomainKit, type DomainKit } from '../../../test/support/domain-kit.ts'
import { createProviderKeyStore, createProviderStore } from '../../adapters/storage/index.ts'
import { SecretValue } from '../../kernel/index.ts'
import { createProviders } from '../providers/index.ts'
import type { KeyUse, NewProviderKey, PickedKey, ProviderKeys } from './ports.ts'
import { createProviderKeys } from './provider-keys.ts'

const ACTOR = 'cli:0'
const START = Date.UTC(2030, 0, 2, 3, 4, 5)
const failing = (code: string) => expect.objectContaining({ code })

let dir: string
let kit: DomainKit
let keys: ProviderKeys
let now: number
let chance: number
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'oauth3-provider-keys-'))
  now = START
  chance = 0
  kit = await createDomainKit({ dir, clock: { now: () => now } })
  keys = build()
})
afterEach(async () => {
  await kit[Symbol.asyncDispose]()
  rmSync(dir, { recursive: true })
})

const build = (): ProviderKeys =>
  createProviderKeys({
    ...kit,
    repository: createProviderKeyStore(kit.db),
    providers: createProviders({ ...kit, repository: createProviderStore(kit.db) }),
    random: () => chance,
  })

let made = 0
const add = (input: Partial<Omit<NewProviderKey, 'value'>> & { value?: string } = {}) => {
  made += 1
  const { value = `demo-value-${made}`, ...rest } = input
  return keys.add({ provider: 'openai', ...rest, value: new SecretValue(value) }, ACTOR)
}
const USE: KeyUse = { endpoint: 'POST /chat/completions', model: 'gpt-5' }
const OTHER: KeyUse = { endpoint: 'POST /chat/completions', model: 'gpt-5-mini' }
const pick = (want: Partial<Parameters<ProviderKeys['pick']>[0]> = {}) =>
  keys.pick({ provider: 'openai', model: 'gpt-5', tags: [], agentId: 'one', use: USE, ...want })
const label = (picked: ReturnType<typeof pick>): string =>
  'refused' in picked ? picked.refused : picked.label
const value = (picked: ReturnType<typeof pick>): string => {
  if ('refused' in picked) throw new Error(picked.refused)
  return picked.value.open()
}
const events = (): string[] => [...kit.audit.export()].map(({ event }) => event)
const openings = (): number => events().filter((event) => event === 'provider.key_opened').length

describe("a provider's key", () => {
  it('is kept sealed, and opens after a restart', async () => {
    const added = add({
      label: 'main',
      value: 'demo-value-main',
      tags: ['work', 'lab', 'lab'],
      weight: 3,
      models: ['gpt-*'],
    })
    expect(added).toEqual({
      id: 1,
      provider: 'openai',
      label: 'main',
      tags: ['lab', 'work'],
      weight: 3,
      models: ['gpt-*'],
      createdAt: START,
    })
    expect(value(pick({ tags: ['lab', 'work'] }))).toBe('demo-value-main')
    const everything = JSON.stringify([
      kit.db.prepare('SELECT * FROM provider_keys').all(),
      [...kit.audit.export()],
      keys.list(),
    ])
    expect(everything).not.toContain('demo-value-main')
    expect(everything).not.toContain(Buffer.from('demo-value-main').toString('base64'))

    await kit[Symbol.asyncDispose]()
    kit = await createDomainKit({ dir, clock: { now: () => now } })
    keys = build()
    expect(keys.list()).toEqual([{ ...added, cooldown: null }])
    expect(value(pick({ tags: ['lab', 'work'] }))).toBe('demo-value-main')
  })

  it('does not open as another key', () => {
    add({ label: 'one' })
    add({ label: 'two' })
    kit.db.exec(`UPDATE provider_keys SET encrypted_value =
      (SELECT encrypted_value FROM provider_keys WHERE label = 'one') WHERE label = 'two'`)
    chance = 0.9
    expect(() => pick()).toThrow(failing('locked'))
    expect(openings()).toBe(1)
  })

  it('is told to the audit when it is stored, opened and removed, and never with its value', () => {
    const { id } = add({ label: 'main', value: 'demo-value-main' })
    pick()
    keys.remove(id, ACTOR)
    expect(events()).toEqual(['provider.key_added', 'provider.key_opened', 'provider.key_removed'])
    expect(JSON.stringify([...kit.audit.export()])).not.toContain('demo-value-main')
    expect(kit.audit.verify().ok).toBe(true)
  })

  it('gets a label when it is given none, and an id that no key ever had', () => {
    expect([add().label, add().label]).toEqual(['key-1', 'key-2'])
    keys.remove(2, ACTOR)
    expect(add()).toMatchObject({ id: 3, label: 'key-3' })
    add({ label: 'key-5' })
    expect(add()).toMatchObject({ id: 5, label: 'key-5-2' })
  })

  it('is refused when the provider has it already, or its label', () => {
    add({ label: 'main', value: 'demo-value-main' })
    expect(() => add({ label: 'main' })).toThrow(failing('conflict'))
    expect(() => add({ label: 'again', value: 'demo-value-main' })).toThrow(failing('conflict'))
    expect(add({ provider: 'groq', label: 'main', value: 'demo-value-main' }).provider).toBe('groq')
    expect(keys.list('openai')).toHaveLength(1)
  })

  it.each<[string, Parameters<typeof add>[0], string]>([
    ['of nobody', { provider: 'nobody' }, 'invalid_request'],
    ['of what every object has', { provider: 'constructor' }, 'invalid_request'],
    ['of a provider that takes none', { provider: 'ollama' }, 'invalid_request'],
    ['that is empty', { value: '' }, 'invalid_request'],
    ['that is too short to be found in an answer', { value: 'short' }, 'invalid_request'],
    ['with a line break', { value: 'demo-value\r\nHost: x' }, 'invalid_request'],
    ['with a line break at its end', { value: 'demo-value\n' }, 'invalid_request'],
    ['with its scheme', { value: 'Bearer demo-value' }, 'invalid_request'],
    ['that is not ASCII', { value: 'demo-välue' }, 'invalid_request'],
    ['that no header takes', { value: 'x'.repeat(8193) }, 'too_large'],
    ['without weight', { weight: 0 }, 'invalid_request'],
    ['of part of a weight', { weight: 1.5 }, 'invalid_request'],
    ['of too much weight', { weight: 1001 }, 'invalid_request'],
    ['with a label that is none', { label: '<b>' }, 'invalid_request'],
    ['with a tag that is none', { tags: ['A b'] }, 'invalid_request'],
    ['with too many tags', { tags: Array.from({ length: 17 }, (_, n) => `t${n}`) }, 'invalid_request'],
    ['with a model that is none', { models: ['gpt 5'] }, 'invalid_request'],
    ['with a star in the middle', { models: ['gpt-*-mini'] }, 'invalid_request'],
  ])('is refused %s', (_what, input, code) => {
    expect(() => add(input)).toThrow(failing(code))
    expect(keys.list()).toEqual([])
  })

  it('can be stored before the provider is filled in', () => {
    expect(add({ provider: 'azure' }).provider).toBe('azure')
  })

  it('that is not there cannot be removed', () => {
    expect(() => keys.remove(1, ACTOR)).toThrow(failing('not_found'))
  })
})

describe('which key is picked', () => {
  it('is none where the provider has none', () => {
    add({ provider: 'groq' })
    expect(pick()).toEqual({ refused: 'no_key' })
    expect(pick({ provider: 'constructor' })).toEqual({ refused: 'no_key' })
  })

  it('is never one with a tag that the agent lacks', () => {
    add({ label: 'work', tags: ['work'] })
    add({ label: 'both', tags: ['lab', 'work'] })
    expect(label(pick())).toBe('no_key')
    expect(label(pick({ tags: ['lab'] }))).toBe('no_key')
    expect(label(pick({ tags: ['work'] }))).toBe('work')
    expect(label(pick({ tags: ['lab', 'other', 'work'] }))).toBe('both')
  })

  it('is one with most of the tags, and one without any where nothing else is left', () => {
    add({ label: 'plain', weight: 1000 })
    const { id } = add({ label: 'work', tags: ['work'] })
    expect(label(pick({ tags: ['work'] }))).toBe('work')
    expect(label(pick())).toBe('plain')
    answered(id, 429, '10')
    expect(label(pick({ tags: ['work'] }))).toBe('plain')
  })

  it('is for the model that is asked for', () => {
    add({ label: 'exact', models: ['gpt-5'] })
    expect(label(pick({ model: 'gpt-5' }))).toBe('exact')
    expect(label(pick({ model: 'gpt-5-mini' }))).toBe('no_key')
    expect(label(pick({ model: null }))).toBe('no_key')
    const { id } = add({ label: 'beginning', models: ['o3*'] })
    expect(label(pick({ model: 'o3' }))).toBe('beginning')
    expect(label(pick({ model: 'o3-mini' }))).toBe('beginning')
    expect(label(pick({ model: 'xo3' }))).toBe('no_key')
    keys.remove(id, ACTOR)
    expect(add({ label: 'any', models: ['*'] }).models).toBeNull()
    expect(label(pick({ model: null }))).toBe('any')
  })

  it('is drawn by weight among equals', () => {
    add({ label: 'one', weight: 1 })
    add({ label: 'three', weight: 3 })
    add({ label: 'four', weight: 4 })
    const drawn: Record<string, number> = {}
    for (let step = 0; step < 80; step += 1) {
      chance = (step + 0.5) / 80
      const chosen = label(pick())
      drawn[chosen] = (drawn[chosen] ?? 0) + 1
    }
    expect(drawn).toEqual({ one: 10, three: 30, four: 40 })
  })
})

const answered = (
  id: number,
  status: number,
  retryAfter: string | null,
  agentId = 'one',
  more: { readonly use?: KeyUse; readonly headers?: readonly string[]; readonly body?: string } = {},
): void => {
  const { use = USE, headers = [], body = '' } = more
  keys.answered(id, agentId, use, {
    status,
    headers: retryAfter === null ? headers : ['Retry-After', retryAfter, ...headers],
    body,
  })
}

describe('a key that was refused', () => {
  it.each<[number, string | null, number]>([
    [401, null, 300],
    [401, '1', 300],
    [429, null, 30],
    [429, '', 30],
    [429, 'soon', 30],
    [429, '-5', 30],
    [429, '1e9', 30],
    [429, '2030', 2030],
    [429, '7', 7],
    [429, ' 7 ', 7],
    [429, '0', 1],
    [429, '0.2', 1],
    [429, '1.5', 2],
    [429, '999999999', 3600],
    [429, 'Wed, 02 Jan 2030 03:04:25 GMT', 20],
    [429, 'Wed, 02 Jan 2030 03:00:00 GMT', 1],
    [429, 'Thu, 03 Jan 2030 03:04:05 GMT', 3600],
    [429, 'Wed, 99 Jan 2030 03:04:25 GMT', 30],
  ])('with %i and retry-after %j rests for %i seconds', (status, retryAfter, seconds) => {
    const { id } = add()
    answered(id, status, retryAfter)
    expect(pick()).toEqual({ refused: 'keys_resting', retryAfterSeconds: seconds })
    const until = keys.list()[0]?.cooldown?.until ?? 0
    expect(Math.ceil((until - START) / 1000)).toBe(seconds)
    now = until - 1
    expect(pick()).toEqual({ refused: 'keys_resting', retryAfterSeconds: 1 })
    now = until
    expect(label(pick())).toBe('key-1')
    expect(keys.list()[0]?.cooldown).toBeNull()
  })

  it.each([200, 201, 204, 301, 400, 403, 404, 408, 500, 503, 529])('does not rest after %i', (status) => {
    const { id } = add()
    answered(id, status, '100')
    expect(label(pick())).toBe('key-1')
  })

  it('rests on when another answer comes in, good or milder', () => {
    const { id } = add()
    answered(id, 401, null)
    answered(id, 200, null)
    answered(id, 429, '1')
    expect(pick()).toEqual({ refused: 'keys_resting', retryAfterSeconds: 300 })
  })

  it('is left alone by the agent that drew it, and by no other', () => {
    const { id } = add()
    for (let at = 0; at < 100; at += 1) answered(id, at % 2 === 0 ? 401 : 429, '3600', 'hostile')
    expect(label(pick({ agentId: 'hostile' }))).toBe('keys_resting')
    expect(label(pick({ agentId: 'other' }))).toBe('key-1')
    expect(keys.list()[0]?.cooldown).toEqual({ until: START + 3_600_000, agents: 1, parts: 1 })
  })

  it.each([
    [429, '3600', 10],
    [429, '7', 7],
    [401, null, 10],
  ])(
    'with %i and retry-after %j by a second agent too is left alone by all, for %i s',
    (status, retryAfter, seconds) => {
      const { id } = add()
      answered(id, status, retryAfter, 'one')
      answered(id, status, retryAfter, 'two')
      expect(label(pick({ agentId: 'three' }))).toBe('key-1')
      expect(pick({ agentId: 'three' })).toEqual({ refused: 'keys_resting', retryAfterSeconds: seconds })
      expect(keys.list()[0]?.cooldown).toEqual({
        until: START + seconds * 1_000,
        agents: 0,
        parts: 1,
      })
      now = START + seconds * 1_000
      expect(label(pick({ agentId: 'three' }))).toBe('key-1')
    },
  )

  it('is left alone by all only when two draw the same, while the first is in cooldown and nobody was answered', () => {
    const { id } = add()
    const forAll = (): boolean => {
      // The first may be its one try.
      pick({ agentId: 'three' })
      return label(pick({ agentId: 'three' })) !== 'key-1'
    }
    answered(id, 401, null, 'one')
    answered(id, 429, '5', 'two')
    expect(forAll()).toBe(false)
    // Earlier requests of the agent itself still end well; another one's show that the key is good.
    answered(id, 200, null, 'three')
    answered(id, 401, null, 'four')
    expect(forAll()).toBe(false)
    now += 301_000
    answered(id, 401, null, 'five')
    expect(forAll()).toBe(false)
    answered(id, 200, null, 'five')
    answered(id, 401, null, 'six')
    expect(forAll()).toBe(true)
  })

  it('is left alone twice as long each time that an agent draws more right after, and that is forgotten', () => {
    const { id } = add()
    const seconds: number[] = []
    const draw = (): void => {
      // A rush is one.
      for (let at = 0; at < 20; at += 1) answered(id, 429, null)
      const until = keys.list()[0]?.cooldown?.until ?? now
      seconds.push((until - now) / 1_000)
      now = until
    }
    for (let at = 0; at < 7; at += 1) draw()
    now += 600_000
    draw()
    expect(seconds).toEqual([30, 60, 120, 240, 480, 900, 900, 30])
  })

  it('is left alone as long as the vendor says, each time, and no longer for that', () => {
    const { id } = add()
    for (let at = 0; at < 6; at += 1) {
      answered(id, 429, '2')
      expect(pick()).toEqual({ refused: 'keys_resting', retryAfterSeconds: 2 })
      now += 2_000
      expect(label(pick())).toBe('key-1')
    }
  })

  it('is not left alone by all for two agents that draw the same again and again', () => {
    const { id } = add()
    for (const agent of ['one', 'two']) answered(id, 429, '30', agent)
    expect(label(pick({ agentId: 'three' }))).toBe('key-1')
    expect(label(pick({ agentId: 'three' }))).toBe('keys_resting')
    for (let at = 0; at < 5; at += 1) {
      now += 31_000
      for (const agent of ['one', 'two']) answered(id, 429, '30', agent)
      expect(label(pick({ agentId: 'three' }))).toBe('key-1')
    }
  })

  it('is skipped while another can be used, and the earliest is told when none can', () => {
    const one = add({ label: 'one', weight: 1000 })
    const two = add({ label: 'two' })
    answered(one.id, 429, '60')
    chance = 0
    expect(label(pick())).toBe('two')
    answered(two.id, 429, '20')
    expect(pick()).toEqual({ refused: 'keys_resting', retryAfterSeconds: 20 })
    expect(pick({ provider: 'groq' })).toEqual({ refused: 'no_key' })
  })

  it('tells no agent of a key that it may not use', () => {
    const { id } = add({ tags: ['work'] })
    answered(id, 429, '60')
    expect(pick()).toEqual({ refused: 'no_key' })
  })

  it('does not rest for ever when the clock is set back', () => {
    const { id } = add()
    answered(id, 401, null)
    now = START - 7_200_000
    expect(label(pick())).toBe('key-1')
  })

  it('leaves nothing behind when it is removed', () => {
    const { id } = add()
    answered(id, 401, null)
    keys.remove(id, ACTOR)
    answered(id, 401, null)
    add()
    expect(label(pick())).toBe('key-2')
  })
})

describe('a decrypted key', () => {
  const same = (): PickedKey => {
    const picked = pick()
    if ('refused' in picked) throw new Error(picked.refused)
    return picked
  }

  it('is kept for a minute, and told to the audit once for it', () => {
    add()
    const first = same()
    const rows = events().length
    for (let step = 0; step < 50; step += 1) expect(same()).toBe(first)
    now += 59_999
    expect(same()).toBe(first)
    expect(events()).toHaveLength(rows)
    now += 1
    expect(same()).not.toBe(first)
    expect(openings()).toBe(2)
  })

  it('is forgotten after its minute also when nobody asks again', () => {
    vi.useFakeTimers()
    try {
      add()
      const first = same()
      vi.advanceTimersByTime(59_999)
      expect(same()).toBe(first)
      vi.advanceTimersByTime(1)
      // By the clock it were still good: it is the value that is gone.
      expect(same()).not.toBe(first)
    } finally {
      vi.useRealTimers()
    }
  })

  it('is forgotten when told to', () => {
    add()
    same()
    keys.dropCache()
    same()
    expect(openings()).toBe(2)
  })

  it('is forgotten when it is removed, though it was used a moment ago', () => {
    const { id } = add()
    same()
    keys.remove(id, ACTOR)
    expect(pick()).toEqual({ refused: 'no_key' })
  })

  it('is forgotten when keys come or go, and when the clock is set back', () => {
    add({ weight: 1000 })
    const first = same()
    add({ tags: ['other'] })
    const second = same()
    expect(second).not.toBe(first)
    now -= 3_600_000
    expect(same()).not.toBe(second)
  })

  it('is not given out when the audit cannot be told', () => {
    add()
    const rows = events().length
    kit.db.exec(`CREATE TRIGGER broken BEFORE INSERT ON audit_log BEGIN SELECT RAISE(ABORT, 'broken'); END`)
    expect(() => pick()).toThrow('broken')
    expect(() => pick()).toThrow('broken')
    kit.db.exec('DROP TRIGGER broken')
    expect(events()).toHaveLength(rows)
    expect(label(pick())).toBe('key-1')
  })
})

describe('a rotation of the data key', () => {
  it("seals providers' keys anew, each for its own purpose, or changes nothing", () => {
    const store = createProviderKeyStore(kit.db)
    add({ label: 'one', value: 'demo-value-one' })
    add({ label: 'two', tags: ['two'], value: 'demo-value-two' })
    const before = store.list().map(({ sealed }) => sealed)
    kit.vault.rotate(ACTOR)
    expect(store.list().map(({ sealed }) => sealed.slice(0, 8))).toEqual(['oa3v1.2.', 'oa3v1.2.'])
    keys.dropCache()
    expect([value(pick()), value(pick({ tags: ['two'] }))]).toEqual(['demo-value-one', 'demo-value-two'])

    kit.db.prepare('UPDATE provider_keys SET encrypted_value = ? WHERE id = 2').run(before[0])
    expect(() => kit.vault.rotate(ACTOR)).toThrow(failing('locked'))
    expect(store.list()[0]?.sealed).toMatch(/^oa3v1\.2\./)
    expect(kit.db.prepare('SELECT id FROM data_keys').pluck().all()).toEqual([2])
  })
})

describe('a refusal', () => {
  const restsFor = (use: KeyUse): boolean => label(pick({ use })) === 'keys_resting'

  it.each([401, 429])('with %i is about the model and endpoint that it was drawn by', (status) => {
    const { id } = add()
    answered(id, status, '60')
    expect([restsFor(USE), restsFor(OTHER)]).toEqual([true, false])
    expect(restsFor({ ...USE, endpoint: 'POST /responses' })).toBe(false)
    expect(keys.list()[0]?.cooldown).toMatchObject({ agents: 1, parts: 1 })
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
  ])('is read as the vendor means it: %s', (_, status, said, isOfKey) => {
    const { id } = add()
    answered(id, status, null, 'one', said)
    expect([restsFor(USE), restsFor(OTHER)]).toEqual([true, isOfKey])
  })

  it.each<[readonly string[], string, number]>([
    [['retry-after-ms', '1500', 'retry-after', '60'], '', 2],
    [[], '{"details":[{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"7.5s"}]}', 8],
    [['anthropic-ratelimit-unified-reset', String(START / 1_000 + 90)], '', 90],
  ])('says how long in the ways that vendors have: %j %s', (headers, body, seconds) => {
    const { id } = add()
    answered(id, 429, null, 'one', { headers, body })
    expect(pick()).toEqual({ refused: 'keys_resting', retryAfterSeconds: seconds })
  })

  it('of ever new models leaves the key alone for that agent after a while, and keeps no more of them', () => {
    const { id } = add()
    for (let at = 0; at < 1_000; at += 1)
      answered(id, 429, '60', 'hostile', { use: { ...USE, model: `made-up-${at}` } })
    expect(label(pick({ agentId: 'hostile' }))).toBe('keys_resting')
    expect(label(pick({ agentId: 'other' }))).toBe('key-1')
    expect(keys.list()[0]?.cooldown?.parts).toBe(0)
  })
})
