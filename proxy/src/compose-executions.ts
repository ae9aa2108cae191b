import type { Logger } from 'pino'
import { createSkillFetcher } from './adapters/fetch-code/index.ts'
import { createImportResolver } from './adapters/sandbox/index.ts'
import { createWakeStore } from './adapters/storage/index.ts'
import {
  createOpenclawCliChannel,
  createOpenclawHookChannel,
  createWebhookChannel,
} from './adapters/wake-openclaw/index.ts'
import type { Config } from './config/index.ts'
import type { DaemonCore } from './daemon-core.ts'
import type { SkillFetcher } from './domain/code/index.ts'
import { createEgressSessions, type EgressEndpoints } from './domain/egress/index.ts'
import {
  createChanges,
  createExecutions,
  createLedger,
  createRuns,
  type Sandbox,
} from './domain/executions/index.ts'
import type { ImportResolver } from './domain/imports/index.ts'
import type { LlmModules } from './domain/provider-access/index.ts'
import { createWaker, createWakeScheduler, type WakerDeps } from './domain/wake/index.ts'
import type { Clock } from './kernel/index.ts'

const SANDBOX_PATIENCE_MS = 10 * 60_000

export interface ExecutionOverrides {
  readonly skillFetcher?: SkillFetcher
  readonly importResolver?: ImportResolver & AsyncDisposable
  readonly wakeChannels?: Partial<WakerDeps['channels']>
  /** How long imports may take to be fetched. */
  readonly importTimeoutMs?: number
  /** How long an approved run waits for a sandbox that is away. */
  readonly sandboxPatienceMs?: number
}

/** The life of a request: what it is, its run, what it imports, and the way back to the agent. */
export function openExecutions(
  deps: {
    readonly config: Config
    readonly core: DaemonCore
    readonly sandbox: Sandbox
    readonly endpoints: EgressEndpoints
    readonly providers: LlmModules['providers']
    readonly clock: Clock
    readonly log: Logger
  },
  overrides: ExecutionOverrides,
) {
  const { config, core, sandbox, clock, log } = deps
  const repository = core.executionStore
  const changes = createChanges(core.transactor)
  const ledger = createLedger({ ...core, repository })
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
    sandboxPatienceMs: overrides.sandboxPatienceMs ?? SANDBOX_PATIENCE_MS,
    onDefect: (error, requestId) => log.error({ err: error, requestId }, 'a run failed inside the daemon'),
  })
  const importResolver =
    overrides.importResolver ??
    createImportResolver({
      kind: sandbox.kind,
      instanceId: core.instanceId,
      ociRuntime: config.sandbox.ociRuntime ?? undefined,
      seccomp: config.sandbox.seccomp,
      endpoints: deps.endpoints,
      egress,
      hosts: config.importHosts,
      timeoutMs: overrides.importTimeoutMs,
      log: (message, error) => log.warn({ err: error }, message),
    })
  const executions = createExecutions({
    ...core,
    repository,
    ledger,
    changes,
    fetcher: overrides.skillFetcher ?? createSkillFetcher({ hosts: config.skillUrlHosts }),
    importResolver,
    sandbox,
    runs,
    clock,
    knownHosts: () => deps.providers.list().flatMap(({ url }) => URL.parse(url)?.host ?? []),
  })
  const wakes = createWakeStore(core.db)
  const waker = createWaker({
    ...core,
    repository: wakes,
    channels: {
      'openclaw-hook': createOpenclawHookChannel(),
      'openclaw-cli': createOpenclawCliChannel(),
      webhook: createWebhookChannel(),
      ...overrides.wakeChannels,
    },
    defaultTarget: config.wake && {
      target: { ...config.wake, sealedToken: null },
      token: config.wake.token?.open() ?? null,
    },
    clock,
    log,
  })
  const scheduleWake = createWakeScheduler({
    repository: wakes,
    hasTarget: (agentId) => config.wake !== null || (core.agents.byId(agentId)?.wake ?? null) !== null,
    waker,
    clock,
  })
  return { executions, changes, runs, importResolver, waker, scheduleWake }
}
