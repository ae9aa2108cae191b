/**
 * The one table of who may import whom. A module is a folder with an `index.ts`, its entry. It imports, through their entries, modules
 * of the levels above its own, and of its own level those that stand before it. What a feature folder holds beside its modules is
 * the module of its own name: `proxy/src/egress/session.ts` is of `egress`, `proxy/src/egress/relay/pool.ts` of `egress/relay`.
 *
 * Where a module is not on the level of its feature, its work joins several features: Telegram draws and answers what all of them
 * ask; the owner's and the agents' routes speak of all of them; the worker thread parses for the gateway and for the LLM proxy.
 * `http` itself (error answers, mounting of routes) is a foundation, since gateway and LLM proxy answer errors in the same form; `audit/proof` is what a
 * receipt and a row's hash are, since whoever verifies one has no database.
 */
export const LEVELS: Readonly<Record<string, readonly string[]>> = {
  foundation: [
    'kernel',
    'config',
    'contracts',
    'audit/proof',
    'scrub',
    'workers/cpu-priority',
    'workers/work-pool',
    'http',
    'http/http1',
  ],
  storage: ['storage'],
  records: [
    'identity',
    'http/admin-routes',
    'audit',
    'vault',
    'vault/crypto',
    'identity/agents',
    'identity/tenants',
    'identity/sessions',
    'identity/passkeys',
    'identity/accounts',
    'identity/tickets',
    'retention',
    'storage/files',
  ],
  shared: [
    'approvals/quorum',
    'approvals',
    'notify/outbox',
    'notify/bot-api',
    'notify/wake',
    'egress/capabilities',
    'egress',
    'egress/certificates',
    'egress/dial',
    'egress/relay',
    'egress/gateway',
    'approvals/consent',
    'approvals/trust',
    'notify/wake-channels',
    'notify/web-push',
    'notify/event-feed',
    'sandbox/imports',
    'sandbox',
    'sandbox/engine',
    'sandbox/doctor',
    'sandbox/runtimes',
    'sandbox/runner',
    'sandbox/images',
    'sandbox/import-resolver',
  ],
  // Products on one base: none imports another.
  products: [
    'executions/facts',
    'executions/reading',
    'executions/program-reader',
    'executions/names',
    'executions/code',
    'executions/fetch-code',
    'executions/registry',
    'executions/card',
    'executions',
    'executions/agent-routes',
    'executions/owner-routes',
    'llm/providers',
    'llm/provider-keys',
    'llm/usage',
    'llm/provider-access',
    'llm/routes',
    'llm/proxy',
    'claude-runs',
    'claude-runs/schema',
    'claude-runs/cli',
    'claude-runs/container',
    'claude-runs/apps',
    'claude-runs/blobs',
    'claude-runs/files',
    'claude-runs/sessions',
    'claude-runs/tool-calls',
    'claude-runs/runs',
    'claude-runs/owner-routes',
    'hosting/persistence/archive',
    'hosting/machines',
    'hosting/gate',
    'hosting/persistence/stores',
    'hosting/persistence',
    'hosting/chat',
    'hosting/agents',
    'hosting/bots',
  ],
  entrances: [
    'http/agent-api',
    'http/mcp',
    'http/open-sockets',
    'http/cdp',
    'http/claude-runs-api',
    'http/admin-api',
    'http/console',
    'http/accounts-api',
    'http/account-sockets',
    'http/cloudbot',
    'http/agent-pages',
    'http/vnc',
    'notify/telegram',
    'workers/background',
  ],
}

/** Modules that know less than their place allows. */
const NARROW: Readonly<Record<string, readonly string[]>> = {
  contracts: ['kernel'],
  // What verifies without a daemon needs none of its parts.
  'audit/proof': ['kernel'],
  scrub: ['kernel'],
  http: ['kernel', 'contracts'],
  // What reads bytes from outside knows nothing of what they are for.
  'http/http1': ['kernel'],
  storage: ['kernel'],
  'http/admin-routes': ['kernel', 'contracts', 'identity'],
}

/** Entries beside `index.ts`: of large contracts, and of what runs in a thread of its own. */
const MORE_ENTRIES = [
  'contracts/accounts/index.ts',
  'contracts/admin/index.ts',
  'contracts/agent/index.ts',
  'contracts/claude-runs/index.ts',
  'contracts/console/index.ts',
  'contracts/registry/index.ts',
  'workers/work-pool/serve.ts',
]

