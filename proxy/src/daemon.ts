import express from 'express'
import type { Logger } from 'pino'
import { createEgressDial, type EgressDialOptions } from './adapters/dial/index.ts'
import { createSkillFetcher } from './adapters/fetch-code/index.ts'
import { createImportResolver } from './adapters/sandbox/index.ts'
import { createExecutionStore, createWakeStore } from './adapters/storage/index.ts'
import {
  createOpenclawCliChannel,
  createOpenclawHookChannel,
  createWebhookChannel,
} from './adapters/wake-openclaw/index.ts'
import type { Config } from './config/index.ts'
import type { Overview } from './daemon-banner.ts'
import { type DaemonCore, openCore } from './daemon-core.ts'
import { openGateway } from './daemon-egress.ts'
import { type DaemonFront, openFront } from './daemon-front.ts'
import {
  auditCheck,
  createHealth,
  diskCheck,
  lowDiskMessage,
  sandboxCheck,
  wallChecks,
} from './daemon-health.ts'
import { openLlm, openLlmProxy } from './daemon-llm.ts'
import { createLog } from './daemon-log.ts'
import { recoverOnStartup, runPeriodicTasks } from './daemon-periodic.ts'
import { announce, openSandbox } from './daemon-sandbox.ts'
import { closeServer, createAgentServer, listenTcp } from './daemon-servers.ts'
import { startUpkeep } from './daemon-storage.ts'
import type { SkillFetcher } from './domain/code/index.ts'
import { createEgressSessions, type EgressDoors } from './domain/egress/index.ts'
import {
  createChanges,
  createExecutions,
  createLedger,
  createRuns,
  type ExecutionObserver,
  type Executions,
  type Runs,
  type Sandbox,
  WAITING_STATES,
} from './domain/executions/index.ts'
import type { DoctorCheck } from './domain/health/index.ts'
import type { LlmRooms } from './domain/provider-access/index.ts'
import type { ReadFreeBytes } from './domain/retention/index.ts'
import { createWakeObserver, createWaker, type Waker } from './domain/wake/index.ts'
import { type Clock, systemClock } from './kernel/index.ts'
import { createAdminApi } from './surfaces/admin-api/index.ts'
import {
  createAgentApi,
  createAgentGate,
  createMetrics,
  createMetricsObserver,
  type Metrics,
} from './surfaces/agent-api/index.ts'
import type { HoldTimes } from './surfaces/llm-proxy/index.ts'
import { createMcp } from './surfaces/mcp/index.ts'
import {
  type Chat,
  createChat,
  createTelegram,
  createTelegramAccessObserver,
  createTelegramObserver,
  type Telegram,
  tellOwner,
} from './surfaces/telegram/index.ts'
import { VERSION } from './version.ts'

/** A running daemon. Stopping it drains: no new requests, runs under way finish or are ended, all is closed. */
export interface Daemon extends AsyncDisposable {
  readonly url: string
  readonly adminSocketPath: string
  /** For whoever starts it at a terminal. */
  overview(): Promise<Overview>
  stop(): Promise<void>
}

/** Parts that a test or the demo may put in the place of the usual ones. */
export interface DaemonOptions {
  readonly clock?: Clock
  readonly log?: Logger
  /** The lock and the socket, where they were there before this was loaded. */
  readonly front?: DaemonFront
  readonly sandbox?: (instanceId: string, doors: EgressDoors) => Promise<Sandbox>
  /** How the gateway resolves, which addresses count as public, and which roots it trusts. */
  readonly egress?: EgressDialOptions
  readonly skillFetcher?: SkillFetcher
  /** What the disk of the database still takes. */
  readonly readFreeBytes?: ReadFreeBytes
  /** How fast the chat may be written to, where no Telegram is on the other side. */
  readonly chatPace?: { readonly burst: number; readonly perSecond: number }
  /** When a stream that waits for the owner begins, and how often it says so. */
  readonly holdTimes?: HoldTimes
  /** How long a drain waits for runs under way. */
  readonly drainMs?: number
}

const SANDBOX_PATIENCE_MS = 10 * 60_000
/** Together well below the stop timeouts of systemd and compose (30 s and more). */
const DRAIN_MS = 12_000
const DISPOSE_MS = 12_000
const TICK_MS = 1_000
const SANDBOX_VIEW_MS = 5_000

