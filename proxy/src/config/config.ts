import { totalmem } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { adminSocketPath, SecretValue } from '../kernel/index.ts'
import { type Ec2Config, ec2Of } from './ec2-config.ts'
import { mistypedNames } from './mistyped-names.ts'
import { SETTINGS, type SettingName } from './settings.ts'

/** The daemon's configuration: validated, complete, immutable. Boot secrets print as `[secret]`. */
export interface Config {
  readonly host: string
  readonly port: number
  readonly dbPath: string
  /** A PostgreSQL database in the place of the file at `dbPath`; null: the file. */
  readonly databaseUrl: SecretValue | null
  readonly adminSocketPath: string
  /** Holds one folder a sandbox, with the socket that is its way out. */
  readonly socketDirectory: string
  readonly masterKey: { readonly kind: 'file' | 'passphrase'; readonly path: string }
  readonly telegram: TelegramConfig | null
  /** For every tenant's bot. */
  readonly telegramApiRoot: string
  readonly sandbox: {
    readonly kind: 'docker' | 'embedded' | 'auto'
    readonly ociRuntime: string | null
    readonly seccomp: 'oauth3' | 'engine'
    readonly poolSize: number
  }
  /** Of runs of the Claude Code CLI. */
  readonly claudeContainers: {
    readonly poolSize: number
    readonly memoryBytes: number
    readonly cpuMillis: number
    readonly pids: number
  }
  readonly hosting: {
    /** Null: hosted agents never sleep by themselves. */
    readonly sleepAfterMs: number | null
    readonly maxAgents: number
    readonly memoryBytes: number
    readonly agentMemoryBytes: number
    /** Origins of their own pages, with `*` in the place of each; null: there are none. */
    readonly pages: string | null
    /** Null: in containers of the engine. */
    readonly ec2: Ec2Config | null
  }
  /** Whether hosts that speak HTTP/2 only are reached. */
  readonly http2ToHosts: boolean
  /** Canonical patterns of the hosts that a skill_url may name. */
  readonly skillUrlHosts: readonly string[]
  readonly pushHosts: readonly string[]
  /** Canonical patterns of the hosts that code may import modules from. */
  readonly importHosts: readonly string[]
  /** The console's address from outside, an origin; null: it is reached at localhost alone. */
  readonly publicUrl: string | null
  /** Addresses and networks of whom what they say of the browser behind them is believed. */
  readonly trustedProxies: readonly string[]
  readonly maxRuns: number
  readonly approvalTtlMs: number
  readonly maxWaitingPerAgent: number
  /** The longest cooldown of a provider key. */
  readonly llmMaxCooldownMs: number
  readonly llmTransport: 'own' | 'node'
  readonly ratePerMinute: number
  readonly storage: {
    readonly maxBytesPerAgent: number
    readonly retainOutputsMs: number
    readonly retainCodeMs: number
    readonly retainExecutionsMs: number
    readonly retainUsageMs: number
    readonly maxDatabaseBytes: number
    readonly minFreeBytes: number
    readonly auditMaxRows: number
    readonly auditArchiveDirectory: string
  }
  /** Where agents without a target of their own are woken. */
  readonly wake: WakeConfig | null
  /** By what anybody may sign up. */
  readonly signUp: 'closed' | 'provider-key' | 'password' | 'passkey'
  /** Runs of `claude -p` for apps; null: off. */
  readonly claudeRuns: ClaudeRunsConfig | null
  readonly objectStore: ObjectStoreConfig
  readonly logLevel: string
}

interface ObjectStoreConfig {
  /** A folder, or an address that begins with s3, which has a key. */
  readonly url: string
  readonly keyId: string | null
  readonly secret: SecretValue | null
}

export interface ClaudeRunsConfig {
  readonly host: string
  readonly port: number
  /** Networks beside loopback. */
  readonly allowedFrom: readonly string[]
  readonly bootstrapToken: SecretValue | null
  readonly defaultModel: string
  readonly maxRuns: number
  readonly maxWaitingPerApp: number
  readonly maxFileBytes: number
  readonly maxBytesPerApp: number
  readonly retainResultsMs: number
  readonly retainSessionsMs: number
}

export interface TelegramConfig {
  readonly token: SecretValue
  readonly chatId: string
  readonly approverIds: ReadonlySet<string>
  readonly apiRoot: string
  readonly webhook: { readonly url: string; readonly secret: SecretValue } | null
}

