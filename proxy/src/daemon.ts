import { randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import express from 'express'
import pino, { type Logger } from 'pino'
import { createSodiumCipher } from './adapters/crypto/index.ts'
import { createSkillFetcher } from './adapters/fetch-code/index.ts'
import { createSandbox } from './adapters/sandbox/index.ts'
import {
  createAgentStore,
  createAuditStore,
  createCardStore,
  createCodeStore,
  createDataKeyStore,
  createExecutionStore,
  createMetaStore,
  createOutboxStore,
  createSecretStore,
  createTransactor,
  createTrustStore,
  createWakeStore,
  type MetaStore,
  openDatabase,
} from './adapters/storage/index.ts'
import {
  createOpenclawCliChannel,
  createOpenclawHookChannel,
  createWebhookChannel,
} from './adapters/wake-openclaw/index.ts'
import type { Config } from './config/index.ts'
import { openMasterKeys } from './daemon-keys.ts'
import { closeServer, listenSocket, listenTcp, refuseSecondDaemon } from './daemon-servers.ts'
import { createAgents } from './domain/agents/index.ts'
import { createCards } from './domain/approvals/index.ts'
import { createAuditLog } from './domain/audit/index.ts'
import type { SkillFetcher } from './domain/code/index.ts'
import {
  createChanges,
  createExecutions,
  createLedger,
  createRuns,
  type ExecutionObserver,
  type Executions,
  type Sandbox,
} from './domain/executions/index.ts'
import type { DoctorCheck, HealthReport } from './domain/health/index.ts'
import { createOutbox } from './domain/outbox/index.ts'
import { createTrust } from './domain/trust/index.ts'
import { createVault, type DataKeyring } from './domain/vault/index.ts'
import { createWakeObserver, createWaker } from './domain/wake/index.ts'
import { type Clock, SecretValue, systemClock } from './kernel/index.ts'
import { createAdminApi } from './surfaces/admin-api/index.ts'
import {
  createAgentApi,
  createAgentGate,
  createMetrics,
  createMetricsObserver,
} from './surfaces/agent-api/index.ts'
import { createMcp } from './surfaces/mcp/index.ts'
import { createTelegram, createTelegramObserver } from './surfaces/telegram/index.ts'
import { VERSION } from './version.ts'

/** A running daemon. Disposing it drains: no new requests, runs under way finish or are ended, all is closed. */
export interface Daemon extends AsyncDisposable {
  readonly url: string
  readonly adminSocketPath: string
  stop(): Promise<void>
}

/** Parts that a test or the demo may put in the place of the usual ones. */
export interface DaemonOptions {
  readonly clock?: Clock
  readonly log?: Logger
  readonly sandbox?: (instanceId: string) => Promise<Sandbox>
  readonly skillFetcher?: SkillFetcher
  /** How long a drain waits for runs under way. */
  readonly drainMs?: number
}

const SANDBOX_PATIENCE_MS = 10 * 60_000
const TICK_MS = 1_000

/** The composition root: builds every part, in order of dependency, and undoes it in reverse. */
export async function startDaemon(config: Config, options: DaemonOptions = {}): Promise<Daemon> {
  const clock = options.clock ?? systemClock
  const log = options.log ?? pino({ level: config.logLevel, base: null })
  await using stack = new AsyncDisposableStack()
  await refuseSecondDaemon(config.adminSocketPath)

  // Storage and keys
  const db = openDatabase(config.dbPath)
  stack.defer(() => void db.close())
  const transactor = createTransactor(db)
  const meta = createMetaStore(db)
  const instanceId = metaOnce(meta, 'instance_id', () => randomBytes(8).toString('hex'))
  const cipher = await createSodiumCipher()
  const masterKeys = await openMasterKeys({
    source: config.masterKey,
    meta,
    dataKeys: createDataKeyStore(db),
    cipher,
    clock,
  })
  const { keyring } = masterKeys

  // Domain
  const audit = createAuditLog({
    repository: createAuditStore(db, meta),
    clock,
    auditKey: auditKeyOf(meta, keyring),
  })
  const agentStore = createAgentStore(db)
  const agents = createAgents({ repository: agentStore, audit, transactor, clock })
  const trust = createTrust({ repository: createTrustStore(db, meta), audit, transactor, clock })
  const outbox = createOutbox({ repository: createOutboxStore(db), clock })
  const codes = createCodeStore(db)
  let executions: Executions | undefined
  const vault = createVault({
    repository: createSecretStore(db),
    keyring,
    audit,
    transactor,
    clock,
    onStored: (name) => executions?.secretStored(name),
    resealOthers(reseal) {
      meta.set('audit_key', reseal('audit-key', meta.get('audit_key') ?? ''))
      for (const { id, wake } of agentStore.list()) {
        if (wake?.sealedToken) {
          agentStore.setWake(id, { ...wake, sealedToken: reseal(`agent-wake:${id}`, wake.sealedToken) })
        }
      }
    },
  })
  const cards = createCards({
    repository: createCardStore(db),
    clock,
    approverIds: config.telegram?.approverIds ?? new Set(),
  })

  // Ways out
  const sandbox = options.sandbox
    ? await options.sandbox(instanceId)
    : await createSandbox({
        kind: config.sandbox.kind,
        ociRuntime: config.sandbox.ociRuntime ?? undefined,
        poolSize: config.sandbox.poolSize,
        instanceId,
        log: (message, error) => log.warn({ err: error }, message),
      })
  stack.use(sandbox)
  const metrics = createMetrics()
  const wakes = createWakeStore(db)
  const changes = createChanges()
  const observers: ExecutionObserver[] = [
    createMetricsObserver(metrics),
    createWakeObserver({
      repository: wakes,
      hasTarget: (agentId) => config.wake !== null || (agents.byId(agentId)?.wake ?? null) !== null,
      clock,
    }),
  ]
  if (config.telegram) observers.push(createTelegramObserver({ outbox, chatId: config.telegram.chatId }))
  const executionStore = createExecutionStore(db)
  const ledger = createLedger({ repository: executionStore, audit, changes, observers })
  const runs = createRuns({
    repository: executionStore,
    ledger,
    codes,
    vault,
    sandbox,
    audit,
    transactor,
    clock,
    maxConcurrent: config.maxRuns,
    sandboxPatienceMs: SANDBOX_PATIENCE_MS,
    onDefect: (error, requestId) => log.error({ err: error, requestId }, 'a run failed inside the daemon'),
  })
  executions = createExecutions({
    repository: executionStore,
    ledger,
    changes,
    codes,
    trust,
    vault,
    fetcher: options.skillFetcher ?? createSkillFetcher(),
    sandbox,
    runs,
    audit,
    transactor,
    clock,
    approvalTtlMs: config.approvalTtlMs,
    maxWaitingPerAgent: config.maxWaitingPerAgent,
  })
  const living = executions

  // Whatever an earlier process left half done is settled before anybody can ask.
  const swept = await sandbox.sweep()
  if (swept > 0) log.info({ swept }, 'removed what an earlier daemon left in the sandbox engine')
  transactor.transact(() => audit.append('daemon.started', 'daemon', null, { version: VERSION }))
  living.recover()
  living.tick()
  trust.tick()
  sandbox.start()

  const waker = createWaker({
    repository: wakes,
    agents,
    vault,
    channels: {
      'openclaw-hook': createOpenclawHookChannel(),
      'openclaw-cli': createOpenclawCliChannel(),
      webhook: createWebhookChannel(),
    },
    defaultTarget: config.wake && {
      target: {
        kind: config.wake.kind,
        target: config.wake.target,
        sessionKey: config.wake.sessionKey,
        sealedToken: null,
      },
      token: config.wake.token?.open() ?? null,
    },
    audit,
    transactor,
    clock,
    log,
  })
  stack.use(waker)

  // Surfaces
  const startedAt = clock.now()
  const health = async (): Promise<HealthReport> => {
    const status = await sandbox.status()
    const telegramState = config.telegram === null ? 'disabled' : (telegram?.state() ?? 'disconnected')
    const database = databaseAnswers(() => meta.get('instance_id')) ? 'ok' : 'error'
    const degraded = telegramState === 'disconnected' || database === 'error' || status.kind === 'unavailable'
    return {
      status: degraded ? 'degraded' : 'ok',
      telegram: telegramState,
      database,
      sandbox: status.kind,
      version: VERSION,
      uptime_s: Math.round((clock.now() - startedAt) / 1_000),
      notes: status.notes,
    }
  }
  const telegram = config.telegram
    ? createTelegram({
        config: config.telegram,
        executions: living,
        cards,
        trust,
        vault,
        audit,
        agents,
        outbox,
        transactor,
        clock,
        health,
        log,
      })
    : undefined
  if (telegram) stack.use(telegram)

  let accepting = true
  const app = express()
  app.disable('x-powered-by')
  if (telegram?.webhook) app.post(telegram.webhook.path, telegram.webhook.handler)
  metrics.watch({
    pending: () => living.list({ statuses: ['pending', 'awaiting_secrets'], limit: 1_000 }).length,
    telegramOutbox: () => outbox.waiting('telegram:'),
    warm: async () => (await sandbox.status()).warm,
  })
  const gate = createAgentGate({
    agents,
    audit,
    transactor,
    metrics,
    log,
    ratePerMinute: config.ratePerMinute,
    accepting: () => accepting,
  })
  stack.use(gate)
  metrics.watch({
    pending: () => executionStore.inStatus('pending').length,
    telegramOutbox: () => outbox.waiting('telegram:'),
    warm: async () => (await sandbox.status()).warm,
  })
  const shared = { gate, executions: living, vault, health, metrics, log, version: VERSION }
  app.use('/mcp', createMcp(shared))
  app.use(createAgentApi(shared))
  const doctorChecks: DoctorCheck[] = [
    sandboxCheck(sandbox),
    { name: 'audit', run: async () => describeVerdict(audit.verify()) },
    ...(telegram ? [telegram.check] : []),
    ...waker.checks,
  ]
  const admin = createAdminApi({
    executions: living,
    agents,
    vault,
    trust,
    audit,
    keys: {
      rotateData: (actor) => vault.rotate(actor),
      rotateMaster: (actor) =>
        masterKeys.rotate((work) =>
          transactor.transact(() => {
            work()
            audit.append('key.rotated', actor, null, { what: 'master key' })
          }),
        ),
    },
    doctorChecks,
    health,
    clock,
    log,
  })

  const agentServer = createServer(
    { requestTimeout: 30_000, headersTimeout: 10_000, keepAliveTimeout: 65_000 },
    app,
  )
  const url = await listenTcp(agentServer, config.host, config.port)
  stack.defer(() => closeServer(agentServer))
  const adminServer = createServer(admin)
  await listenSocket(adminServer, config.adminSocketPath)
  stack.defer(() => closeServer(adminServer))

  const tick = setInterval(() => {
    try {
      living.tick()
      trust.tick()
    } catch (error) {
      log.error({ err: error }, 'periodic work failed; it will be tried again')
    }
  }, TICK_MS)
  stack.defer(() => clearInterval(tick))
  waker.start()
  telegram?.start()
  log.info({ url, sandbox: sandbox.kind, telegram: config.telegram ? 'on' : 'off' }, 'oauth3 is ready')

  const owned = stack.move()
  let stopping: Promise<void> | undefined
  const stop = (): Promise<void> => {
    stopping ??= (async () => {
      accepting = false
      await runs.drain(options.drainMs ?? 20_000)
      transactor.transact(() => audit.append('daemon.stopped', 'daemon', null, null))
      await owned.disposeAsync()
      log.info('oauth3 has stopped')
    })()
    return stopping
  }
  return { url, adminSocketPath: config.adminSocketPath, stop, [Symbol.asyncDispose]: stop }
}

function metaOnce(meta: MetaStore, key: string, make: () => string): string {
  const stored = meta.get(key)
  if (stored !== undefined) return stored
  const made = make()
  meta.set(key, made)
  return made
}

/** The audit's own key, sealed like a secret, so that it stays the same when other keys are rotated. */
function auditKeyOf(meta: MetaStore, keyring: DataKeyring): Uint8Array {
  const sealed = metaOnce(meta, 'audit_key', () =>
    keyring.seal('for:audit-key', new SecretValue(randomBytes(32).toString('hex'))),
  )
  return Buffer.from(keyring.open('for:audit-key', sealed).open(), 'hex')
}

function databaseAnswers(ask: () => unknown): boolean {
  try {
    return ask() !== undefined
  } catch {
    return false
  }
}

function sandboxCheck(sandbox: Sandbox): DoctorCheck {
  return {
    name: 'sandbox',
    async run() {
      const status = await sandbox.status()
      const runtimes = status.runtimes
        .map((runtime) => `${runtime.name} ${runtime.image.slice(0, 19)}`)
        .join(', ')
      return {
        ok: status.kind !== 'unavailable',
        said: [`${status.kind}; ${runtimes || 'no runtime'}; ${status.warm} warm`, ...status.notes].join(
          '; ',
        ),
      }
    },
  }
}

function describeVerdict(verdict: { ok: boolean; rows: number; brokenId?: number; reason?: string }): {
  ok: boolean
  said: string
} {
  return {
    ok: verdict.ok,
    said: verdict.ok
      ? `${verdict.rows} rows, chain and seal hold`
      : `row ${verdict.brokenId}: ${verdict.reason}`,
  }
}
