import type { fdatasync } from 'node:fs'
import { join } from 'node:path'
import { createSodiumCipher } from '../../src/adapters/crypto/index.ts'
import { createProgramReader } from '../../src/adapters/program-reader/index.ts'
import {
  createAgentStore,
  createAuditArchiveFiles,
  createAuditStore,
  createCardStore,
  createClockStore,
  createCodeStore,
  createContentStore,
  createDataKeyStore,
  createExecutionStore,
  createFactsStore,
  createImportStore,
  createMetaStore,
  createOutboxStore,
  createRetentionStore,
  createSecretStore,
  createTransactor,
  createTrustStore,
  openDatabase,
} from '../../src/adapters/storage/index.ts'
import { createLogSync } from '../../src/adapters/storage/log-sync.ts'
import { type Agent, createAgents } from '../../src/domain/agents/index.ts'
import { createApprovals, createCards, createClockGuard } from '../../src/domain/approvals/index.ts'
import { createAuditArchiver, createAuditLog } from '../../src/domain/audit/index.ts'
import type { SkillFetcher } from '../../src/domain/code/index.ts'
import { createEgressSessions, type EgressSessions } from '../../src/domain/egress/index.ts'
import {
  createChanges,
  createExecutions,
  createLedger,
  createRuns,
  type ExecuteRequest,
  type ExecutionObserver,
  type Executions,
  type RunOrder,
  type RunOutcome,
  type Sandbox,
  type SandboxStatus,
} from '../../src/domain/executions/index.ts'
import { createCodeFacts } from '../../src/domain/facts/index.ts'
import type { ImportResolver } from '../../src/domain/imports/index.ts'
import { createOutbox, type Outbox } from '../../src/domain/outbox/index.ts'
import {
  createRetention,
  createStoredContent,
  type FreeSpace,
  type RetentionPolicy,
} from '../../src/domain/retention/index.ts'
import { createTrust } from '../../src/domain/trust/index.ts'
import { createDataKeyring, createVault } from '../../src/domain/vault/index.ts'
import { AppError, type Clock, systemClock } from '../../src/kernel/index.ts'

export interface DomainKitOptions {
  /** Where `proxy.db` lies; the same folder again is the same daemon after a restart. */
  readonly dir: string
  readonly clock?: Clock
  readonly sandbox?: Sandbox
  readonly observers?: (parts: { outbox: Outbox }) => readonly ExecutionObserver[]
  readonly approverIds?: ReadonlySet<string>
  readonly fetcher?: SkillFetcher
  /** Left out: nothing is locked. */
  readonly importResolver?: (parts: { egress: EgressSessions }) => ImportResolver
  readonly approvalTtlMs?: number
  readonly maxWaitingPerAgent?: number
  readonly maxConcurrent?: number
  readonly sandboxPatienceMs?: number
  /** What is kept; left out: everything. */
  readonly retention?: Partial<RetentionPolicy>
  readonly assertRoom?: () => void
  /** How the disk takes what is committed in groups. */
  readonly toDisk?: typeof fdatasync
  /** What becomes of a run that fails inside the daemon; left out: it is kept in the kit's `defects`. */
  readonly onDefect?: (error: unknown) => void
}

export type DomainKit = Awaited<ReturnType<typeof createDomainKit>>