/** What checks a credential, and so knows who asks: the socket's mode, an agent's token, a session's cookie, a passkey's signature, an account that Telegram vouches for. */
const AUTHENTICATES = [
  'http/accounts-api/caller.ts',
  'http/admin-api/owner.ts',
  'http/admin-api/prove-decision.ts',
  'http/agent-api/for-agent.ts',
  'http/claude-runs-api/for-app.ts',
  'http/console/caller.ts',
  'llm/proxy/identity.ts',
  'notify/telegram/people.ts',
] as const

/** What asks the database: a feature's stores, and the parts that the largest of them are made of. */
const STORES = `${below('')}[a-z/-]+/([a-z-]+-store|(content-deleter|retention-counter|retention-rows|execution-rows))\\.ts$`
const FILES_OF_STORAGE = below('storage/')
const COMPOSITION = ['compose/', 'init/', 'demo/', 'main.ts', 'bundled.ts', 'command-line.ts'].map(below)
const TESTS = '\\.test\\.ts$'

const ALL = Object.values(LEVELS).flat()
const PRODUCTS = LEVELS.products ?? []

export interface ImportRule {
  readonly name: string
  readonly comment?: string
  readonly severity: 'error'
  readonly from: Readonly<Record<string, unknown>>
  readonly to: Readonly<Record<string, unknown>>
}

/** Files that break a rule when they are there: path below `proxy/src` → what each imports. */
export type Breach = Readonly<Record<string, readonly string[]>>

export interface ProvenRule {
  readonly rule: ImportRule
  /** Every import in it has to be found. */
  readonly breach: Breach
  /** Files that the breach needs. */
  readonly beside?: Breach
}

function below(path: string): string {
  return `^proxy/src/${path}`
}

const featureOf = (module: string): string => module.split('/')[0] ?? module

/** Files of a module, without those of modules inside its folder. */
function filesOf(module: string): string {
  const inside = ALL.filter((other) => other.startsWith(`${module}/`)).map((other) =>
    other.slice(module.length),
  )
  return below(module + (inside.length === 0 ? '/' : `(?!${inside.map((name) => `${name}/`).join('|')})/`))
}

const entryOf = (module: string): string => below(`${module}/index\\.ts$`)

/** Modules that a module may open. */
export function allowedTo(module: string): readonly string[] {
  const narrow = NARROW[module]
  if (narrow !== undefined) return narrow
  const before = ALL.slice(0, ALL.indexOf(module))
  return PRODUCTS.includes(module)
    ? before.filter((other) => !PRODUCTS.includes(other) || featureOf(other) === featureOf(module))
    : before
}

const depthOf = (file: string): string => '../'.repeat(file.split('/').length - 1) || './'
/** `target`, a path below `proxy/src`, as `file` imports it. */
const asImported = (file: string, target: string): string => `${depthOf(file)}${target}`

function rulesOfModules(): ProvenRule[] {
  return ALL.map((module) => {
    const allowed = allowedTo(module)
    const file = `${module}/planted-breach.ts`
    const denied = ALL.filter((other) => other !== module && !allowed.includes(other)).map(
      (other) => `${other}/index.ts`,
    )
    return {
      rule: {
        name: `${module} imports what stands before it, by its index`,
        severity: 'error',
        from: { path: filesOf(module), pathNot: TESTS },
        to: {
          path: below(''),
          pathNot: [
            filesOf(module),
            ...allowed.map(entryOf),
            ...MORE_ENTRIES.filter((entry) => allowed.some((other) => entry.startsWith(`${other}/`))).map(
              below,
            ),
            ...(AUTHENTICATES.some((name) => name.startsWith(`${module}/`))
              ? [below('identity/authentication\\.ts$')]
              : []),
          ],
        },
      },
      breach: {
        [file]: [
          // The wrong direction, up to the composition, and an index that was gone past.
          ...[...denied, 'compose/compose.ts'].map((target) => asImported(file, target)),
          ...(allowed.includes('kernel') ? [asImported(file, 'kernel/errors.ts')] : []),
        ],
      },
    }
  })
}

const rule = (
  name: string,
  from: ImportRule['from'],
  to: ImportRule['to'],
  comment?: string,
): ImportRule => ({ name, severity: 'error', from, to, ...(comment === undefined ? {} : { comment }) })