/** The composition root: builds every part, in order of dependency, and undoes it in reverse. */
export async function startDaemon(config: Config, options: DaemonOptions = {}): Promise<Daemon> {
  const clock = options.clock ?? systemClock
  const log = options.log ?? createLog(config.logLevel)
  await using stack = new AsyncDisposableStack()
  const front = stack.use(options.front ?? (await openFront(config)))

  const late: Late = {}
  const core = await openCore(
    config,
    clock,
    stack,
    {
      secretStored: (name) => late.executions?.secretStored(name),
      hostsAskedFor: (name) => late.executions?.hostsAskedFor(name),
      agentRevoked(id, actor) {
        late.executions?.agentRevoked(id, actor)
        late.llm?.access.agentRevoked(id, actor)
        late.llm?.keys.dropCache()
      },
      diskChanged(isLow, freeBytes) {
        log.warn({ freeBytes }, isLow ? 'the disk is nearly full' : 'the disk has room again')
        if (late.chat === undefined) return
        const text = isLow ? lowDiskMessage(freeBytes) : 'the disk has room again; new requests are taken'
        tellOwner(core.outbox, late.chat.id, `💾 ${text}`)
        core.transactor.afterCommit(() => late.telegram?.nudge())
      },
      storageDefect: (error) =>
        log.error({ err: error }, 'the upkeep of the database failed; it will be tried again'),
      contentReleased: () => core.transactor.afterCommit(() => late.upkeep?.nudge()),
    },
    options.readFreeBytes,
  )
  const chat = config.telegram === null ? undefined : createChat(config.telegram.chatId, core.meta)
  if (chat !== undefined) late.chat = chat
  const dial = createEgressDial(options.egress)
  const doors = stack.use(await openGateway(config, dial, core.background, log))
  const sandbox = stack.use(
    (await options.sandbox?.(core.instanceId, doors)) ??
      (await openSandbox(config, core.instanceId, doors, log)),
  )
  const llm = openLlm({
    config,
    core,
    observers:
      chat === undefined
        ? []
        : [
            createTelegramAccessObserver({
              ...core,
              chat,
              onEnqueued: () => core.transactor.afterCommit(() => late.telegram?.nudge()),
            }),
          ],
    clock,
    log,
  })
  late.llm = llm
  stack.use(llm.usage)
  const metrics = createMetrics()
  const { executions, runs, waker, importResolver } = buildExecutions({
    config,
    options,
    core,
    sandbox,
    doors,
    metrics,
    clock,
    log,
    late,
  })
  stack.use(importResolver)
  stack.use(waker)
  await recoverOnStartup(core, sandbox, executions, llm, log)

  const health = createHealth({
    sandbox,
    telegram: () => (config.telegram === null ? 'disabled' : (late.telegram?.state() ?? 'disconnected')),
    askDatabase: () => core.meta.get('instance_id'),
    freeSpace: core.freeSpace,
    telegramNote: () => late.telegram?.note() ?? null,
  })
  if (config.telegram && chat) {
    late.telegram = stack.use(
      createTelegram({
        ...{ ...core, config: config.telegram, chat, executions, llm, clock, health, log },
        ...(options.chatPace === undefined ? {} : { pace: options.chatPace }),
      }),
    )
  }
  metrics.watch({
    pending: () => executions.list({ statuses: WAITING_STATES, limit: 1_000 }).length,
    telegramOutbox: () => core.outbox.waiting('telegram:'),
    warm: async () => (await sandbox.status()).warm,
    llm: () => llm.usage.totals(),
  })

  let accepting = true
  const gate = stack.use(
    createAgentGate({
      ...core,
      metrics,
      log,
      ratePerMinute: config.ratePerMinute,
      accepting: () => accepting,
    }),
  )
  const app = express()
  app.disable('x-powered-by')
  if (late.telegram?.webhook) app.post(late.telegram.webhook.path, late.telegram.webhook.handler)
  const shared = { gate, executions, vault: core.vault, health, metrics, log, version: VERSION }
  app.use('/mcp', createMcp(shared))
  app.use(createAgentApi(shared))
  const standingChecks: DoctorCheck[] = [
    sandboxCheck(sandbox),
    ...(options.sandbox ? [] : wallChecks(sandbox, config.sandbox)),
    auditCheck(core.archiver),
    diskCheck({ ...core, minFreeBytes: config.storage.minFreeBytes }),
    ...(late.telegram ? [late.telegram.check] : []),
  ]
  const admin = createAdminApi({
    ...core,
    archiveFolder: config.storage.auditArchiveDirectory,
    executions,
    llm,
    url: () => url,
    doctorChecks: () => [...standingChecks, ...waker.checks],
    hasDefaultWake: config.wake !== null,
    health,
    clock,
    log,
  })

  const llmProxy = stack.use(
    openLlmProxy({
      llm,
      core,
      gate,
      dial,
      asksInChat: config.telegram !== null,
      accepting: () => accepting,
      onRefused: (code) => metrics.llmRefused(code),
      log,
      ...(options.holdTimes === undefined ? {} : { holdTimes: options.holdTimes }),
    }),
  )
  const agentServer = createAgentServer(app, llmProxy)
  const url = await listenTcp(agentServer, config.host, config.port)
  stack.defer(() => closeServer(agentServer))
  front.serve(admin)
  stack.defer(() => front.close())
  const upkeep = stack.use(startUpkeep({ ...core, auditMaxRows: config.storage.auditMaxRows, log }))
  late.upkeep = upkeep
  const tick = setInterval(() => runPeriodicTasks(executions, core, llm, log), TICK_MS)
  stack.defer(() => clearInterval(tick))

  sandbox.start()
  waker.start()
  late.telegram?.start()
  stack.use(await announce(sandbox, { url, telegram: config.telegram ? 'on' : 'off' }, log))

  const owned = stack.move()
  let stopping: Promise<void> | undefined
  const stop = (): Promise<void> => {
    stopping ??= (async () => {
      accepting = false
      const drainMs = options.drainMs ?? DRAIN_MS
      await Promise.all([runs.drain(drainMs), llmProxy.drain(drainMs)])
      core.transactor.transact(() => core.audit.append('daemon.stopped', 'daemon', null, null))
      await Promise.race([
        owned.disposeAsync(),
        new Promise((resolve) => setTimeout(resolve, DISPOSE_MS).unref()),
      ])
      log.info('oauth3 has stopped')
    })()
    return stopping
  }
  return {
    url,
    adminSocketPath: config.adminSocketPath,
    overview: async () => ({
      url,
      sandbox: (await sandbox.status(SANDBOX_VIEW_MS)).kind,
      agents: core.agents.list().filter(({ revokedAt }) => revokedAt === null).length,
    }),
    stop,
    [Symbol.asyncDispose]: stop,
  }
}

