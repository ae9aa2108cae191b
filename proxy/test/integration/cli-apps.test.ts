import { describe, expect, it } from 'vitest'
import { SecretValue } from '../../src/kernel/index.ts'
import { NO_LIMITS } from '../../src/llm/provider-access/index.ts'
import { json, useCli } from '../support/cli-commands-kit.ts'

const cli = useCli()
const { oauth3 } = cli

describe('oauth3 app', () => {
  it('adds one with what it may, and shows its token once', async () => {
    const made = await oauth3([
      ...['app', 'add', 'johnny5', '--scope', 'run', '--model', 'claude-haiku-*', '--tool', 'Read,Grep'],
      ...['--cidr', '10.0.0.0/8', '--limit', 'usd-per-day=2.50', '--limit', 'running=2', '--keep-prompts'],
    ])
    expect(made).toMatchObject({ code: 0, stderr: '' })
    expect(made.stdout).toMatch(/ {2}export CLAWDFORGE_TOKEN='cf_[A-Za-z0-9_-]{43}'\n/)
    expect(made.stdout).toContain('curl -sS http://127.0.0.1:8800/run')
    const shown = await oauth3(['app', 'show', 'johnny5'])
    for (const text of [
      'token for   run, from 10.0.0.0/8',
      'claude-haiku-* of anthropic',
      'Read, Grep',
      '$2.50 a day, 2 runs at once',
      'kept, sealed',
    ])
      expect(shown.stdout).toContain(text)
    expect(JSON.stringify(json(await oauth3(['app', 'list', '--json'])))).not.toContain('cf_')
    expect((await oauth3(['app', 'add', 'johnny5'])).code).toBe(5)
  })

  it('tells whose seat its runs go by, that nobody can call with it, and with whom it shares a key', async () => {
    const seated = ['app', 'add', 'seated', '--seat', '--cidr', '10.9.0.0/16,127.0.0.0/8']
    const without = await oauth3(seated)
    expect(without.code).not.toBe(0)
    expect(without.stderr).toContain('oauth3 key add anthropic --seat')
    expect((await oauth3(['app', 'show', 'seated'])).code).not.toBe(0)
    const seat = await oauth3(['key', 'add', 'anthropic', '--seat'], {
      stdin: `sk-ant-oat01-${'d'.repeat(40)}`,
    })
    expect(seat.stdout).toContain('runs of apps with --seat; no agent may use it')
    const made = await oauth3(seated)
    expect(made.code).toBe(0)
    for (const text of [
      'code.claude.com/docs/en/legal-and-compliance',
      'ALLOW_CIDRS lets no network',
      '10.9.0.0/16',
    ])
      expect(made.stdout).toContain(text)
    expect((await oauth3(['app', 'list'])).stdout).toContain('any (seat)')
    expect((await oauth3(['app', 'show', 'seated'])).stdout).toContain('any of anthropic, by your seat')
    const rows = json(await oauth3(['audit', 'list', '--event', 'app.added', '--json'])) as {
      rows: { data: object }[]
    }
    expect(rows.rows.some(({ data }) => 'seat' in data && data.seat === true)).toBe(true)

    const { access, agents, keys, storage } = cli.kit
    const value = new SecretValue('demo-key-of-the-vendor')
    await storage.transaction((tx) => keys.add(tx, { provider: 'anthropic', value }, 'cli:0'))
    const { agent } = await agents.add({ name: 'Sharer.1', tags: ['work'] }, 'cli:0')
    const groups = ['inference'] as const
    const what = { provider: 'anthropic', forMs: null, groups, models: null, paths: null, limits: NO_LIMITS }
    await access.grant({ agentId: agent.id, ...what }, 'cli:0')
    const off = await oauth3(['app', 'set', 'seated', '--no-seat', '--cidr', 'none'])
    expect(off.stdout).toContain('shares a key of anthropic with Sharer.1')
    // What it says is typed as it stands: a tag is made of the name, and the tags that there are stay.
    const commands = [...off.stdout.matchAll(/oauth3 ((?:key add|agent tag) [^,\n]+)/g)]
    expect(commands).toHaveLength(2)
    for (const [, command = ''] of commands)
      expect((await oauth3(command.split(' '), { stdin: 'demo-key-of-its-own' })).code).toBe(0)
    expect(agents.byId(agent.id)?.tags).toEqual(['sharer-1', 'work'])
    expect(keys.list('anthropic').at(-1)?.tags).toEqual(['sharer-1'])
    expect(off.stdout).not.toMatch(/seat of your own|ALLOW_CIDRS/)
  })

  it.each([
    [['--tool', 'Foo,Read'], 'There is no tool Foo. A run can have: Bash, '],
    [['--seat', '--provider', 'openai'], 'A seat is one at anthropic'],
    [['--secrets', 'any,A_KEY'], 'none and any stand alone'],
    [['--secrets', 'A_KEY', '--secrets', 'none'], 'none and any stand alone'],
    [['--model', 'none,claude-*'], 'none and any stand alone'],
  ])('is refused with %j', async (options, says) => {
    const refused = await oauth3(['app', 'add', 'wrong', ...options])
    expect(refused.code).not.toBe(0)
    expect(refused.stderr).toContain(says)
  })

  it('says each thing once', async () => {
    const terms = { tools: ['Read', 'Read'], secrets: ['B', 'A', 'B'], models: ['m', 'm'] }
    const { app } = await cli.kit.apps.add('doubled', terms, 'cli:0')
    expect(app).toMatchObject({ tools: ['Read'], secrets: ['B', 'A'], models: ['m'] })
  })

  it.each(['mcp__mail__send', 'AskUserQuestion', 'read', '__proto__'])('has no tool %s', async (tool) => {
    const added = cli.kit.apps.add('wrong', { tools: ['Read', tool] }, 'cli:0')
    await expect(added).rejects.toThrow(`There is no tool ${tool}. A run can have: Bash, `)
  })

  it('says how far commands and requests reach, and what of that comes to nothing', async () => {
    const reach = [
      '--network',
      'ask',
      '--allow',
      'Registry.Example.com,*.example.org:8443',
      '--secrets',
      'A_KEY,B',
    ]
    const made = await oauth3(['app', 'add', 'reaching', '--tool', 'Bash', ...reach])
    expect(made.code).toBe(0)
    const shown = (await oauth3(['app', 'show', 'reaching'])).stdout
    expect(shown).toContain('commands reach *.example.org:8443, registry.example.com, and ask for any other')
    expect(shown).toMatch(/secrets +A_KEY, B/)
    for (const said of [made.stdout, shown]) expect(said).toContain('Not stored yet: A_KEY, B;')
    const off = (await oauth3(['app', 'set', 'reaching', '--network', 'off', '--secrets', 'any'])).stdout
    expect(off).toMatch(/network +off: commands reach no host/)
    expect(off).toMatch(/secrets +any/)
    expect(off).toContain(
      'Its runs do not reach *.example.org:8443, registry.example.com while network is off',
    )
    const idle = [
      '--network',
      'ask',
      '--allow',
      'none',
      '--secrets',
      'none',
      '--tool',
      'mcp__oauth3__request',
    ]
    const noted = (await oauth3(['app', 'set', 'reaching', ...idle])).stdout
    expect(noted).toContain('No command of its runs can ask for a host')
    expect(noted).toContain('can ask for requests without a secret alone')
    const [app] = cli.kit.apps.list().filter(({ name }) => name === 'reaching')
    expect(app).toMatchObject({ network: 'ask', hosts: [], secrets: [] })
  })

  it.each([
    ['169.254.169.254', 'is no public address'],
    ['10.0.0.1:8080', 'is no public address'],
    ['localhost', 'is no public name'],
    ['intranet', 'is no public name'],
    ['*.co.uk', 'covers what anybody can have a name under, co.uk'],
    ['*.github.io:8443', 'covers what anybody can have a name under, github.io'],
    ['*.amazonaws.com', '.amazonaws.com; list the hosts that are meant'],
    ['*.eu-west-1.amazonaws.com', '.eu-west-1.amazonaws.com; list'],
    ['*.compute.amazonaws.com', 'covers what anybody can have a name under, compute.amazonaws.com'],
    ['*.core.windows.net', '.core.windows.net; list'],
    ['*.windows.net', '.windows.net; list'],
    ['*.googleapis.com', 'a name under, googleapis.com; list'],
    ['*.cloudfront.net', 'a name under, cloudfront.net; list'],
    ['*.kawasaki.jp', 'a name under, kawasaki.jp; list'],
    ['https://', ''],
  ])('lists no %s', async (host, says) => {
    const refused = cli.kit.apps.add('wrong', { hosts: ['example.com', host] }, 'cli:0')
    await expect(refused).rejects.toThrow(says)
  })

  it('lists what one owner has, a part of such an ending too', async () => {
    const hosts = ['*.bucket.s3.amazonaws.com', '*.city.kawasaki.jp', '*.example.org', 's3.amazonaws.com']
    const { app } = await cli.kit.apps.add('of-owners', { hosts }, 'cli:0')
    expect(app.hosts).toEqual(hosts)
  })

  it('changes what is named and leaves the rest', async () => {
    await oauth3([
      'app',
      'set',
      'johnny5',
      '--tool',
      'none',
      '--limit',
      'usd-per-day=none',
      '--limit',
      'runs-per-day=9',
      '--no-keep-prompts',
    ])
    const app = cli.kit.apps.list().find(({ name }) => name === 'johnny5')
    expect(app).toMatchObject({ tools: [], models: ['claude-haiku-*'], scopes: ['run'], keepsPrompts: false })
    expect(app?.limits).toMatchObject({ microUsdPerDay: null, runsPerDay: 9, maxRunning: 2 })
    expect((await oauth3(['app', 'set', 'johnny5'])).code).toBe(2)
    expect((await oauth3(['app', 'set', 'nobody', '--tool', 'Read'])).code).toBe(4)
  })

  it.each([
    ['--limit', 'usd-per-day=0'],
    ['--limit', 'other=1'],
    ['--limit', 'running'],
    ['--limit', 'running=2=3'],
    ['--scope', 'admin'],
  ])('takes no %s %s', async (option, value) => {
    expect((await oauth3(['app', 'add', 'wrong', option, value])).code).toBe(2)
  })

  it('rotates and revokes', async () => {
    const before = cli.kit.apps.list().find(({ name }) => name === 'johnny5')?.tokenSha256
    const rotated = json(await oauth3(['app', 'rotate', 'johnny5', '--json']))
    expect(rotated.token).toMatch(/^cf_/)
    expect(cli.kit.apps.list().find(({ name }) => name === 'johnny5')?.tokenSha256).not.toBe(before)
    expect((await oauth3(['app', 'revoke', 'johnny5'])).code).toBe(0)
    expect((await oauth3(['app', 'list'])).stdout).toContain('revoked')
    expect((await oauth3(['app', 'revoke', 'johnny5'])).code).toBe(4)
  })
})

