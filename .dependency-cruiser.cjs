/**
 * Imports go one way: kernel ← config, contracts, domain ← surfaces, adapters ← compose ← daemon ← main. Within the domain each room
 * may import only the rooms before it. A room is entered through its index.ts.
 */
const src = '^proxy/src'
const DOMAIN_ROOMS = [
  'health',
  'audit',
  'outbox',
  'agents',
  'retention',
  'capabilities',
  'code',
  'facts',
  'reading',
  'names',
  'imports',
  'consent',
  'approvals',
  'trust',
  'vault',
  'scrub',
  'egress',
  'executions',
  'wake',
  'providers',
  'provider-keys',
  'usage',
  'provider-access',
  'events',
]

const only = (name, from, allowed, comment) => ({
  name,
  comment,
  severity: 'error',
  from: { path: from, pathNot: '\\.test\\.ts$' },
  to: { path: `${src}/`, pathNot: [from, ...allowed] },
})

module.exports = {
  forbidden: [
    { name: 'no-circular', severity: 'error', from: { path: src }, to: { circular: true } },
    {
      name: 'not-to-test',
      severity: 'error',
      from: { path: src, pathNot: '\\.test\\.ts$' },
      to: { path: '^proxy/(test|bench|scripts)/' },
    },
    {
      name: 'not-to-dev-dependency',
      comment: 'npm ci --omit=dev installs what the daemon runs on, and no more',
      severity: 'error',
      from: {
        path: '^proxy/(src|bin)/|^proxy/scripts/(build-images|compile)\\.ts$',
        pathNot: '\\.test\\.ts$',
      },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['npm', 'type-only'] },
    },
    { name: 'no-unresolvable', severity: 'error', from: { path: '^proxy/' }, to: { couldNotResolve: true } },
    only('kernel-imports-nothing', `${src}/kernel/`, [], 'kernel has no I/O and knows nobody'),
    only('config-imports-kernel', `${src}/config/`, [`${src}/kernel/index\\.ts$`]),
    only(
      'contracts-import-kernel',
      `${src}/contracts/`,
      [`${src}/kernel/index\\.ts$`],
      'contracts have no I/O',
    ),
    ...DOMAIN_ROOMS.map((room, index) =>
      only(`domain-${room}`, `${src}/domain/${room}/`, [
        `${src}/kernel/index\\.ts$`,
        ...DOMAIN_ROOMS.slice(0, index).map((earlier) => `${src}/domain/${earlier}/index\\.ts$`),
      ]),
    ),
    ...['http', 'agent-api', 'admin-api', 'telegram', 'mcp', 'gateway', 'llm-proxy', 'relay'].map((room) =>
      only(`surface-${room}`, `${src}/surfaces/${room}/`, [
        `${src}/kernel/index\\.ts$`,
        `${src}/domain/[^/]+/index\\.ts$`,
        ...(['http', 'admin-api', 'agent-api', 'mcp'].includes(room)
          ? [`${src}/contracts/(admin/|agent/)?index\\.ts$`]
          : []),
        ...(['admin-api', 'agent-api', 'mcp', 'gateway', 'llm-proxy'].includes(room)
          ? [`${src}/surfaces/http/index\\.ts$`]
          : []),
        ...(room === 'mcp' ? [`${src}/surfaces/agent-api/index\\.ts$`] : []),
        ...(['gateway', 'llm-proxy'].includes(room) ? [`${src}/surfaces/relay/index\\.ts$`] : []),
      ]),
    ),
    ...[
      'storage',
      'sandbox',
      'crypto',
      'fetch-code',
      'dial',
      'wake-openclaw',
      'certificates',
      'work-pool',
      'program-reader',
      'background',
    ].map((room) =>
      only(`adapter-${room}`, `${src}/adapters/${room}/`, [
        `${src}/kernel/index\\.ts$`,
        `${src}/domain/[^/]+/index\\.ts$`,
        // Both look names up, and dial has the one resolver with its shares.
        ...(room === 'fetch-code' || room === 'wake-openclaw' ? [`${src}/adapters/dial/index\\.ts$`] : []),
        ...(['program-reader', 'background'].includes(room)
          ? [`${src}/adapters/work-pool/(index|serve)\\.ts$`]
          : []),
      ]),
    ),
    only('cli-speaks-wire-only', `${src}/cli/`, [
      `${src}/kernel/index\\.ts$`,
      `${src}/contracts/index\\.ts$`,
      `${src}/contracts/admin/index\\.ts$`,
      `${src}/version\\.ts$`,
    ]),
    {
      name: 'composition-starts-nothing',
      comment:
        'parts are joined before anything is started: neither compose nor what it joins knows the daemon',
      severity: 'error',
      from: { path: `${src}/(compose[a-z-]*|daemon-[a-z-]+)\\.ts$`, pathNot: '\\.test\\.ts$' },
      to: { path: `${src}/(daemon|main)\\.ts$` },
    },
    {
      name: 'entered-through-the-door',
      comment: 'compose, daemon, main, demo and init open rooms through index.ts too',
      severity: 'error',
      from: { path: `${src}/(daemon[a-z-]*|compose[a-z-]*|main)\\.ts$|${src}/(demo|init)/` },
      to: {
        path: `${src}/(kernel|config|contracts|domain/[^/]+|surfaces/[^/]+|adapters/[^/]+)/`,
        pathNot: '/index\\.ts$',
      },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      extensions: ['.ts', '.js'],
      exportsFields: ['exports'],
      conditionNames: ['import', 'types', 'default'],
    },
  },
}