interface Late {
  upkeep?: { nudge(): void }
  llm?: LlmRooms
  executions?: Executions
  waker?: Waker
  telegram?: Telegram
  chat?: Chat
}

/** The life of a request: ledger, runs, what is told of it, and the way back to the agent. */
function buildExecutions(deps: {
  readonly config: Config
  readonly options: DaemonOptions
  readonly core: DaemonCore
  readonly sandbox: Sandbox
  readonly doors: EgressDoors
  readonly metrics: Metrics
  readonly clock: Clock
  readonly log: Logger
  readonly late: Late
}): { executions: Executions; runs: Runs; waker: Waker; importResolver: AsyncDisposable } {
  const { config, options, core, sandbox, clock, log, late } = deps
  const wakes = createWakeStore(core.db)
  const observers: ExecutionObserver[] = [
    createMetricsObserver(deps.metrics),
    createWakeObserver({
      repository: wakes,
      hasTarget: (agentId) => config.wake !== null || (core.agents.byId(agentId)?.wake ?? null) !== null,
      clock,
      onScheduled: () => void late.waker?.nudge(),
    }),
  ]
  if (late.chat) {
    observers.push(
      createTelegramObserver({
        outbox: core.outbox,
        chat: late.chat,
        onEnqueued: () => core.transactor.afterCommit(() => late.telegram?.nudge()),
      }),
    )
  }
  const repository = createExecutionStore(core.db)
  const changes = createChanges(core.transactor)
  const ledger = createLedger({ ...core, repository, changes, observers })
  const egress = createEgressSessions({
    ...core,
    onDefect: (error, requestId) =>
      log.error({ err: error, requestId }, 'requests of a run could not be written to the audit yet'),
  })
  const runs = createRuns({
    ...core,
    egress,
    repository,
    ledger,
    sandbox,
    clock,
    maxConcurrent: config.maxRuns,
    sandboxPatienceMs: SANDBOX_PATIENCE_MS,
    onDefect: (error, requestId) => log.error({ err: error, requestId }, 'a run failed inside the daemon'),
  })
  const importResolver = createImportResolver({
    kind: sandbox.kind,
    instanceId: core.instanceId,
    ociRuntime: config.sandbox.ociRuntime ?? undefined,
    seccomp: config.sandbox.seccomp,
    doors: deps.doors,
    egress,
    hosts: config.importHosts,
    log: (message, error) => log.warn({ err: error }, message),
  })
  const executions = createExecutions({
    ...core,
    repository,
    ledger,
    changes,
    fetcher: options.skillFetcher ?? createSkillFetcher({ hosts: config.skillUrlHosts }),
    importResolver,
    sandbox,
    runs,
    clock,
    knownHosts: () => late.llm?.providers.list().flatMap(({ url }) => URL.parse(url)?.host ?? []) ?? [],
  })
  late.executions = executions
  const waker = createWaker({
    ...core,
    repository: wakes,
    channels: {
      'openclaw-hook': createOpenclawHookChannel(),
      'openclaw-cli': createOpenclawCliChannel(),
      webhook: createWebhookChannel(),
    },
    defaultTarget: config.wake && {
      target: { ...config.wake, sealedToken: null },
      token: config.wake.token?.open() ?? null,
    },
    clock,
    log,
  })
  late.waker = waker
  return { executions, runs, waker, importResolver }
}