describe('oauth3 run', () => {
  it('lists, shows and ends runs', async () => {
    const { id } = await cli.kit.prompt('say hello')
    const list = await oauth3(['run', 'list', '--app', 'cauldron'])
    expect(list.stdout).toContain('cauldron')
    expect(list.stdout).toContain('$0.0015')
    const shown = (await oauth3(['run', 'show', id])).stdout
    for (const text of [`${id} of cauldron: done`, 'say hello', '\nhello', '13 + 5 tokens'])
      expect(shown).toContain(text)
    const followed = await oauth3(['run', 'follow', id])
    expect(followed.stdout).toContain('The prompt was handed over.')
    expect(followed.stdout).toContain(`${id}: done; it cost $0.0015.`)
    // Followed by a program that reads line by line.
    const lines = (await oauth3(['run', 'follow', id, '--json'])).stdout.trimEnd().split('\n')
    const told = lines.map((line) => JSON.parse(line))
    expect(told.at(-1)).toMatchObject({ id, state: 'done' })
    expect(told[0]).toMatchObject({ event: expect.any(String), shown: expect.any(String) })
    expect((await oauth3(['run', 'cancel', id])).code).toBe(5)
    const held = await cli.kit.prompt('hold')
    expect((await oauth3(['run', 'cancel', held.id])).stdout).toContain('cancelled; it had cost')
    expect((await oauth3(['run', 'show', held.id])).stdout).toContain('The owner ended it.')
    expect((await oauth3(['run', 'show', 'run_none'])).code).toBe(4)
    const failed = (await oauth3(['run', 'list', '--state', 'cancelled', '--code', 'cancelled'])).stdout
    expect([failed.includes(held.id), failed.includes(id)]).toEqual([true, false])
    expect((await oauth3(['run', 'list', '--code', 'nonsense'])).code).toBe(2)
    expect((await oauth3(['run', 'list', '--app', 'nobody'])).code).toBe(4)
  })
})