/** Every rule, each with files that break it. */
export const PROVEN_RULES: readonly ProvenRule[] = [
  ...rulesOfModules(),
  {
    rule: rule('no-circular', { path: below('') }, { circular: true }),
    // A circle is told once.
    breach: { 'kernel/planted-circle-a.ts': ['./planted-circle-b.ts'] },
    beside: { 'kernel/planted-circle-b.ts': ['./planted-circle-a.ts'] },
  },
  {
    rule: rule('not-to-test', { path: below(''), pathNot: TESTS }, { path: '^proxy/(test|bench|scripts)/' }),
    breach: { 'compose/planted-test.ts': ['../../test/support/pace.ts', '../../scripts/compile.ts'] },
  },
  {
    rule: rule(
      'not-to-dev-dependency',
      {
        path: '^proxy/(src|bin)/|^proxy/scripts/(build-images|build-console|bundle-licences|compile)\\.ts$',
        pathNot: TESTS,
      },
      { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['npm', 'type-only'] },
      'npm ci --omit=dev installs what the daemon runs on, and no more',
    ),
    breach: { 'compose/planted-dev-dependency.ts': ['openai'] },
  },
  {
    rule: rule('no-unresolvable', { path: '^proxy/' }, { couldNotResolve: true }),
    breach: { 'compose/planted-unresolvable.ts': ['./is-not-there.ts'] },
  },
  {
    rule: rule(
      'only-stores-ask-the-database',
      {
        path: below(''),
        pathNot: [STORES, FILES_OF_STORAGE, below('workers/background/'), ...COMPOSITION, TESTS],
      },
      { path: FILES_OF_STORAGE },
      'rules of a feature are written against its ports; its stores are the one place with statements; a process hands them a connection of its own',
    ),
    breach: { 'approvals/trust/planted-statement.ts': ['../../storage/index.ts'] },
  },
  {
    rule: rule(
      'engines-stay-in-storage',
      { path: below(''), pathNot: [STORES, FILES_OF_STORAGE, below('workers/background/'), TESTS] },
      { path: '(^|/)node_modules/(kysely|pg|better-sqlite3|@types/(pg|better-sqlite3))(/|$)' },
      'a worker process reads long, and checkpoints the file of SQLite',
    ),
    breach: { 'notify/wake/planted-engine.ts': ['kysely', 'pg', 'better-sqlite3'] },
  },
  {
    rule: rule(
      'only-authentication-makes-principals',
      {
        path: below(''),
        pathNot: [...AUTHENTICATES.map((name) => below(`${name}$`)), filesOf('identity'), TESTS],
      },
      { path: below('identity/(authentication|principal)\\.ts$') },
      'a principal that anybody could make would authorize anybody',
    ),
    breach: {
      'http/agent-api/planted-principal.ts': [
        '../../identity/authentication.ts',
        '../../identity/principal.ts',
      ],
      'compose/planted-principal.ts': ['../identity/authentication.ts'],
    },
  },
  {
    rule: rule(
      'cli-speaks-wire-only',
      { path: below('cli/'), pathNot: TESTS },
      {
        path: below(''),
        pathNot: [
          below('(cli/|version\\.ts$)'),
          entryOf('kernel'),
          entryOf('audit/proof'),
          below('contracts/((admin|registry)/)?index\\.ts$'),
        ],
      },
      'the command line is one more client of the owner’s API; receipts are verified where no daemon is',
    ),
    breach: {
      'cli/planted-breach.ts': ['../compose/daemon.ts', '../executions/index.ts', '../config/index.ts'],
    },
  },
  {
    rule: rule(
      'composition-starts-nothing',
      { path: below('compose/(compose|daemon-)[a-z-]*\\.ts$'), pathNot: TESTS },
      { path: below('(compose/daemon|main|command-line)\\.ts$') },
      'parts are joined before anything is started: neither compose nor what it joins knows the daemon',
    ),
    breach: { 'compose/compose-planted-breach.ts': ['./daemon.ts', '../main.ts'] },
  },
  {
    rule: rule(
      'composition-enters-by-the-index',
      { path: [...COMPOSITION], pathNot: TESTS },
      {
        path: [...ALL.map(filesOf), below('cli/')],
        // What needs a folder before any engine is loaded.
        pathNot: ['/index\\.ts$', below('storage/folder\\.ts$')],
      },
      'compose, main, demo and init open modules through index.ts too',
    ),
    breach: { 'compose/planted-past-index.ts': ['../audit/search.ts', '../egress/relay/pool.ts'] },
  },
  {
    rule: rule(
      'nobody-imports-the-composition',
      { path: below(''), pathNot: [...COMPOSITION, TESTS] },
      { path: [...COMPOSITION] },
      'what joins the parts is known to none of them',
    ),
    breach: { 'version-planted-breach.ts': ['./main.ts', './compose/compose.ts', './demo/index.ts'] },
  },
]
