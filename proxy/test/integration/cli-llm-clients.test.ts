import { execFileSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { columnsOf } from '../../src/cli/text-layout.ts'
import { executeBody } from '../../src/contracts/agent/index.ts'
import { useLlmCli } from '../support/cli-llm-kit.ts'

const world = useLlmCli()
const { oauth3, json } = world

describe('agents for providers', () => {
  test('carry tags, which are replaced as a whole', async () => {
    await oauth3(['agent', 'add', 'tagged', '--tag', 'work', '--tag', 'team'])
    expect((await oauth3(['agent', 'list'])).stdout).toMatch(/^tagged .* team, work /m)
    expect(await json(['agent', 'tag', 'tagged', '--tag', 'home'])).toMatchObject({ tags: ['home'] })
    expect((await oauth3(['agent', 'tag', 'tagged'])).stdout).toBe(
      'tagged has the tags: none. It had, and has no more: home.\n',
    )
    expect((await oauth3(['agent', 'tag', 'nobody', '--tag', 'x'])).code).toBe(4)
  })

  test('are told what to give them, and a first request that a shell sends as it stands', async () => {
    const { stdout, stderr } = await oauth3(['agent', 'add', 'first-request'])
    expect(stderr).toBe('')
    const shown = stdout.split('\n').filter((line) => line.startsWith('  '))
    for (const line of stdout.split('\n')) expect(columnsOf(line)).toBeLessThanOrEqual(80)
    const args = (program: string): string[] =>
      execFileSync(
        'sh',
        ['-c', `curl() { :; }; claude() { :; }; ${program}() { printf '%s\\0' "$@"; }\n${shown.join('\n')}`],
        { encoding: 'utf8' },
      ).split('\0')
    const [, url, , authorization, , , , body = ''] = args('curl')
    expect(url).toBe('http://127.0.0.1:3737/execute')
    const [, bearer] = /^Authorization: (Bearer oa3_.+)$/.exec(authorization ?? '') ?? []
    expect(world.kit.agents.authenticate(bearer, '127.0.0.1').name).toBe('first-request')
    expect(executeBody.safeParse(JSON.parse(body))).toMatchObject({ success: true })
    expect(args('claude')).toEqual(expect.arrayContaining(['http://127.0.0.1:3737/mcp', authorization]))
  })

  test('print ready configuration with a token that works, and nothing beside it', async () => {
    const run = await oauth3(['agent', 'add', 'printed', '--print', 'env'])
    expect(run.stdout).toMatch(/^# None of these can be used yet.*oauth3 key add openai$/m)
    const env = sourced(run.stdout)
    const token = env.OPENAI_API_KEY
    expect(world.kit.agents.authenticate(`Bearer ${token}`, '127.0.0.1').name).toBe('printed')
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
    for (const { id } of world.kit.keys.list('groq')) await oauth3(['key', 'remove', String(id)])
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
    for (const { id } of world.kit.keys.list('openai')) await oauth3(['key', 'remove', String(id)])
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
    expect(world.kit.agents.list().some((agent) => agent.name === 'too-early')).toBe(false)
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