export interface WakeConfig {
  readonly kind: 'openclaw-hook' | 'openclaw-cli' | 'webhook'
  readonly target: string
  readonly sessionKey: string | null
  readonly token: SecretValue | null
}

/** For the person who starts the daemon, a line for each: which variable, what is wrong, what it takes. */
export class ConfigError extends Error {
  readonly problems: readonly string[]

  constructor(...problems: readonly string[]) {
    super(problems.join(' '))
    this.name = 'ConfigError'
    this.problems = problems
  }
}

/** Collects what is wrong. A part that needs a value which is wrong itself has no complaint of its own. */
type Complain = (problem: string) => void

const MIB = 1_048_576
const DAY_MS = 24 * 60 * 60 * 1_000

type Values = {
  [K in SettingName]?: (typeof SETTINGS)[K] extends { schema: { _output: infer T } } ? T : never
}

/**
 * Reads the environment; throws one ConfigError for all that is wrong. Never prints a value of a secret.
 * `written` are the names that the owner's own file sets.
 */
export function readConfig(env: NodeJS.ProcessEnv, written: readonly string[] = []): Config {
  const problems: string[] = []
  const complain: Complain = (problem) => void problems.push(problem)
  const values = readValues(env, complain)
  for (const problem of mistypedNames({ environment: Object.keys(env), written })) complain(problem)
  const dbPath = resolve(values.DB_PATH as string)
  const masterKey = masterKeyOf(values, dbPath, complain)
  const telegram = telegramOf(values, env, complain)
  const wake = wakeOf(values, env, complain)
  const objectStore = objectStoreOf(values, dbPath, complain)
  const ec2 = ec2Of(values, (name) => isSet(env, name), complain)
  if (values.OAUTH3_PUBLIC_URL?.startsWith('https:') && !isSet(env, 'OAUTH3_TRUSTED_PROXIES'))
    complain(
      'OAUTH3_TRUSTED_PROXIES is required with an https OAUTH3_PUBLIC_URL: it takes the address of the proxy that ends TLS.',
    )
  if (problems.length > 0) throw new ConfigError(...problems)
  return {
    host: values.HOST as string,
    port: values.PORT as number,
    dbPath,
    databaseUrl: values.DATABASE_URL === undefined ? null : new SecretValue(values.DATABASE_URL as string),
    adminSocketPath: adminSocketPath(dbPath),
    socketDirectory: resolve(values.OAUTH3_SOCKET_DIR ?? join(dirname(dbPath), 'gateway')),
    masterKey,
    telegram,
    telegramApiRoot: values.TELEGRAM_API_ROOT as string,
    sandbox: {
      kind: values.OAUTH3_SANDBOX as Config['sandbox']['kind'],
      ociRuntime: values.OAUTH3_SANDBOX_RUNTIME ?? null,
      seccomp: values.OAUTH3_SANDBOX_SECCOMP as Config['sandbox']['seccomp'],
      poolSize: values.OAUTH3_POOL_SIZE as number,
    },
    claudeContainers: {
      poolSize: values.CLAWDFORGE_POOL_SIZE as number,
      memoryBytes: (values.CLAWDFORGE_MEMORY_MIB as number) * MIB,
      cpuMillis: values.CLAWDFORGE_CPU_MILLIS as number,
      pids: values.CLAWDFORGE_PIDS as number,
    },
    hosting: {
      sleepAfterMs: values.SANDBOX_SLEEP_AFTER as number | null,
      maxAgents: values.OAUTH3_HOST_MAX as number,
      memoryBytes:
        values.OAUTH3_HOST_MEMORY_MIB === undefined
          ? Math.floor(totalmem() / 2)
          : values.OAUTH3_HOST_MEMORY_MIB * MIB,
      agentMemoryBytes: (values.OAUTH3_HOST_AGENT_MEMORY_MIB as number) * MIB,
      pages: values.OAUTH3_HOST_PAGES ?? null,
      ec2,
    },
    http2ToHosts: values.OAUTH3_HTTP2 === 'on',
    skillUrlHosts: values.OAUTH3_SKILL_URL_HOSTS as string[],
    pushHosts: values.OAUTH3_PUSH_HOSTS as string[],
    importHosts: values.OAUTH3_IMPORT_HOSTS as string[],
    publicUrl: values.OAUTH3_PUBLIC_URL ?? null,
    trustedProxies: values.OAUTH3_TRUSTED_PROXIES ?? [],
    maxRuns: values.OAUTH3_MAX_RUNS as number,
    approvalTtlMs: (values.OAUTH3_APPROVAL_TTL as number) * 1_000,
    maxWaitingPerAgent: values.OAUTH3_MAX_WAITING as number,
    llmTransport: values.OAUTH3_LLM_HTTP as Config['llmTransport'],
    llmMaxCooldownMs: (values.OAUTH3_LLM_MAX_COOLDOWN as number) * 1_000,
    ratePerMinute: values.OAUTH3_RATE_LIMIT as number,
    storage: {
      maxBytesPerAgent: values.OAUTH3_AGENT_MAX_BYTES as number,
      retainOutputsMs: (values.OAUTH3_RETAIN_RESULTS_DAYS as number) * DAY_MS,
      retainCodeMs: (values.OAUTH3_RETAIN_CODE_DAYS as number) * DAY_MS,
      retainExecutionsMs: (values.OAUTH3_RETAIN_EXECUTIONS_DAYS as number) * DAY_MS,
      retainUsageMs: (values.OAUTH3_RETAIN_USAGE_DAYS as number) * DAY_MS,
      maxDatabaseBytes: values.OAUTH3_MAX_DB_BYTES as number,
      minFreeBytes: values.OAUTH3_MIN_FREE_BYTES as number,
      auditMaxRows: values.OAUTH3_AUDIT_MAX_ROWS as number,
      auditArchiveDirectory: resolve(
        values.OAUTH3_AUDIT_ARCHIVE_DIR ?? join(dirname(dbPath), 'audit-archive'),
      ),
    },
    wake,
    signUp: values.OAUTH3_SIGNUP as Config['signUp'],
    claudeRuns: claudeRunsOf(values),
    objectStore,
    logLevel: values.LOG_LEVEL as string,
  }
}

