import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { columnsOf } from '../../src/cli/text-layout.ts'
import type { AdminKit } from '../support/admin-kit.ts'
import { useLlmCli } from '../support/cli-llm-kit.ts'

const world = useLlmCli()
const { json, oauth3, grantsOf } = world

const USE = { endpoint: 'POST /chat/completions', model: '' }

describe('providers', () => {
  test('lists what there is, what it takes and what is missing', async () => {
    const { providers } = await json(['provider', 'list'])
    const byName = new Map(providers.map((row: { name: string }) => [row.name, row]))
    expect(byName.get('openai')).toMatchObject({ auth: { kind: 'bearer' }, errors: 'openai', own: false })
    expect(byName.get('anthropic')).toMatchObject({ auth: { kind: 'header', name: 'x-api-key' } })
    expect(byName.get('azure')).toMatchObject({ missing: ['resource'], errors: null })
    const { stdout } = await oauth3(['provider', 'list'], { env: { COLUMNS: '120' } })
    expect(stdout).toMatch(/^NAME +URL +AUTH +KEYS +KIND +MISSING$/m)
    expect(stdout).toMatch(/^azure .* api-key +0 +built in +resource$/m)
  })

  test('adds, fills in and removes', async () => {
    const url = 'https://llm.example.com/v1'
    const added = await oauth3(['provider', 'add', 'mine', '--url', url, '--auth', 'header:X-My-Key'])
    expect(added).toMatchObject({ code: 0 })
    expect(added.stdout).toContain('oauth3 key add mine')
    const { providers } = await json(['provider', 'list'])
    expect(providers.find((row: { name: string }) => row.name === 'mine')).toMatchObject({
      url,
      auth: { kind: 'header', name: 'x-my-key' },
      own: true,
      private: false,
    })
    expect((await oauth3(['provider', 'add', 'mine', '--url', url])).code).toBe(5)
    expect((await oauth3(['provider', 'remove', 'mine'])).code).toBe(0)
    expect((await oauth3(['provider', 'remove', 'mine'])).code).toBe(4)

    const set = await oauth3(['provider', 'set', 'azure', 'resource=demo-company'])
    expect(set).toMatchObject({ code: 0, stderr: '' })
    expect(set.stdout).toContain('demo-company')
    expect((await oauth3(['provider', 'set', 'azure', 'resource'])).code).toBe(2)
  })

  test('takes a private address and plain http only when that is said', async () => {
    const args = ['provider', 'add', 'local', '--url', 'http://10.0.0.7:8000/v1', '--auth', 'none']
    expect((await oauth3(args)).code).toBe(2)
    expect(await json([...args, '--private'])).toMatchObject({ name: 'local', private: true })
    expect((await oauth3(['provider', 'list', '--usable'])).stdout).toMatch(/^local .* own, private$/m)
    expect((await oauth3(['key', 'add', 'local'], { stdin: 'demo-value-for-nobody' })).code).toBe(2)
    await oauth3(['provider', 'remove', 'local'])
  })

  test('removes keys and grants with a provider only when that is meant', async () => {
    await oauth3(['provider', 'add', 'gone', '--url', 'https://gone.example.com/v1'])
    const remove = ['provider', 'remove', 'gone']
    const no = await oauth3(remove, { isTerminal: true, stdin: 'n' })
    expect(no).toMatchObject({ code: 1, stdout: '' })
    expect(no.stderr).toContain('Remove the provider gone? [y/N]')
    for (const value of ['demo-value-gone-1', 'demo-value-gone-2'])
      await oauth3(['key', 'add', 'gone'], { stdin: value })
    await oauth3(['grant', 'add', 'clawd', 'gone'])
    const unasked = await oauth3(remove)
    expect(unasked).toMatchObject({ code: 2, stdout: '' })
    expect(unasked.stderr).toContain('its 2 keys and 1 grant; add --yes')
    const asked = await oauth3(remove, { isTerminal: true, stdin: 'n' })
    expect(asked.stderr).toContain('Remove the provider gone with its 2 keys and 1 grant?')
    expect(world.kit.keys.list('gone')).toHaveLength(2)
    expect(await json([...remove, '--yes'])).toEqual({ ok: true })
    for (const { id } of world.kit.keys.list('gone')) await oauth3(['key', 'remove', String(id)])
  })

  test.each([['header:'], ['header:a b'], ['cookie'], ['Bearer']])('refuses --auth %s', async (auth) => {
    const run = await oauth3(['provider', 'add', 'never', '--url', 'https://a.example.com', '--auth', auth])
    expect(run.code).toBe(2)
    expect(run.stderr).toContain('header:NAME')
  })
})

