import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { columnsOf } from '../../src/cli/text-layout.ts'
import { type AdminKit, startAdminKit } from '../support/admin-kit.ts'
import { rawControls } from '../support/raw-controls.ts'
import { type CliHereOptions, type CliRun, runCliHere } from '../support/run-cli.ts'

const USE = { endpoint: 'POST /chat/completions', model: '' }

let kit: AdminKit
const oauth3 = (args: readonly string[], options: CliHereOptions = {}): Promise<CliRun> =>
  runCliHere(args, { ...options, env: { OAUTH3_SOCKET: kit.socketPath, ...options.env } })
const json = async (args: readonly string[], options: CliHereOptions = {}) => {
  const run = await oauth3([...args, '--json'], options)
  expect(run).toMatchObject({ code: 0 })
  return JSON.parse(run.stdout)
}
const asked = (model: string | null = 'gpt-demo', provider = 'openai') =>
  kit.access.ask({ agentId: kit.agent.id, provider, model, group: 'inference', path: '/v1/chat/completions' })
const grantsOf = (provider: string) => kit.access.grants().filter((grant) => grant.provider === provider)

beforeAll(async () => {
  kit = await startAdminKit()
})
afterAll(() => kit[Symbol.asyncDispose]())

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
    expect(kit.keys.list('gone')).toHaveLength(2)
    expect(await json([...remove, '--yes'])).toEqual({ ok: true })
    for (const { id } of kit.keys.list('gone')) await oauth3(['key', 'remove', String(id)])
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
    expect(readFileSync(kit.dbPath, 'latin1')).not.toContain(value)
    const picked = kit.keys.pick({
      provider: 'openai',
      model: 'gpt-demo',
      tags: ['work'],
      agentId: 'agt_1',
      use: USE,
    })
    expect('value' in picked && picked.value.open()).toBe(value)
    expect((await oauth3(['key', 'remove', String(JSON.parse(listed.stdout).keys[0].id)])).code).toBe(0)
    expect(kit.keys.list()).toEqual([])
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
    expect(kit.keys.list()).toEqual([])
  })

  test('says when a key rests, and refuses to remove one that there is not', async () => {
    await oauth3(['key', 'add', 'anthropic'], { stdin: 'demo-value-resting-key' })
    const [key] = kit.keys.list('anthropic')
    kit.keys.answered(key?.id ?? 0, 'agt_1', USE, { status: 429, headers: ['retry-after', '120'], body: '' })
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
      limits: { requests_per_minute: null, tokens_per_day: 2_000_000, micro_usd_per_day: 4_350_000 },
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
    for (const { id } of kit.access.grants()) await oauth3(['grant', 'revoke', String(id)])
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

describe('asks', () => {
  test('stand beside the requests in pending, and are shown as a card', async () => {
    const ask = asked()
    await kit.ask({ skillId: 'beside/an-ask' })
    const pending = await oauth3(['pending'], { env: { COLUMNS: '80' } })
    expect(pending.stdout).toContain('beside/an-ask')
    expect(pending.stdout).toMatch(
      new RegExp(`^${ask.id.slice(0, 16)} +clawd +openai +inference +gpt-demo +in (1 h|[0-9]+ min)`, 'm'),
    )
    for (const line of pending.stdout.split('\n')) expect(columnsOf(line)).toBeLessThanOrEqual(80)
    const listed = await json(['pending'])
    expect(listed.asks).toMatchObject([{ id: ask.id, agent: 'clawd', model: 'gpt-demo' }])
    expect(listed.requests).toHaveLength(1)
    expect((await json(['status'])).waiting).toBe(2)

    const shown = await oauth3(['show', ask.id.slice(0, 12)])
    expect(shown.stdout).toContain('an agent asks for a provider')
    expect(shown.stdout).toMatch(/Goes to +.*api\.openai\.com/)
    expect(shown.stdout).toContain(
      `oauth3 approve ${ask.id.slice(0, 16)} --1h | --24h | --forever [--model-only]`,
    )
    expect((await json(['show', ask.id])).card.askId).toBe(ask.id)
    await oauth3(['deny', ask.id])
  })

  test('are granted for a time, for a model alone and with limits', async () => {
    const ask = asked('gpt-only')
    const args = ['approve', ask.id.slice(0, 16), '--24h', '--model-only', '--usd-per-day', '2.00']
    const run = await oauth3(args)
    expect(run).toMatchObject({ code: 0, stderr: '' })
    expect(run.stdout).toContain('clawd may use openai for inference, gpt-only; $2.00/day; ends in 24 h')
    expect(run.stdout).toContain('gpt-only of openai has no known price')
    expect(run.stdout).toContain('oauth3 price set openai gpt-only --input … --output …')
    expect(kit.access.find(ask.id)).toMatchObject({
      status: 'granted',
      decidedBy: `cli:${process.getuid?.()}`,
    })
    expect(grantsOf('openai')).toMatchObject([
      { models: ['gpt-only'], limits: { microUsdPerDay: 2_000_000 } },
    ])
    const again = await oauth3(['approve', ask.id, '--24h'])
    expect(again).toMatchObject({ code: 5, stdout: '' })
    expect((await oauth3(['show', ask.id])).stdout).toMatch(/Status +granted/)
  })

  test('forever is until revoked, and a denial is one', async () => {
    const forever = asked('m', 'together')
    await oauth3(['approve', forever.id, '--forever'])
    expect(grantsOf('together')).toMatchObject([{ models: null, expiresAt: null }])
    const denied = asked('m', 'fireworks')
    expect(await json(['deny', denied.id])).toMatchObject({ status: 'denied', grant: null })
    expect(await json(['show', denied.id.slice(0, 16)])).toMatchObject({ id: denied.id, status: 'denied' })
    expect(grantsOf('fireworks')).toEqual([])
  })

  test.each([
    [['--once'], 'a provider is asked many times'],
    [[], 'exactly one of --1h, --24h, --forever'],
    [['--1h', '--forever'], 'exactly one of'],
    [['--24h', '--any-args'], 'are for requests'],
    [['--24h', '--consent', 'nothing'], '8 to 64 hex digits'],
    [['--24h', '--model-only', '--models', 'a'], 'Choose one of'],
    [['--24h', '--rpm', 'many'], 'whole number'],
  ])('are not approved with %j', async (options, reason) => {
    const ask = kit.access.pending()[0] ?? asked('m', 'cerebras')
    const run = await oauth3(['approve', ask.id, ...options])
    expect(run).toMatchObject({ code: 2, stdout: '' })
    expect(run.stderr).toContain(reason)
    expect(kit.access.find(ask.id)?.status).toBe('pending')
  })

  test('without a model cannot be granted for the model alone', async () => {
    const ask = asked(null, 'cohere')
    const run = await oauth3(['approve', ask.id, '--24h', '--model-only'])
    expect(run.code).toBe(2)
    expect(run.stderr).toContain('names no model')
    expect((await oauth3(['show', ask.id])).stdout).not.toContain('--model-only')
  })

  test('a person at a terminal sees the card and is asked', async () => {
    const ask = asked('gpt-asked', 'deepseek')
    const no = await oauth3(['approve', ask.id, '--1h'], { isTerminal: true, stdin: 'n' })
    expect(no).toMatchObject({ code: 1, stdout: '' })
    expect(no.stderr).toContain('an agent asks for a provider')
    expect(no.stderr).toContain('Let clawd use deepseek for 1 hour, for inference, every model?')
    expect(kit.access.find(ask.id)?.status).toBe('pending')
    const yes = await oauth3(['approve', ask.id, '--1h'], { isTerminal: true, stdin: 'y' })
    expect(yes.code).toBe(0)
    expect(kit.access.find(ask.id)?.status).toBe('granted')
  })

  test('what an agent writes as a model cannot steer the terminal', async () => {
    const ask = asked('x\u001b[2J\u202e\nAgent  boss', 'perplexity')
    const runs = [
      await oauth3(['show', ask.id]),
      await oauth3(['pending']),
      await oauth3(['pending', '--json']),
    ]
    for (const run of runs) expect(rawControls(run.stdout)).toEqual([])
    expect(runs[0]?.stdout).not.toMatch(/^ {2}Agent +boss/m)
    const person = await oauth3(['approve', ask.id, '--1h'], { isTerminal: true, stdin: 'n' })
    expect(rawControls(person.stderr)).toEqual([])
    const given = await oauth3(['approve', ask.id, '--1h', '--usd-per-day', '1'])
    expect(rawControls(given.stdout)).toEqual([])
    expect(given.stdout).toContain('oauth3 price set perplexity MODEL ')
  })

  test('options of asks do not pass for those of requests, and unknown ids are named', async () => {
    const { requestId } = await kit.ask({ skillId: 'no/ask' })
    for (const options of [['--1h'], ['--24h', '--model-only'], ['--once', '--rpm', '5']]) {
      const run = await oauth3(['approve', requestId, ...options])
      expect(run).toMatchObject({ code: 2 })
      expect(run.stderr).toContain('are for asks')
    }
    const unknown = await oauth3(['show', 'ask_ffffffffffffffffffffffffffffffff'])
    expect(unknown.code).toBe(4)
    expect(unknown.stderr).toContain('No ask ask_ffff')
    expect((await oauth3(['deny', 'ask_'])).code).toBe(2)
  })
})

describe('the doctor', () => {
  test('says which providers can be used, which keys rest, and what is granted in vain', async () => {
    const check = async () => {
      const { checks } = await json(['doctor'])
      return checks.find(({ name }: { name: string }) => name === 'llm providers')
    }
    for (const { id } of kit.access.grants()) await oauth3(['grant', 'revoke', String(id)])
    await oauth3(['key', 'add', 'anthropic'], { stdin: 'demo-value-doctor-key' })
    await oauth3(['key', 'add', 'azure'], { stdin: 'demo-value-doctor-key' })
    const [key] = kit.keys.list('anthropic')
    kit.keys.answered(key?.id ?? 0, 'agt_1', USE, { status: 401, headers: [], body: '' })
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
    for (const { id } of kit.keys.list()) await oauth3(['key', 'remove', String(id)])
  })
})

describe('usage and prices', () => {
  test('shows sums with separators, money to the cent, and what has no price', async () => {
    expect((await oauth3(['usage'])).stdout).toMatch(/^No requests since \d{4}-\d\d-\d\d\.\n$/)
    await oauth3(['price', 'set', 'openai', 'priced-demo', '--input', '99.99', '--output', '4.35'])
    const other = kit.agents.add({ name: 'other' }, 'cli:0').agent
    use(kit.agent.id, 'priced-demo', { input: 12_345_678, output: 9_000 })
    use(kit.agent.id, 'priced-demo', null)
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

describe('agents for providers', () => {
  test('carry tags, which are replaced as a whole', async () => {
    await oauth3(['agent', 'add', 'tagged', '--tag', 'work', '--tag', 'team'])
    expect((await oauth3(['agent', 'list'])).stdout).toMatch(/^tagged .* team, work /m)
    expect(await json(['agent', 'tag', 'tagged', '--tag', 'home'])).toMatchObject({ tags: ['home'] })
    expect((await oauth3(['agent', 'tag', 'tagged'])).stdout).toContain('has the tags: none')
    expect((await oauth3(['agent', 'tag', 'nobody', '--tag', 'x'])).code).toBe(4)
  })

  test('print ready configuration with a token that works, and nothing beside it', async () => {
    const run = await oauth3(['agent', 'add', 'printed', '--print', 'env'])
    expect(run.stdout).toMatch(/^# None of these can be used yet.*oauth3 key add openai$/m)
    const env = sourced(run.stdout)
    const token = env.OPENAI_API_KEY
    expect(kit.agents.authenticate(`Bearer ${token}`, '127.0.0.1').name).toBe('printed')
    expect(env).toEqual({
      OPENAI_BASE_URL: 'http://127.0.0.1:3737/llm/openai/v1',
      OPENAI_API_KEY: token,
      ANTHROPIC_BASE_URL: 'http://127.0.0.1:3737/llm/anthropic',
      ANTHROPIC_AUTH_TOKEN: token,
      GOOGLE_GEMINI_BASE_URL: 'http://127.0.0.1:3737/llm/google',
      GEMINI_API_KEY: token,
      GROQ_BASE_URL: 'http://127.0.0.1:3737/llm/groq',
      GROQ_API_KEY: token,
    })
    expect(run.stderr).toContain('shown this once')
    const wrapped = await json([
      'agent',
      'add',
      'printed-2',
      '--print',
      'claude-code',
      '--url',
      'http://10.0.0.1:80/',
    ])
    expect(wrapped.print).toEqual({
      client: 'claude-code',
      config: {
        env: {
          ANTHROPIC_BASE_URL: 'http://10.0.0.1/llm/anthropic',
          ANTHROPIC_AUTH_TOKEN: wrapped.token,
          ANTHROPIC_CUSTOM_HEADERS: 'Prefer: wait=3600',
          ANTHROPIC_API_KEY: '',
        },
      },
    })
  })

  test('print for an environment what can be used alone, for a shell to read', async () => {
    await oauth3(['key', 'add', 'groq'], { stdin: 'demo-value-groq-key' })
    const run = await oauth3(['agent', 'add', 'sourcing', '--print', 'env', '--url', "http://10.0.0.1/it's"])
    expect(sourced(run.stdout)).toEqual({
      GROQ_BASE_URL: "http://10.0.0.1/it's/llm/groq",
      GROQ_API_KEY: expect.stringMatching(/^oa3_/),
    })
    const { print, token } = await json(['agent', 'add', 'sourcing-2', '--print', 'env'])
    expect(print.config).toEqual({
      GROQ_BASE_URL: 'http://127.0.0.1:3737/llm/groq',
      GROQ_API_KEY: token,
    })
    for (const { id } of kit.keys.list('groq')) await oauth3(['key', 'remove', String(id)])
  })

  test('print the own providers too, by names that no SDK reads unasked', async () => {
    await oauth3(['provider', 'add', 'my-lab', '--url', 'https://llm.lab.example/v1', '--auth', 'none'])
    const { print, token } = await json(['agent', 'add', 'with-lab', '--print', 'env'])
    expect(print.config).toEqual({
      MY_LAB_BASE_URL: 'http://127.0.0.1:3737/llm/my-lab/v1',
      MY_LAB_API_KEY: token,
    })
    const only = await json(['agent', 'add', 'with-lab-2', '--print', 'openai'])
    expect(only.print.config.OPENAI_BASE_URL).toBe('http://127.0.0.1:3737/llm/my-lab/v1')
    await oauth3(['key', 'add', 'openai'], { stdin: 'demo-value-openai-key' })
    const both = await oauth3(['agent', 'add', 'with-lab-3', '--print', 'openai'])
    expect(both.stdout).toContain("OPENAI_BASE_URL='http://127.0.0.1:3737/llm/openai/v1'")
    expect(both.stdout).toContain('my-lab: http://127.0.0.1:3737/llm/my-lab/v1')
    for (const { id } of kit.keys.list('openai')) await oauth3(['key', 'remove', String(id)])
    await oauth3([
      'provider',
      'add',
      'my-claude',
      '--url',
      'https://llm.lab.example/',
      '--auth',
      'none',
      '--errors',
      'anthropic',
    ])
    const claude = await json(['agent', 'add', 'with-lab-4', '--print', 'claude-code'])
    expect(claude.print.config.env.ANTHROPIC_BASE_URL).toBe('http://127.0.0.1:3737/llm/my-claude')
    for (const name of ['my-lab', 'my-claude']) await oauth3(['provider', 'remove', name, '--yes'])
  })

  test('print for OpenClaw what has a key, and make no token when nothing has', async () => {
    const none = await oauth3(['agent', 'add', 'too-early', '--print', 'openclaw'])
    expect(none).toMatchObject({ code: 2, stdout: '' })
    expect(kit.agents.list().some((agent) => agent.name === 'too-early')).toBe(false)
    await oauth3(['key', 'add', 'openai'], { stdin: 'demo-value-openai-key' })
    await oauth3(['key', 'add', 'google'], { stdin: 'demo-value-google-key' })
    const print = ['agent', 'add', 'claw', '--print', 'openclaw', '--models']
    expect((await oauth3([...print, 'mistral/x'])).code).toBe(2)
    const { stdout, stderr } = await oauth3([...print, 'openai/gpt-demo'])
    expect(stderr).toContain('openclaw config patch --file')
    const { models } = JSON.parse(stdout)
    const apiKey = expect.stringMatching(/^oa3_/)
    expect(models).toEqual({
      mode: 'merge',
      providers: {
        openai: {
          baseUrl: 'http://127.0.0.1:3737/llm/openai/v1',
          apiKey,
          api: 'openai-completions',
          headers: { Prefer: 'wait=3600' },
          models: [{ id: 'gpt-demo', name: 'gpt-demo', compat: { supportsUsageInStreaming: true } }],
        },
        google: {
          baseUrl: 'http://127.0.0.1:3737/llm/google/v1beta',
          apiKey,
          api: 'google-generative-ai',
          headers: { Prefer: 'wait=3600' },
          models: [],
        },
      },
    })
  })

  test('say that a token cannot be printed later', async () => {
    const run = await oauth3(['agent', 'print', 'printed', 'env'])
    expect(run).toMatchObject({ code: 2, stdout: '' })
    expect(run.stderr).toContain('shown once')
    expect((await oauth3(['agent', 'add', 'x', '--url', 'http://a'])).code).toBe(2)
    expect((await oauth3(['agent', 'add', 'x', '--print', 'env', '--url', 'ftp://a'])).code).toBe(2)
  })
})

/** What a shell has in its environment after it read the lines. */
function sourced(lines: string): Record<string, string> {
  const environment = execFileSync('sh', ['-c', `${lines}\nenv -0`], { env: {}, encoding: 'utf8' })
  return Object.fromEntries(
    environment
      .split('\0')
      .map((line) => line.split(/=(.*)/s).slice(0, 2))
      .filter(([name = '']) => /_(URL|KEY|TOKEN)$/.test(name)),
  )
}

function use(
  agentId: AdminKit['agent']['id'],
  model: string,
  tokens: { readonly input: number; readonly output: number } | null,
): void {
  const limits = { requestsPerMinute: null, tokensPerDay: null, microUsdPerDay: null }
  const estimate = { inputTokens: 1, outputTokens: 1 }
  const admitted = kit.usage.admit({ agentId, provider: 'openai', model, limits, estimate, tellsCost: false })
  if (!('settle' in admitted)) throw new Error('a limit that there is not')
  const usage = tokens && { ...tokens, cacheRead: 0, cacheWrite: 0, toldMicroUsd: null }
  admitted.settle({ model, keyId: 0, failed: false, usage })
}