describe('what an app keeps', () => {
  it('is listed, and removed by the owner, who stands in the audit for it', async () => {
    const { appId, sessionId = '' } = await cli.kit.prompt('remember this')
    const { id } = await cli.kit.claudeRuns.files.upload(appId, {
      ...{ name: 'recipe.txt', source: new Blob(['rice']).stream(), ttlMs: () => 60_000 },
      signal: AbortSignal.timeout(30_000),
    })
    const files = await oauth3(['app', 'files', 'cauldron'])
    for (const text of [id, 'recipe.txt', '4 B']) expect(files.stdout).toContain(text)
    expect((await oauth3(['app', 'sessions', 'cauldron'])).stdout).toContain(sessionId)
    expect((await oauth3(['app', 'files', 'cauldron', '--remove', id])).code).toBe(0)
    expect((await oauth3(['app', 'files', 'cauldron', '--remove', id])).code).toBe(4)
    expect((await oauth3(['app', 'files', 'cauldron'])).stdout).toContain('No files.')
    expect((await oauth3(['app', 'sessions', 'cauldron', '--forget', sessionId ?? ''])).code).toBe(0)
    expect((await oauth3(['app', 'sessions', 'cauldron', '--forget', sessionId ?? ''])).code).toBe(4)
    const rows = (await oauth3(['audit', 'list', '--event', 'file.removed', '--json'])).stdout
    expect(JSON.parse(rows).rows).toMatchObject([{ actor: 'cli:0', data: { app_id: appId, file: id } }])
  })
})