describe('keys', () => {
  test('takes the value from standard input and shows it nowhere', async () => {
    const value = 'demo-value-of-a-provider-key'
    const args = ['key', 'add', 'openai', '--label', 'team', '--tag', 'work', '--weight', '3']
    const run = await oauth3([...args, '--models', 'gpt-demo,gpt-5*'], { stdin: `${value}\n` })
    expect(run).toMatchObject({ code: 0, stderr: '' })
    const listed = await oauth3(['key', 'list', '--json'])
    expect(JSON.parse(listed.stdout).keys).toMatchObject([
      { provider: 'openai', label: 'team', tags: ['work'], weight: 3, cooldown: null },
    ])
    const shown = run.stdout + listed.stdout + (await oauth3(['key', 'list'])).stdout
    expect(shown).toContain('gpt-5*')
    expect(shown).not.toContain(value)
    expect(readFileSync(world.kit.dbPath, 'latin1')).not.toContain(value)
    const picked = await world.kit.keys.pick({
      provider: 'openai',
      model: 'gpt-demo',
      tags: ['work'],
      agentId: 'agt_1',
      use: USE,
    })
    expect('value' in picked && picked.value.open()).toBe(value)
    expect((await oauth3(['key', 'remove', String(JSON.parse(listed.stdout).keys[0].id)])).code).toBe(0)
    expect(world.kit.keys.list()).toEqual([])
  })

  test('has no way to give the value as an argument, and asks for none that nobody could use', async () => {
    const argument = await oauth3(['key', 'add', 'openai', 'demo-value-argument'])
    expect(argument.code).toBe(2)
    expect(argument.stderr).toContain('asked for, or read from standard input')
    expect(argument.stderr).not.toContain('demo-value')
    expect((await oauth3(['key', 'add', 'openai'], { stdin: '\n' })).stderr).toContain('empty')
    const unknown = await oauth3(['key', 'add', 'nobody'], { stdin: 'demo-value-for-nobody' })
    expect(unknown).toMatchObject({ code: 4, stdout: '' })
    expect(unknown.stderr).toContain('oauth3 provider list')
    expect((await oauth3(['key', 'add', 'openai', '--weight', '1001'])).code).toBe(2)
    expect(world.kit.keys.list()).toEqual([])
  })

  test('says when a key is in cooldown, and refuses to remove one that there is not', async () => {
    await oauth3(['key', 'add', 'anthropic'], { stdin: 'demo-value-resting-key' })
    const [key] = world.kit.keys.list('anthropic')
    world.kit.keys.answered(key?.id ?? 0, 'agt_1', USE, {
      status: 429,
      headers: ['retry-after', '120'],
      body: '',
    })
    expect((await oauth3(['key', 'list'])).stdout).toMatch(/cooldown for one agent, back in (2 min|1\d\d s)/)
    expect((await oauth3(['key', 'remove', '9999'])).code).toBe(4)
    expect((await oauth3(['key', 'remove', 'all'])).stderr).toContain('oauth3 key list')
    await oauth3(['key', 'remove', String(key?.id)])
  })

  test('keeps the rotation of the sealing keys beside them', async () => {
    expect((await oauth3(['key', 'rotate'])).stdout).toContain('sealed anew')
    expect((await oauth3(['key', '--help'])).stdout).toMatch(/add.*list.*remove.*rotate/s)
  })
})

