import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { ConfigError, readConfig } from './config.ts'
import { SETTINGS } from './settings.ts'

const TOKEN = '12345:demo-token-demo-token-demo'
const telegram = { TELEGRAM_BOT_TOKEN: TOKEN, TELEGRAM_CHAT_ID: '42' }

/** The one line that the person who starts the daemon sees. */
function complaint(env: NodeJS.ProcessEnv): string {
  try {
    readConfig(env)
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError)
    return (error as Error).message
  }
  throw new Error('the configuration was taken')
}

describe('the configuration', () => {
  it('needs nothing', () => {
    const config = readConfig({})
    expect(config).toMatchObject({
      host: '127.0.0.1',
      port: 3737,
      telegram: null,
      wake: null,
      sandbox: { kind: 'docker', ociRuntime: null, seccomp: 'oauth3', poolSize: 2 },
      approvalTtlMs: 3_600_000,
    })
    expect(config.dbPath).toMatch(/\/data\/proxy\.db$/)
    expect(config.masterKey).toEqual({ kind: 'file', path: config.dbPath.replace('proxy.db', 'master.key') })
    expect(config.adminSocketPath).toBe(config.dbPath.replace('proxy.db', 'admin.sock'))
    expect(config.socketDirectory).toBe(config.dbPath.replace('proxy.db', 'gateway'))
    expect(readConfig({ OAUTH3_SOCKET_DIR: '/run/sockets' }).socketDirectory).toBe('/run/sockets')
  })

  it('keeps files of machines beside the database, or where it is said, with the key of a bucket', () => {
    const { dbPath, objectStore } = readConfig({ AWS_ACCESS_KEY_ID: 'of-others' })
    expect(objectStore).toEqual({
      url: dbPath.replace('proxy.db', 'machine-files'),
      keyId: null,
      secret: null,
    })
    const url = 's3://bucket?endpoint=http://127.0.0.1:9000'
    const keys = { AWS_ACCESS_KEY_ID: 'id', AWS_SECRET_ACCESS_KEY: 'not-a-real-secret' }
    const config = readConfig({ OBJECT_STORE_URL: url, ...keys })
    expect(config.objectStore).toMatchObject({ url, keyId: 'id' })
    expect(config.objectStore.secret?.open()).toBe('not-a-real-secret')
    expect(JSON.stringify(config)).not.toContain('not-a-real-secret')
    expect(() => readConfig({ OBJECT_STORE_URL: url })).toThrow('AWS_ACCESS_KEY_ID')
    expect(() => readConfig({ OBJECT_STORE_URL: 'https://bucket' })).toThrow('OBJECT_STORE_URL')
  })

  it('takes hosted agents to EC2 with all that this needs, and says what is missing', () => {
    const env = {
      OAUTH3_HOST_DRIVER: 'ec2',
      OAUTH3_EC2_REGION: 'eu-central-1',
      OAUTH3_EC2_SUBNET: 'subnet-0123456789abcdef0',
      OAUTH3_EC2_SECURITY_GROUP: 'sg-01234567',
      OAUTH3_EC2_IMAGE: 'ami-0123456789abcdef0',
      AWS_ACCESS_KEY_ID: 'id',
      AWS_SECRET_ACCESS_KEY: 'not-a-real-secret',
    }
    const { ec2 } = readConfig(env).hosting
    expect(ec2).toMatchObject({ region: 'eu-central-1', instanceType: 't3.medium', volumeGib: 16 })
    expect(JSON.stringify(ec2)).not.toContain('not-a-real-secret')
    expect(readConfig({ ...env, OAUTH3_HOST_DRIVER: 'docker' }).hosting.ec2).toBeNull()
    for (const name of Object.keys(env).slice(1))
      expect(() => readConfig({ ...env, [name]: '' })).toThrow(
        `${name} is required with OAUTH3_HOST_DRIVER=ec2.`,
      )
    expect(() => readConfig({ ...env, OAUTH3_EC2_IMAGE: 'ubuntu' })).toThrow('an image, ami-')
    const gate = (OAUTH3_MACHINES_URL: string, OAUTH3_MACHINES_LISTEN = '') =>
      readConfig({ ...env, OAUTH3_MACHINES_URL, OAUTH3_MACHINES_LISTEN }).hosting.ec2?.gate
    expect(gate('')).toBeNull()
    expect(gate('https://daemon.internal:3739/')).toEqual({
      url: 'https://daemon.internal:3739',
      listen: { host: undefined, port: 3739 },
    })
    expect(gate('https://daemon.internal')?.listen.port).toBe(443)
    expect(gate('https://daemon.internal', '[::1]:3739')?.listen).toEqual({ host: '::1', port: 3739 })
    for (const bad of ['http://daemon.internal', 'https://daemon.internal/path', 'https://a:b@c'])
      expect(() => gate(bad), bad).toThrow('OAUTH3_MACHINES_URL')
    expect(() => gate('https://daemon.internal', '3739')).toThrow('OAUTH3_MACHINES_LISTEN')
  })

  it('names everything that is wrong at once, and nothing twice', () => {
    const env = {
      PORT: 'x',
      OAUTH3_SANDBX: 'docker',
      OAUTH3_KEY_FILE: '/a',
      OAUTH3_PASSPHRASE_FILE: '/b',
      TELEGRAM_BOT_TOKEN: 'no-token',
      OPENCLAW_HOOK_URL: 'http://127.0.0.1:1',
      OAUTH3_WEBHOOK_URL: 'http://127.0.0.1:2',
      OAUTH3_WEBHOOK_SECRET: 'short',
    }
    let problems: readonly string[] = []
    try {
      readConfig(env)
    } catch (error) {
      problems = (error as ConfigError).problems
    }
    expect(problems.map((problem) => problem.split(/[ ,]/)[0])).toEqual([
      'PORT',
      'TELEGRAM_BOT_TOKEN',
      'OAUTH3_WEBHOOK_SECRET',
      'OAUTH3_SANDBX',
      'OAUTH3_KEY_FILE',
      'TELEGRAM_BOT_TOKEN',
      'OPENCLAW_HOOK_TOKEN',
      'OPENCLAW_HOOK_URL',
    ])
    expect(new Set(problems).size).toBe(problems.length)
    expect(problems.join()).not.toMatch(/no-token|short/)
  })

  it.each([
    ['https://console.example.com', 'https://console.example.com'],
    ['https://Console.Example.com:8443/', 'https://console.example.com:8443'],
    ['http://localhost:8080', 'http://localhost:8080'],
  ])('takes %s for the console’s address', (given, origin) => {
    const env = { OAUTH3_PUBLIC_URL: given, OAUTH3_TRUSTED_PROXIES: '127.0.0.1, 10.0.0.0/8,fd00::/8' }
    expect(readConfig(env)).toMatchObject({
      publicUrl: origin,
      trustedProxies: ['127.0.0.1', '10.0.0.0/8', 'fd00::/8'],
    })
  })

  it.each([
    'http://console.example.com',
    'https://console.example.com/path',
    'https://console.example.com/?a',
    'https://console.example.com/#',
    'https://user:pass@console.example.com',
    'https://10.0.0.1',
    'https://[::1]',
    'http://127.0.0.1:3737',
    'ftp://localhost',
    'localhost:3737',
  ])('takes %s for no address of the console: passkeys would not work there', (given) => {
    expect(() => readConfig({ OAUTH3_PUBLIC_URL: given, OAUTH3_TRUSTED_PROXIES: '127.0.0.1' })).toThrow(
      'OAUTH3_PUBLIC_URL is not valid',
    )
  })

  it('names a proxy by its address, where there is TLS before it', () => {
    expect(() => readConfig({ OAUTH3_PUBLIC_URL: 'https://console.example.com' })).toThrow(
      'OAUTH3_TRUSTED_PROXIES is required',
    )
    for (const list of ['proxy', '10.0.0.0/33', '10.0.0/8', '127.0.0.1,,', '::1/129', '1.2.3.4/'])
      expect(() => readConfig({ OAUTH3_TRUSTED_PROXIES: list }), list).toThrow('is not valid')
  })

  it('takes an empty value for one that is not set', () => {
    expect(readConfig({ PORT: '', HOST: '  ', TELEGRAM_CHAT_ID: '' })).toEqual(readConfig({}))
  })

  it.each([
    ['PORT', '65536'],
    ['PORT', '-1'],
    ['PORT', '3737x'],
    ['PORT', '1e3'],
    ['HOST', 'two words'],
    ['HOST', 'http://127.0.0.1'],
    ['TELEGRAM_BOT_TOKEN', 'no-token'],
    ['TELEGRAM_CHAT_ID', '@name'],
    ['TELEGRAM_APPROVER_IDS', '1;2'],
    ['TELEGRAM_APPROVER_IDS', '-5'],
    ['TELEGRAM_API_ROOT', 'api.telegram.org'],
    ['TELEGRAM_API_ROOT', 'file:///etc/passwd'],
    ['TELEGRAM_WEBHOOK_URL', 'http://example.com'],
    ['TELEGRAM_WEBHOOK_SECRET', 'short'],
    ['OAUTH3_SANDBOX', 'none'],
    ['OAUTH3_SANDBOX_RUNTIME', 'run c'],
    ['OAUTH3_SANDBOX_SECCOMP', 'unconfined'],
    ['OAUTH3_POOL_SIZE', '65'],
    ['OAUTH3_MAX_RUNS', '0'],
    ['OAUTH3_APPROVAL_TTL', '9'],
    ['OAUTH3_APPROVAL_TTL', '604801'],
    ['OAUTH3_MAX_WAITING', '0'],
    ['OAUTH3_RATE_LIMIT', '0'],
    ['OPENCLAW_HOOK_URL', 'ftp://10.0.0.5'],
    ['OAUTH3_WEBHOOK_URL', 'nowhere'],
    ['OAUTH3_WEBHOOK_SECRET', 'short'],
    ['LOG_LEVEL', 'loud'],
  ] as const)('refuses %s=%s in one line that names it and what it takes', (name, value) => {
    const line = complaint({ [name]: value })
    expect(line).toContain(name)
    expect(line).toContain(SETTINGS[name].takes)
    expect(line).not.toContain('\n')
  })

  it('never repeats a value that was wrong, since it may be a secret', () => {
    for (const name of ['TELEGRAM_BOT_TOKEN', 'TELEGRAM_WEBHOOK_SECRET', 'OAUTH3_WEBHOOK_SECRET'] as const) {
      expect(complaint({ [name]: 'bad value!' })).not.toContain('bad value!')
    }
  })

  it.each<[string, NodeJS.ProcessEnv, string]>([
    ['a chat without a token', { TELEGRAM_CHAT_ID: '42' }, 'TELEGRAM_BOT_TOKEN'],
    ['a token without a chat', { TELEGRAM_BOT_TOKEN: TOKEN }, 'TELEGRAM_CHAT_ID'],
    ['a group without approvers', { ...telegram, TELEGRAM_CHAT_ID: '-100123' }, 'TELEGRAM_APPROVER_IDS'],
    [
      'a webhook without its secret',
      { ...telegram, TELEGRAM_WEBHOOK_URL: 'https://example.com/hook' },
      'TELEGRAM_WEBHOOK_SECRET',
    ],
    ['a hook without its token', { OPENCLAW_HOOK_URL: 'http://10.0.0.5:18789' }, 'OPENCLAW_HOOK_TOKEN'],
    [
      'a generic webhook without its secret',
      { OAUTH3_WEBHOOK_URL: 'https://example.com' },
      'OAUTH3_WEBHOOK_SECRET',
    ],
    ['two keys', { OAUTH3_KEY_FILE: 'a', OAUTH3_PASSPHRASE_FILE: 'b' }, 'OAUTH3_PASSPHRASE_FILE'],
    [
      'two ways to wake',
      {
        OPENCLAW_CLI: 'openclaw',
        OAUTH3_WEBHOOK_URL: 'https://example.com',
        OAUTH3_WEBHOOK_SECRET: 'demo-secret-of-16-chars',
      },
      'OPENCLAW_CLI',
    ],
    ['a setting that nobody reads', { OAUTH3_SANDBOXX: 'docker' }, 'OAUTH3_SANDBOXX'],
  ])('refuses %s', (_what, env, name) => {
    const line = complaint(env)
    expect(line).toContain(name)
    expect(line).not.toContain('\n')
  })

  it('asks the chat itself when it is a person, and the named ones in a group', () => {
    expect(readConfig(telegram).telegram?.approverIds).toEqual(new Set(['42']))
    const group = { ...telegram, TELEGRAM_CHAT_ID: '-100123', TELEGRAM_APPROVER_IDS: '7, 8' }
    expect(readConfig(group).telegram?.approverIds).toEqual(new Set(['7', '8']))
  })

  it('prints its secrets as [secret]', () => {
    const config = readConfig({
      ...telegram,
      TELEGRAM_WEBHOOK_URL: 'https://example.com/hook',
      TELEGRAM_WEBHOOK_SECRET: 'demo-webhook-secret',
      OPENCLAW_HOOK_URL: 'http://10.0.0.5:18789/',
      OPENCLAW_HOOK_TOKEN: 'demo-hook-token',
    })
    const printed = inspect(config, { depth: 9, showHidden: true }) + JSON.stringify(config)
    expect(printed).toContain('[secret]')
    for (const secret of [TOKEN, 'demo-webhook-secret', 'demo-hook-token'])
      expect(printed).not.toContain(secret)
    expect(config.wake?.target).toBe('http://10.0.0.5:18789')
  })

  it('has a table that says what each setting takes, and defaults that it takes itself', () => {
    for (const [name, setting] of Object.entries(SETTINGS)) {
      expect(name).toMatch(/^[A-Z][A-Z0-9_]+$/)
      expect(setting.takes.length * setting.about.length).toBeGreaterThan(0)
      if (setting.fallback !== undefined)
        expect(setting.schema.safeParse(setting.fallback).success).toBe(true)
    }
  })

  it('refuses a mistyped name of the .env file, and leaves alone what other programs read', () => {
    expect(() => readConfig({ TELEGRAM_BOT_TOKN: '5' }, ['TELEGRAM_BOT_TOKN'])).toThrow(
      /^TELEGRAM_BOT_TOKN is not a setting/,
    )
    expect(() => readConfig({ OPENCLAW_HOME: '/x' })).not.toThrow()
  })

  it.each([
    ['TELEGRM_BOT_TOKEN', 'TELEGRAM_BOT_TOKEN'],
    ['TELEGARM_CHATID', 'TELEGRAM_CHAT_ID'],
    ['OAUT3_PORT', 'PORT'],
    ['OAUTH3_PORT', 'PORT'],
    ['OAUTH_SANDBOX', 'OAUTH3_SANDBOX'],
    ['OUATH3_POOLSIZE', 'OAUTH3_POOL_SIZE'],
    ['OPENCLAW_HOOK_TOKENS', 'OPENCLAW_HOOK_TOKEN'],
    ['OPENLCAW_SOMETHING', null],
    ['LOGLEVEL', 'LOG_LEVEL'],
    ['DBPATH', 'DB_PATH'],
    ['PROT', 'PORT'],
    ['HOSTT', 'HOST'],
    ['port', 'PORT'],
    ['telegram_bot_token', 'TELEGRAM_BOT_TOKEN'],
  ])('refuses %s in the .env file, which is meant for %s', (name, meant) => {
    const told = meant === null ? /^\S+ is not a setting/ : new RegExp(`Did you mean ${meant}\\?`)
    expect(() => readConfig({ [name]: '5' }, [name])).toThrow(told)
    expect(() => readConfig({ [name]: '5' }, [name])).toThrow(new RegExp(`^${name} is not a setting`))
  })

  it('refuses a long name that is nearly a setting in the environment too, where compose puts the .env file', () => {
    for (const name of ['TELEGRM_BOT_TOKEN', 'TELEGRAM_BOT_TOKN', 'OAUT3_PORT', 'OAUTH_SANDBOX'])
      expect(() => readConfig({ [name]: '5' })).toThrow(new RegExp(`^${name} is not a setting`))
    for (const name of ['PROT', 'HOSTS', 'DB_PATHS', 'TELEGRAM_TOKEN', 'OPENCLAW_SESSION_ID', 'loglevel'])
      expect(() => readConfig({ [name]: '5' })).not.toThrow()
  })

  it('leaves names of other programs alone, in the .env file as well', () => {
    const foreign =
      'PATH HOME USER SHELL LANG TZ TERM PWD NODE_ENV NODE_OPTIONS DEBUG CI LC_ALL DB_HOST DB_PORT DB_USER DB_PASS DB_NAME REDIS_URL BOT_TOKEN CHAT_ID OAUTH_CLIENT_ID OAUTH2_CLIENT_SECRET OAUTH2_PROXY_PORT OPENAI_API_KEY ANTHROPIC_API_KEY HTTP_PROXY https_proxy NO_PROXY DOCKER_HOST COMPOSE_PROJECT_NAME LOG_FILE LOG_FORMAT HOSTNAME WEBHOOK_URL SLACK_BOT_TOKEN POSTGRES_PASSWORD UV_THREADPOOL_SIZE'.split(
        ' ',
      )
    expect(() => readConfig(Object.fromEntries(foreign.map((name) => [name, '5'])), foreign)).not.toThrow()
  })
})