function objectStoreOf(values: Values, dbPath: string, complain: Complain): ObjectStoreConfig {
  const url = values.OBJECT_STORE_URL
  const { AWS_ACCESS_KEY_ID: keyId, AWS_SECRET_ACCESS_KEY: secret } = values
  // They may be there for other programs.
  if (!url?.startsWith('s3:'))
    return { url: resolve(url ?? join(dirname(dbPath), 'machine-files')), keyId: null, secret: null }
  if (keyId === undefined || secret === undefined)
    complain('OBJECT_STORE_URL with s3 takes AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY too.')
  return { url, keyId: keyId ?? null, secret: secret === undefined ? null : new SecretValue(secret) }
}

function claudeRunsOf(values: Values): ClaudeRunsConfig | null {
  if (values.CLAWDFORGE_PORT === undefined) return null
  const token = values.ADMIN_BOOTSTRAP_TOKEN
  return {
    host: values.CLAWDFORGE_HOST as string,
    port: values.CLAWDFORGE_PORT,
    allowedFrom: values.ALLOW_CIDRS ?? [],
    bootstrapToken: token === undefined ? null : new SecretValue(token),
    defaultModel: values.CLAWDFORGE_MODEL as string,
    maxRuns: values.CLAWDFORGE_MAX_RUNS as number,
    maxWaitingPerApp: values.CLAWDFORGE_MAX_WAITING as number,
    maxFileBytes: values.CLAWDFORGE_MAX_FILE_BYTES as number,
    maxBytesPerApp: values.CLAWDFORGE_APP_MAX_BYTES as number,
    retainResultsMs: (values.CLAWDFORGE_RETAIN_RESULTS as number) * 1_000,
    retainSessionsMs: (values.CLAWDFORGE_RETAIN_SESSIONS as number) * 1_000,
  }
}

function readValues(env: NodeJS.ProcessEnv, complain: Complain): Values {
  const values: Record<string, unknown> = {}
  for (const [name, setting] of Object.entries(SETTINGS)) {
    const given = env[name]?.trim() || setting.fallback
    if (given === undefined) continue
    const parsed = setting.schema.safeParse(given)
    if (parsed.success) values[name] = parsed.data
    else complain(`${name} is not valid: it takes ${setting.takes}.`)
  }
  return values as Values
}

/** Set, be it to something that is not valid: a complaint about its absence would be wrong. */
const isSet = (env: NodeJS.ProcessEnv, name: SettingName): boolean => Boolean(env[name]?.trim())