describe('grants', () => {
  test('gives, changes and ends one, with every limit exactly', async () => {
    const limits = ['--rpm', '30', '--tokens-per-day', '2000000', '--usd-per-day', '4.35']
    const scope = ['--models', 'gpt-demo,gpt-5*', '--paths', '/chat/completions']
    const added = await oauth3(['grant', 'add', 'clawd', 'groq', '--for', '7d', ...scope, ...limits])
    expect(added).toMatchObject({ code: 0, stderr: '' })
    expect(added.stdout).toContain('30/min, 2,000,000 tokens/day, $4.35/day; ends in 7 d')
    const [grant] = grantsOf('groq')
    expect(grant).toMatchObject({
      limits: { requestsPerMinute: 30, tokensPerDay: 2_000_000, microUsdPerDay: 4_350_000 },
      paths: ['/chat/completions'],
    })
    expect((grant?.expiresAt ?? 0) - (grant?.grantedAt ?? 0)).toBe(7 * 86_400_000)

    const id = String(grant?.id)
    expect(await json(['grant', 'limit', id, '--rpm', 'none', '--models', 'none'])).toMatchObject({
      models: null,
      paths: ['/chat/completions'],
      limits: {
        requests_per_minute: null,
        tokens_per_day: 2_000_000,
        micro_usd_per_day: 4_350_000,
        requests: null,
      },
    })
    expect((await oauth3(['grant', 'limit', id])).code).toBe(2)
    expect((await oauth3(['grant', 'list'])).stdout).toMatch(
      /clawd +groq +inference +all +\/chat\/completions/,
    )
    expect((await oauth3(['grant', 'revoke', id])).stdout).toContain('(clawd, groq) revoked')
    expect((await oauth3(['grant', 'revoke', id])).code).toBe(4)
    expect((await oauth3(['grant', 'limit', id, '--rpm', '1'])).code).toBe(4)
  })

  test('says what a limit of money refuses, since nobody knows the price', async () => {
    const usd = ['--usd-per-day', '0.005']
    const none = await oauth3(['grant', 'add', 'clawd', 'cerebras', ...usd])
    expect(none.stdout).toContain('every model; $0.005/day; ends in 24 h.')
    expect(none.stdout).toContain('No model of cerebras has a known price')
    expect(none.stdout).toContain('oauth3 price set cerebras MODEL --input … --output …')
    expect((await oauth3(['grant', 'add', 'clawd', 'cerebras'])).stdout).not.toContain('price')
    for (const provider of ['openai', 'azure', 'openrouter'])
      expect(await json(['grant', 'add', 'clawd', provider, ...usd])).toMatchObject({ unpriced: [] })
    const models = ['--models', 'gpt-5-mini,gpt-nobody,gpt-5*,nobody*']
    const some = await json(['grant', 'add', 'clawd', 'openai', ...models, ...usd])
    expect(some.unpriced).toEqual(['gpt-nobody', 'nobody*'])
    await oauth3(['price', 'set', 'openai', 'nobody-small', '--input', '1', '--output', '1'])
    expect(await json(['grant', 'limit', String(some.id), '--rpm', '9'])).toMatchObject({
      unpriced: ['gpt-nobody'],
    })
    await oauth3(['price', 'remove', 'openai', 'nobody-small'])
    for (const { id } of world.kit.access.grants()) await oauth3(['grant', 'revoke', String(id)])
  })

  test('stands for a day unless something else is said', async () => {
    const day = await json(['grant', 'add', 'clawd', 'mistral'])
    expect(day.expires_at - day.granted_at).toBe(86_400_000)
    expect((await json(['grant', 'add', 'clawd', 'mistral', '--for', 'always'])).expires_at).toBeNull()
    expect((await oauth3(['grant', 'add', 'nobody', 'mistral'])).code).toBe(4)
    expect((await oauth3(['grant', 'add', 'clawd', 'nowhere'])).code).toBe(4)
  })

  test.each([
    [['--for', '1w']],
    [['--for', '400d']],
    [['--for', '0h']],
    [['--rpm', '0']],
    [['--rpm', '1.5']],
    [['--usd-per-day', '1.2345678']],
    [['--usd-per-day', '0']],
    [['--usd-per-day', '1e2']],
    [['--tokens-per-day', '1,000']],
    [['--models', 'a,,b']],
  ])('refuses %j and grants nothing', async (options) => {
    expect((await oauth3(['grant', 'add', 'clawd', 'xai', ...options])).code).toBe(2)
    expect(grantsOf('xai')).toEqual([])
  })
})

describe('the doctor', () => {
  test('says which providers can be used, which keys are in cooldown, and what is granted in vain', async () => {
    const check = async () => {
      const { checks } = await json(['doctor'])
      return checks.find(({ name }: { name: string }) => name === 'llm providers')
    }
    for (const { id } of world.kit.access.grants()) await oauth3(['grant', 'revoke', String(id)])
    await oauth3(['key', 'add', 'anthropic'], { stdin: 'demo-value-doctor-key' })
    await oauth3(['key', 'add', 'azure'], { stdin: 'demo-value-doctor-key' })
    const [key] = world.kit.keys.list('anthropic')
    world.kit.keys.answered(key?.id ?? 0, 'agt_1', USE, { status: 401, headers: [], body: '' })
    await oauth3(['grant', 'add', 'clawd', 'anthropic'])
    expect(await check()).toMatchObject({
      ok: true,
      warning: false,
      said: '2 usable; 1 of 2 keys in cooldown',
    })
    await oauth3(['grant', 'add', 'clawd', 'deepseek'])
    expect(await check()).toMatchObject({
      ok: true,
      warning: true,
      said: '2 usable; 1 of 2 keys in cooldown; no key for deepseek, which clawd may use: oauth3 key add deepseek',
    })
    for (const { id } of world.kit.keys.list()) await oauth3(['key', 'remove', String(id)])
  })
})