/** Every domain service on a real SQLite file and real encryption, with a sandbox of the test's choice. */
export async function createDomainKit(options: DomainKitOptions) {
  const clock = options.clock ?? systemClock
  const db = openDatabase(join(options.dir, 'proxy.db'))
  const transactor = createTransactor(
    db,
    () => {},
    () => {},
    createLogSync(db.name, () => {}, options.toDisk),
  )
  const meta = createMetaStore(db)
  const keyring = createDataKeyring({
    repository: createDataKeyStore(db),
    cipher: await createSodiumCipher(),
    masterKey: new Uint8Array(32).fill(7),
    clock,
  })
  const auditStore = createAuditStore(db, meta)
  const audit = createAuditLog({
    repository: auditStore,
    clock,
    auditKey: new Uint8Array(32).fill(9),
  })
  let living: Executions | undefined
  const agents = createAgents({
    repository: createAgentStore(db),
    audit,
    transactor,
    clock,
    onRevoked: (id, actor) => living?.agentRevoked(id, actor),
  })
  const clockGuard = createClockGuard({ repository: createClockStore(meta), transactor, clock })
  const trust = createTrust({ repository: createTrustStore(db), audit, transactor, clock, clockGuard })
  const outbox = createOutbox({ repository: createOutboxStore(db), clock })
  const codes = createCodeStore(db)
  const imports = createImportStore(db)
  const vault = createVault({
    repository: createSecretStore(db),
    keyring,
    audit,
    transactor,
    clock,
    onStored: (name) => living?.secretStored(name),
    askedHosts: (name) => living?.hostsAskedFor(name),
  })
  const approvals = createApprovals({
    ...{ audit, transactor, clock },
    approvalTtlMs: options.approvalTtlMs ?? 3_600_000,
    maxWaitingPerAgent: options.maxWaitingPerAgent ?? 20,
  })
  const cards = createCards({
    repository: createCardStore(db),
    clock,
    approverIds: options.approverIds ?? new Set(),
  })
  const sandbox = options.sandbox ?? createScriptedSandbox()
  const changes = createChanges(transactor)
  const repository = createExecutionStore(db)
  const observers = options.observers?.({ outbox }) ?? []
  const contents = createContentStore(db)
  const rows = createRetentionStore(db)
  const policy: RetentionPolicy = { ...KEEP_ALL, ...options.retention }
  const content = createStoredContent({
    contents,
    retention: rows,
    clock,
    maxBytesPerAgent: policy.maxBytesPerAgent,
    retainCodeMs: policy.codeMs,
    onReleased() {},
  })
  const ledger = createLedger({ repository, audit, changes, content, observers })
  const reader = createProgramReader()
  const facts = createCodeFacts({ reader, repository: createFactsStore(db) })
  const retention = createRetention({
    contents,
    repository: rows,
    audit,
    transactor,
    clock,
    policy,
    onCodeDeleted: (hash) => facts.forget(hash),
  })
  const freeSpace: Pick<FreeSpace, 'assertRoom'> = { assertRoom: options.assertRoom ?? (() => {}) }
  const defects: unknown[] = []
  const egress = createEgressSessions({
    audit,
    transactor,
    onDefect: (error) => void defects.push(error),
  })
  const runs = createRuns({
    egress,
    repository,
    ledger,
    codes,
    content,
    imports,
    vault,
    trust,
    sandbox,
    audit,
    transactor,
    clock,
    maxConcurrent: options.maxConcurrent ?? 4,
    sandboxPatienceMs: options.sandboxPatienceMs ?? 60_000,
    onDefect: options.onDefect ?? ((error) => void defects.push(error)),
  })
  const executions = createExecutions({
    approvals,
    facts,
    content,
    freeSpace,
    knownHosts: () => [],
    repository,
    ledger,
    changes,
    codes,
    imports,
    importResolver: options.importResolver?.({ egress }) ?? NO_IMPORTS,
    trust,
    vault,
    fetcher: options.fetcher ?? NO_FETCHER,
    sandbox,
    runs,
    audit,
    transactor,
    clock,
  })
  living = executions
  executions.recover()
  return {
    db,
    clock,
    transactor,
    meta,
    keyring,
    audit,
    agents,
    trust,
    outbox,
    vault,
    approvals,
    clockGuard,
    cards,
    sandbox,
    runs,
    executions,
    archiver: createAuditArchiver({
      repository: auditStore,
      files: createAuditArchiveFiles(join(options.dir, 'audit-archive')),
      audit,
      transactor,
      clock,
      auditKey: new Uint8Array(32).fill(9),
    }),
    retention,
    freeSpace,
    defects,
    async [Symbol.asyncDispose]() {
      await runs.drain(0)
      await reader[Symbol.asyncDispose]()
      db.close()
    },
  }
}

const KEEP_ALL: RetentionPolicy = {
  outputsMs: 0,
  codeMs: 0,
  executionsMs: 0,
  usageMs: 0,
  maxDatabaseBytes: 0,
  maxBytesPerAgent: 1_073_741_824,
}

const NO_IMPORTS: ImportResolver = { resolve: async () => null }

const NO_FETCHER: SkillFetcher = {
  fetch: () => Promise.reject(new AppError('skill_unreachable', 'Nothing is fetched in this test.')),
}

/** A request with everything left out that has a default. */
export const requestOf = (request: Partial<ExecuteRequest> = {}): ExecuteRequest => ({
  skillId: 'demo-skill',
  code: 'console.log("hello")\n',
  runtime: 'deno',
  argsJson: null,
  ...request,
})

export const addAgent = (kit: Pick<DomainKit, 'agents'>, name = 'demo-agent'): Agent =>
  kit.agents.add({ name }, 'cli:0').agent

export type ScriptedRun = (
  order: RunOrder,
  print: (stream: 'stdout' | 'stderr', text: string) => void,
  signal: AbortSignal,
) => Partial<RunOutcome> | Promise<Partial<RunOutcome>>

/** A sandbox that runs no code: a function of the test plays each run. It keeps the orders it was given. */
export function createScriptedSandbox(
  run: ScriptedRun = sayHello,
  status: () => SandboxStatus = ready,
): Sandbox & { readonly orders: readonly RunOrder[] } {
  const orders: RunOrder[] = []
  return {
    kind: 'docker',
    orders,
    sweep: async () => 0,
    start() {},
    status: async () => status(),
    async run(order, hooks, signal) {
      orders.push(order)
      hooks.onStarted()
      const outcome = await run(order, (stream, text) => hooks.onOutput(stream, Buffer.from(text)), signal)
      return { end: 'exited', exitCode: 0, durationMs: 12, truncated: false, ...outcome }
    },
    async [Symbol.asyncDispose]() {},
  }
}

const sayHello: ScriptedRun = (_order, print) => {
  print('stdout', 'hello\n')
  return {}
}

const ready = (): SandboxStatus => ({
  kind: 'docker',
  runtimes: [{ name: 'deno', image: `sha256:${'a'.repeat(64)}` }],
  notes: [],
  warm: 1,
})
