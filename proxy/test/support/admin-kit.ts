import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createSodiumCipher, newKeyBytes } from '../../src/adapters/crypto/index.ts'
import {
  createAgentStore,
  createAuditStore,
  createCodeStore,
  createDataKeyStore,
  createExecutionStore,
  createMetaStore,
  createSecretStore,
  createTransactor,
  createTrustStore,
  openDatabase,
} from '../../src/adapters/storage/index.ts'
import { type Agent, createAgents } from '../../src/domain/agents/index.ts'
import { createAuditLog } from '../../src/domain/audit/index.ts'
import {
  createChanges,
  createExecutions,
  createLedger,
  createRuns,
  type ExecuteRequest,
  type Execution,
  type Executions,
  type RunOrder,
  type Sandbox,
} from '../../src/domain/executions/index.ts'
import type { DoctorCheck } from '../../src/domain/health/index.ts'
import { createTrust } from '../../src/domain/trust/index.ts'
import { createDataKeyring, createVault } from '../../src/domain/vault/index.ts'
import { adminSocketPath, type Clock, type RequestId, systemClock } from '../../src/kernel/index.ts'
import { createAdminApi } from '../../src/surfaces/admin-api/index.ts'

/**
 * The admin API over a real unix socket on a real SQLite file. The sandbox alone is a double: it prints what it
 * was told to print, so that these tests need no engine.
 */
export interface AdminKit extends AsyncDisposable {
  readonly folder: string
  readonly dbPath: string
  readonly socketPath: string
  readonly executions: Executions
  readonly db: ReturnType<typeof openDatabase>
  readonly agents: ReturnType<typeof createAgents>
  readonly vault: ReturnType<typeof createVault>
  readonly orders: readonly RunOrder[]
  readonly agent: Agent
  readonly token: string
  ask(request?: Partial<ExecuteRequest>): Promise<Execution>
  finished(requestId: RequestId): Promise<Execution>
}

export interface AdminKitOptions {
  readonly clock?: Clock
  readonly doctorChecks?: readonly DoctorCheck[]
  /** What every run prints. */
  readonly stdout?: string
}

export async function startAdminKit(options: AdminKitOptions = {}): Promise<AdminKit> {
  const folder = mkdtempSync(join(tmpdir(), 'oauth3-admin-'))
  const dbPath = join(folder, 'state', 'proxy.db')
  const socketPath = adminSocketPath(dbPath)
  const clock = options.clock ?? systemClock
  const db = openDatabase(dbPath)
  const meta = createMetaStore(db)
  const transactor = createTransactor(db)
  const audit = createAuditLog({ repository: createAuditStore(db, meta), clock, auditKey: newKeyBytes() })
  const cipher = await createSodiumCipher()
  const keyring = createDataKeyring({
    repository: createDataKeyStore(db),
    cipher,
    masterKey: newKeyBytes(),
    clock,
  })
  const agents = createAgents({ repository: createAgentStore(db), audit, transactor, clock })
  const trust = createTrust({ repository: createTrustStore(db, meta), audit, transactor, clock })
  let executions: Executions | undefined
  const vault = createVault({
    repository: createSecretStore(db),
    keyring,
    audit,
    transactor,
    clock,
    onStored: (name) => executions?.secretStored(name),
  })
  const orders: RunOrder[] = []
  const sandbox = printingSandbox(options.stdout ?? 'done\n', orders)
  const changes = createChanges(transactor)
  const repository = createExecutionStore(db)
  const codes = createCodeStore(db)
  const ledger = createLedger({ repository, audit, changes, observers: [] })
  const runs = createRuns({
    repository,
    ledger,
    codes,
    vault,
    sandbox,
    audit,
    transactor,
    clock,
    maxConcurrent: 2,
    sandboxPatienceMs: 1_000,
    onDefect: (error) => {
      throw error
    },
  })
  executions = createExecutions({
    repository,
    ledger,
    changes,
    codes,
    trust,
    vault,
    sandbox,
    runs,
    audit,
    transactor,
    clock,
    fetcher: { fetch: () => Promise.reject(new Error('no links in these tests')) },
    approvalTtlMs: 3_600_000,
    maxWaitingPerAgent: 100,
  })
  const app = createAdminApi({
    executions,
    agents,
    vault,
    trust,
    audit,
    clock,
    keys: {
      rotateData: (actor) => vault.rotate(actor),
      rotateMaster: async () => transactor.transact(() => keyring.rewrap(newKeyBytes()))(),
    },
    doctorChecks: options.doctorChecks ?? [
      { name: 'sandbox', run: async () => ({ ok: true, said: 'answers' }) },
    ],
    health: async () => ({
      status: 'ok',
      telegram: 'disabled',
      database: 'ok',
      sandbox: 'docker',
      version: '0.0.0',
      uptime_s: 1,
      notes: [],
    }),
    log: { error: () => {} },
  })
  const server = createServer(app)
  const mask = process.umask(0o177)
  const listening = new Promise<void>((resolve) => server.listen(socketPath, resolve))
  process.umask(mask)
  await listening
  const { agent, token } = agents.add({ name: 'clawd' }, 'cli:0')
  const all = executions

  return {
    folder,
    dbPath,
    socketPath,
    executions: all,
    db,
    agents,
    vault,
    orders,
    agent,
    token,
    ask: (request) =>
      all.submit(agent, {
        skillId: 'demo/skill',
        code: 'console.log(1)\n',
        runtime: 'deno',
        argsJson: null,
        ...request,
      }),
    finished: (requestId) => all.wait(requestId, 5_000, new AbortController().signal),
    async [Symbol.asyncDispose]() {
      await new Promise((resolve) => {
        server.close(resolve)
        server.closeAllConnections()
      })
      await runs[Symbol.asyncDispose]()
      db.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

function printingSandbox(stdout: string, orders: RunOrder[]): Pick<Sandbox, 'run' | 'status'> {
  return {
    status: async () => ({
      kind: 'docker',
      runtimes: [{ name: 'deno', image: 'sha256:test' }],
      notes: [],
      warm: 0,
    }),
    async run(order, hooks) {
      orders.push(order)
      hooks.onStarted()
      hooks.onOutput('stdout', Buffer.from(stdout))
      return { end: 'exited', exitCode: 0, durationMs: 12, truncated: false }
    },
  }
}