describe('usage and prices', () => {
  test('shows sums with separators, money to the cent, and what has no price', async () => {
    expect((await oauth3(['usage'])).stdout).toMatch(/^No requests since \d{4}-\d\d-\d\d\.\n$/)
    await oauth3(['price', 'set', 'openai', 'priced-demo', '--input', '99.99', '--output', '4.35'])
    const other = (await world.kit.agents.add({ name: 'other' }, 'cli:0')).agent
    use(world.kit.agent.id, 'priced-demo', { input: 12_345_678, output: 9_000 })
    use(world.kit.agent.id, 'priced-demo', null)
    use(other.id, 'unpriced-demo', { input: 5, output: 7 })

    const { stdout } = await oauth3(['usage', '--days', '7'], { env: { COLUMNS: '100' } })
    expect(stdout).toMatch(/^clawd +2 +0 +12,345,678 +0 +9,000 +\$1,234\.48$/m)
    expect(stdout).toMatch(/^other +1 +0 +5 +0 +7 +no price$/m)
    expect(stdout).toMatch(/^total +3 .* \$1,234\.48 \+$/m)
    const rows = stdout.split('\n').slice(0, 4)
    expect(new Set(rows.map((row) => columnsOf(row)))).toEqual(new Set([columnsOf(rows[0] ?? '')]))
    expect(stdout).toContain('No price, so not in the cost: 1 request: openai/unpriced-demo.')
    expect(stdout).toContain('1 answer told of no tokens.')

    const report = await json(['usage', '--by', 'model', '--days', '1'])
    expect(report).toMatchObject({ by: 'model', since: new Date().toISOString().slice(0, 10) })
    const priced = { key: 'openai/priced-demo', requests: 2, untold: 1, micro_usd: 1_234_483_494 }
    expect(report.groups[0]).toMatchObject(priced)
    await oauth3(['price', 'remove', 'openai', 'priced-demo'])
    for (const bad of [
      ['--by', 'key'],
      ['--days', '0'],
    ])
      expect((await oauth3(['usage', ...bad])).code).toBe(2)
  })

  test('sets prices exactly, and takes them away', async () => {
    const args = ['price', 'set', 'openai', 'gpt-demo/x*', '--input', '4.35', '--output', '10']
    expect(await json([...args, '--cache-read', '0.435'])).toEqual({
      provider: 'openai',
      model: 'gpt-demo/x*',
      input: 4_350_000,
      output: 10_000_000,
      cache_read: 435_000,
      cache_write: null,
      own: true,
    })
    expect((await oauth3(['price', 'list', 'openai'])).stdout).toMatch(
      /openai +gpt-demo\/x\* +\$4\.35 +\$10\.00 +\$0\.435 +as input +you/,
    )
    expect((await oauth3(['price', 'set', 'openai', 'x', '--input', '1'])).code).toBe(2)
    expect((await oauth3(['price', 'set', 'openai', 'x', '--input', '-1', '--output', '1'])).code).toBe(2)
    expect((await oauth3(['price', 'set', 'nowhere', 'x', '--input', '1', '--output', '1'])).code).toBe(4)
    expect((await oauth3(['price', 'remove', 'openai', 'gpt-demo/x*'])).code).toBe(0)
    expect((await oauth3(['price', 'remove', 'openai', 'gpt-demo/x*'])).code).toBe(4)
  })
})

function use(
  agentId: AdminKit['agent']['id'],
  model: string,
  tokens: { readonly input: number; readonly output: number } | null,
): void {
  const limits = { requestsPerMinute: null, tokensPerDay: null, microUsdPerDay: null }
  const estimate = { inputTokens: 1, outputTokens: 1 }
  const admitted = world.kit.usage.reserveQuota({
    agentId,
    provider: 'openai',
    model,
    limits,
    estimate,
    reportsCost: false,
  })
  if (!('settle' in admitted)) throw new Error('a limit that there is not')
  const usage = tokens && { ...tokens, cacheRead: 0, cacheWrite: 0, toldMicroUsd: null }
  admitted.settle({ model, keyId: 0, failed: false, usage })
}