function masterKeyOf(values: Values, dbPath: string, complain: Complain): Config['masterKey'] {
  if (values.OAUTH3_KEY_FILE && values.OAUTH3_PASSPHRASE_FILE)
    complain('OAUTH3_KEY_FILE and OAUTH3_PASSPHRASE_FILE are both set: choose one.')
  return values.OAUTH3_PASSPHRASE_FILE
    ? { kind: 'passphrase', path: resolve(values.OAUTH3_PASSPHRASE_FILE) }
    : { kind: 'file', path: resolve(values.OAUTH3_KEY_FILE ?? join(dirname(dbPath), 'master.key')) }
}

function telegramOf(values: Values, env: NodeJS.ProcessEnv, complain: Complain): TelegramConfig | null {
  const token = values.TELEGRAM_BOT_TOKEN
  const chatId = values.TELEGRAM_CHAT_ID
  const isWanted = isSet(env, 'TELEGRAM_BOT_TOKEN') || isSet(env, 'TELEGRAM_CHAT_ID')
  if (!isWanted) return null
  if (!isSet(env, 'TELEGRAM_BOT_TOKEN'))
    complain('TELEGRAM_CHAT_ID is set but TELEGRAM_BOT_TOKEN is not: it takes a bot token from @BotFather.')
  if (!isSet(env, 'TELEGRAM_CHAT_ID'))
    complain(
      'TELEGRAM_BOT_TOKEN is set but TELEGRAM_CHAT_ID is not: it takes a chat id (send /id to the bot).',
    )
  if (!isSet(env, 'TELEGRAM_APPROVER_IDS') && chatId?.startsWith('-'))
    complain(
      'TELEGRAM_APPROVER_IDS is required when TELEGRAM_CHAT_ID is a group: it takes user ids, comma-separated.',
    )
  if (isSet(env, 'TELEGRAM_WEBHOOK_URL') && !isSet(env, 'TELEGRAM_WEBHOOK_SECRET'))
    complain(
      'TELEGRAM_WEBHOOK_SECRET is required with TELEGRAM_WEBHOOK_URL: it takes 16–256 of A–Z a–z 0–9 _ -.',
    )
  // Of what is wrong each has been told.
  if (token === undefined || chatId === undefined) return null
  const { TELEGRAM_WEBHOOK_URL: url, TELEGRAM_WEBHOOK_SECRET: secret } = values
  return {
    token: new SecretValue(token),
    chatId,
    approverIds: new Set(values.TELEGRAM_APPROVER_IDS ?? [chatId]),
    apiRoot: values.TELEGRAM_API_ROOT as string,
    webhook: url !== undefined && secret !== undefined ? { url, secret: new SecretValue(secret) } : null,
  }
}

function wakeOf(values: Values, env: NodeJS.ProcessEnv, complain: Complain): WakeConfig | null {
  const sessionKey = values.OPENCLAW_SESSION_KEY ?? null
  const needs = (name: SettingName, needed: SettingName, takes: string): void => {
    if (isSet(env, name) && !isSet(env, needed))
      complain(`${needed} is required with ${name}: it takes ${takes}.`)
  }
  needs('OPENCLAW_HOOK_URL', 'OPENCLAW_HOOK_TOKEN', "OpenClaw's hooks.token")
  needs('OAUTH3_WEBHOOK_URL', 'OAUTH3_WEBHOOK_SECRET', 'at least 16 characters')
  const ways: WakeConfig[] = []
  const add = (
    kind: WakeConfig['kind'],
    target: string | undefined,
    token: string | undefined,
    session: string | null,
  ): void => {
    if (target === undefined) return
    ways.push({
      kind,
      target,
      sessionKey: session,
      token: token === undefined ? null : new SecretValue(token),
    })
  }
  add('openclaw-hook', values.OPENCLAW_HOOK_URL, values.OPENCLAW_HOOK_TOKEN, sessionKey)
  add('openclaw-cli', values.OPENCLAW_CLI, undefined, sessionKey)
  add('webhook', values.OAUTH3_WEBHOOK_URL, values.OAUTH3_WEBHOOK_SECRET, null)
  if (ways.length > 1)
    complain(
      'OPENCLAW_HOOK_URL, OPENCLAW_CLI and OAUTH3_WEBHOOK_URL: set one; an agent may have its own (oauth3 agent add --wake).',
    )
  return ways[0] ?? null
}
