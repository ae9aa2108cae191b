import { z } from 'zod'
import { HOSTING_SETTINGS } from './hosting-settings.ts'
import {
  addressList,
  bytes,
  choice,
  hostList,
  httpUrl,
  integer,
  publicUrl,
  setting,
  text,
} from './setting.ts'

/**
 * Every environment variable the daemon reads: its form, default and meaning. docs/reference/configuration.md is
 * generated from this table. An empty value counts as not set.
 */
export const SETTINGS = {
  PORT: setting(integer(0, 65_535), 'a port, 0–65535', 'Port of the agent API; 0 takes a free one.', '3737'),
  HOST: setting(
    z.string().regex(/^[A-Za-z0-9_.:%-]{1,253}$/),
    'an address of this host',
    "Address of the agent API: the host address that the agent's VM reaches.",
    '127.0.0.1',
  ),
  DB_PATH: setting(
    text,
    'a file path',
    'The database; keys and the admin socket stand beside it.',
    './data/proxy.db',
  ),
  DATABASE_URL: setting(
    z.string().regex(/^postgres(?:ql)?:\/\/\S+$/),
    'an address, postgres://user:password@host/database',
    'A PostgreSQL database (15 or newer) in the place of the file at DB_PATH; keys and the admin socket stay beside DB_PATH.',
  ),
  TELEGRAM_BOT_TOKEN: setting(
    z.string().regex(/^[0-9]{3,20}:[A-Za-z0-9_-]{10,100}$/),
    'a bot token from @BotFather',
    'Turns Telegram on.',
  ),
  TELEGRAM_CHAT_ID: setting(
    z.string().regex(/^-?[0-9]{1,20}$/),
    'a chat id (send /id to the bot)',
    'The chat that is asked.',
  ),
  TELEGRAM_APPROVER_IDS: setting(
    z
      .string()
      .regex(/^[0-9]{1,20}(\s*,\s*[0-9]{1,20})*$/)
      .transform((value) => value.split(/\s*,\s*/)),
    'user ids, comma-separated',
    "Who may answer. Required when the chat is a group (a negative id); else the chat's own user.",
  ),
  TELEGRAM_API_ROOT: setting(
    httpUrl,
    'an http(s) address',
    'The Bot API to use.',
    'https://api.telegram.org',
  ),
  TELEGRAM_WEBHOOK_URL: setting(
    z.url({ protocol: /^https$/ }),
    'a public https address',
    'Receives updates by webhook in place of long polling.',
  ),
  TELEGRAM_WEBHOOK_SECRET: setting(
    z.string().regex(/^[A-Za-z0-9_-]{16,256}$/),
    '16–256 of A–Z a–z 0–9 _ -',
    'Secret token of the webhook; required with TELEGRAM_WEBHOOK_URL.',
  ),
  OAUTH3_KEY_FILE: setting(
    text,
    'a file path',
    '32-byte master key; made with mode 0600 on first start. Default: master.key beside the database.',
  ),
  OAUTH3_PASSPHRASE_FILE: setting(
    text,
    'a file path',
    'Derives the master key from this passphrase (Argon2id) in place of a key file.',
  ),
  OAUTH3_SANDBOX: setting(
    choice(['docker', 'embedded', 'auto']),
    'docker, embedded or auto',
    'Where code runs. The daemon never falls back to weaker walls unasked.',
    'docker',
  ),
  OAUTH3_SANDBOX_RUNTIME: setting(
    z.string().regex(/^[A-Za-z0-9._-]{1,64}$/),
    "an OCI runtime's name",
    'runc, crun, runsc, kata: passed to Docker.',
  ),
  OAUTH3_SANDBOX_SECCOMP: setting(
    choice(['oauth3', 'engine']),
    'oauth3 or engine',
    "Which system calls containers may make: OAuth3's own short list, or the engine's longer one where a kernel or a runtime needs more.",
    'oauth3',
  ),
  OAUTH3_SOCKET_DIR: setting(
    text,
    'a folder path',
    'Where the gateway keeps the sockets of the sandboxes; `gateway` beside the database when not set. When the daemon runs in a container it lies in a volume, which the engine mounts into sandboxes.',
  ),
  OAUTH3_HTTP2: setting(
    choice(['off', 'on']),
    'off or on',
    'Whether hosts that speak HTTP/2 only, gRPC among them, are reached. With `off` they are refused for that, and hosts are spoken to in HTTP/1.1 alone.',
    'on',
  ),
  OAUTH3_SKILL_URL_HOSTS: setting(
    hostList,
    'hosts, comma-separated (`host`, `*.suffix`), or off',
    'Where the daemon fetches what a `skill_url` names, redirects included. Whoever reads the log of such a host can be told something by an address, so list no host whose log an agent could see.',
    'raw.githubusercontent.com,gist.githubusercontent.com,gist.github.com',
  ),
  OAUTH3_PUSH_HOSTS: setting(
    hostList,
    'hosts, comma-separated (`host`, `*.suffix`), or off',
    'Push services that browsers of the console are told through.',
    'fcm.googleapis.com,*.push.services.mozilla.com,*.push.apple.com,*.notify.windows.com',
  ),
  OAUTH3_IMPORT_HOSTS: setting(
    hostList,
    'hosts, comma-separated (`host`, `host:port`, `*.suffix`), or off',
    'Where modules that code imports may be fetched from when a request comes in. They are locked then; the run fetches nothing.',
    'deno.land,jsr.io,esm.sh,esm.run,cdn.jsdelivr.net,raw.githubusercontent.com,gist.githubusercontent.com,registry.npmjs.org,npm.jsr.io',
  ),
  OAUTH3_PUBLIC_URL: setting(
    publicUrl,
    'https://NAME, or http://localhost:PORT; no path',
    'Where browsers reach the web console from outside: behind a proxy that ends TLS. At http://localhost:PORT it is reached without it.',
  ),
  OAUTH3_TRUSTED_PROXIES: setting(
    addressList,
    'addresses or networks, comma-separated (`127.0.0.1`, `10.0.0.0/8`)',
    'The proxies whose X-Forwarded-Proto and X-Forwarded-For are believed, at the console alone. Required with an https OAUTH3_PUBLIC_URL.',
  ),
  OAUTH3_POOL_SIZE: setting(
    integer(0, 64),
    '0–64',
    'Warm containers a runtime, at least; for a minute after a burst up to four times as many.',
    '2',
  ),
  CLAWDFORGE_POOL_SIZE: setting(
    integer(0, 16),
    '0–16',
    'Containers whose Claude Code CLI waits for a prompt, some 150 MB each; for a minute after a burst up to twice as many.',
    '1',
  ),
  CLAWDFORGE_MEMORY_MIB: setting(
    integer(512, 65_536),
    'MiB, 512–65536',
    'Memory of one run of the CLI, with its files.',
    '1024',
  ),
  CLAWDFORGE_CPU_MILLIS: setting(
    integer(100, 64_000),
    'thousandths of one core, 100–64000',
    'Processor time of one run of the CLI.',
    '2000',
  ),
  CLAWDFORGE_PIDS: setting(
    integer(64, 4_096),
    '64–4096',
    'Processes and threads of one run of the CLI.',
    '256',
  ),
  ...HOSTING_SETTINGS,
  OAUTH3_MAX_RUNS: setting(integer(1, 64), '1–64', 'Runs at the same time; more wait.', '4'),
  OAUTH3_APPROVAL_TTL: setting(
    integer(10, 604_800),
    'seconds, 10–604800',
    'How long a request for approval waits for a person until it expires.',
    '3600',
  ),
  OAUTH3_MAX_WAITING: setting(
    integer(1, 1_000),
    '1–1000',
    'Requests of one agent that may wait for a person at once, to run code and to use a provider together.',
    '20',
  ),
  OAUTH3_RATE_LIMIT: setting(
    integer(1, 1_000_000),
    'requests a minute',
    'POST /execute and MCP calls an agent may make a minute.',
    '120',
  ),
  OAUTH3_LLM_MAX_COOLDOWN: setting(
    integer(1, 86_400),
    'seconds, 1–86400',
    'The longest cooldown of a provider key after a 401 or 429, whatever its Retry-After asks for.',
    '3600',
  ),
  OAUTH3_LLM_HTTP: setting(
    choice(['own', 'node']),
    'own or node',
    'By which code the LLM proxy speaks HTTP/1.1 with agents and providers: its own strict and fast one, or the server of Node and undici, should a client or a provider not get along with it. `node` goes with the next release.',
    'own',
  ),
  OAUTH3_AGENT_MAX_BYTES: setting(
    bytes(1_048_576),
    'bytes, at least 1048576',
    'What the requests of one agent may keep in the database: code, args, output, imports. Its own oldest output makes room first; then its requests are refused.',
    '268435456',
  ),
  OAUTH3_RETAIN_RESULTS_DAYS: setting(
    integer(0, 36_500),
    'days; 0 keeps it for good',
    'How long the output of runs is kept, and what was said in chats with hosted agents.',
    '90',
  ),
  OAUTH3_RETAIN_CODE_DAYS: setting(
    integer(0, 36_500),
    'days; 0 keeps it for good',
    'How long code that ran is kept after its last run; for an active grant it is always kept. Code that never ran goes when its request ends, a day later where nobody answered.',
    '90',
  ),
  OAUTH3_RETAIN_EXECUTIONS_DAYS: setting(
    integer(0, 36_500),
    'days; 0 keeps them for good',
    'How long ended requests, grants and asks are kept, one day at the least. The audit keeps what happened.',
    '365',
  ),
  OAUTH3_RETAIN_USAGE_DAYS: setting(
    integer(0, 36_500),
    'days; 0 keeps it for good',
    'How long the sums of usage are kept: of models, and of the time of hosted agents.',
    '730',
  ),
  OAUTH3_MAX_DB_BYTES: setting(
    bytes(0),
    'bytes; 0 for no limit',
    'Above it the oldest output goes before its time, then ended requests that no person decided, then code that ran once. The audit does not: see OAUTH3_AUDIT_MAX_ROWS.',
    '0',
  ),
  OAUTH3_MIN_FREE_BYTES: setting(
    bytes(0),
    'bytes; 0 never refuses',
    'With less free on the disk of the database new requests are refused; what was asked before can still be decided and ends.',
    '268435456',
  ),
  OAUTH3_AUDIT_MAX_ROWS: setting(
    integer(0, 1_000_000_000),
    'rows; 0 for no limit',
    'Above it the oldest rows of the audit are moved into sealed files, a tenth of them at a time.',
    '0',
  ),
  OAUTH3_AUDIT_ARCHIVE_DIR: setting(
    text,
    'a folder path',
    'Where sealed files of the audit go; `audit-archive` beside the database when not set.',
  ),
  OPENCLAW_HOOK_URL: setting(
    httpUrl,
    "OpenClaw's gateway, e.g. http://10.0.0.5:18789",
    'Wakes through POST /hooks/wake.',
  ),
  OPENCLAW_HOOK_TOKEN: setting(
    text,
    "OpenClaw's hooks.token",
    'Bearer token of the wake hook; required with OPENCLAW_HOOK_URL.',
  ),
  OPENCLAW_SESSION_KEY: setting(text, 'a session key', 'Wakes exactly this session.'),
  OPENCLAW_CLI: setting(text, 'a path or command name', 'Wakes through the OpenClaw CLI of this host.'),
  OAUTH3_WEBHOOK_URL: setting(httpUrl, 'an http(s) address', 'Wakes through a signed generic webhook.'),
  OAUTH3_WEBHOOK_SECRET: setting(
    z.string().min(16),
    'at least 16 characters',
    'Signs the webhook (HMAC-SHA256); required with OAUTH3_WEBHOOK_URL.',
  ),
  OAUTH3_SIGNUP: setting(
    choice(['closed', 'provider-key', 'password', 'passkey']),
    'closed, provider-key, password or passkey',
    'By what anybody may sign up, for a tenant of their own; closed: nobody, and `/api` is off.',
    'closed',
  ),
  CLAWDFORGE_PORT: setting(
    integer(0, 65_535),
    'a port, 0–65535',
    'Turns runs of `claude -p` for apps on (POST /run), at a port of their own; 0 takes a free one.',
  ),
  CLAWDFORGE_HOST: setting(
    z.string().regex(/^[A-Za-z0-9_.:%-]{1,253}$/),
    'an address of this host',
    'Address of that port.',
    '127.0.0.1',
  ),
  ALLOW_CIDRS: setting(
    addressList,
    'addresses or networks, comma-separated (`127.0.0.1`, `10.0.0.0/8`)',
    'Where apps may call that port from. Loopback always may, and when not set nobody else.',
  ),
  ADMIN_BOOTSTRAP_TOKEN: setting(
    z.string().regex(/^[\x21-\x7e]{16,512}$/),
    '16–512 visible ASCII characters',
    'Bearer token of /admin/tokens at that port, which mints tokens of apps; without it that is `oauth3 app add` alone.',
  ),
  CLAWDFORGE_MODEL: setting(
    z.string().regex(/^[A-Za-z0-9._:/@-]{1,128}$/),
    "a model's id, or opus, sonnet, haiku",
    'What a run without `model` uses.',
    'sonnet',
  ),
  CLAWDFORGE_MAX_RUNS: setting(
    integer(1, 64),
    '1–64',
    'Runs of apps at the same time; more wait in turns.',
    '2',
  ),
  CLAWDFORGE_MAX_WAITING: setting(
    integer(1, 10_000),
    '1–10000',
    'Runs of one app that may wait at once; four times as many of all.',
    '256',
  ),
  CLAWDFORGE_MAX_FILE_BYTES: setting(
    bytes(1),
    'bytes',
    'The largest file that an app may upload.',
    '2147483648',
  ),
  CLAWDFORGE_APP_MAX_BYTES: setting(
    bytes(1_048_576),
    'bytes, at least 1048576',
    'What the files and sessions of one app may take on the disk together.',
    '8589934592',
  ),
  CLAWDFORGE_RETAIN_RESULTS: setting(
    integer(60, 31_536_000),
    'seconds, 60–31536000',
    'How long the result of a run can be fetched, sealed on the disk.',
    '86400',
  ),
  CLAWDFORGE_RETAIN_SESSIONS: setting(
    integer(60, 31_536_000),
    'seconds, 60–31536000',
    'How long a session is kept after the last run that used it.',
    '604800',
  ),
  OBJECT_STORE_URL: setting(
    text.refine((value) => !value.includes('://') || /^s3:\/\/[a-z0-9]/.test(value)),
    'a folder, or s3://bucket/prefix?endpoint=https://host&region=…',
    'Where the files of machines that sleep are kept, sealed. Default: machine-files beside the database.',
  ),
  AWS_ACCESS_KEY_ID: setting(
    z.string().regex(/^[\x21-\x7e]{1,256}$/),
    "a key's id",
    'Of an OBJECT_STORE_URL that begins with s3, and of OAUTH3_HOST_DRIVER=ec2; required with either.',
  ),
  AWS_SECRET_ACCESS_KEY: setting(
    z.string().regex(/^[\x21-\x7e]{1,1024}$/),
    "a key's secret",
    'Of an OBJECT_STORE_URL that begins with s3, and of OAUTH3_HOST_DRIVER=ec2; required with either.',
  ),
  LOG_LEVEL: setting(
    choice(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']),
    'fatal … trace, silent',
    'How much is logged.',
    'info',
  ),
} as const

export type SettingName = keyof typeof SETTINGS
