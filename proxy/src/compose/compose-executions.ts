import type { Cards } from '../approvals/index.ts'
import type { WakeConfig } from '../config/index.ts'
import { createEgressSessions } from '../egress/index.ts'
import type { SkillFetcher } from '../executions/code/index.ts'
import { createSkillFetcher } from '../executions/fetch-code/index.ts'
import { createChanges, createExecutions, createLedger, createRuns } from '../executions/index.ts'
import { createSkillRegistries } from '../executions/registry/index.ts'
import type { LlmModules } from '../llm/provider-access/index.ts'
import { createWaker, createWakeScheduler, type WakeChannel, type WakerDeps } from '../notify/wake/index.ts'
import {
  createOpenclawCliChannel,
  createOpenclawHookChannel,
  createWebhookChannel,
} from '../notify/wake-channels/index.ts'
import type { Installation } from './compose-installation.ts'
import type { TenantCore } from './daemon-core.ts'

const SANDBOX_PATIENCE_MS = 10 * 60_000

export interface ExecutionOverrides {
  readonly skillFetcher?: SkillFetcher
  readonly wakeChannels?: Partial<WakerDeps['channels']>
  /** How long an approved run waits for a sandbox that is away. */
  readonly sandboxPatienceMs?: number
}

/** The life of a request: what it is, its run, what it imports, and the way back to the agent. */
export function openExecutions(
  deps: {
    readonly installation: Installation
    readonly core: TenantCore & { readonly cards: Cards }
    readonly wake: WakeConfig | null
    /** Hosted agents, which are woken where they live. */
    readonly machineChannel: WakeChannel
    readonly providers: LlmModules['providers']
  },
  overrides: ExecutionOverrides,
) {
  const { core, wake } = deps
  const { config, sandbox, imports, places, clock, log } = deps.installation
  const changes = createChanges(core.storage)
  const ledger = createLedger({ ...core })
  const egress = createEgressSessions({
    ...core,
    onDefect: (error, requestId) =>
      log.error({ err: error, requestId }, 'requests of a run could not be written to the audit yet'),
  })
  const runs = createRuns({
    ...core,
    egress,
    ledger,
    sandbox,
    clock,
    places,
    sandboxPatienceMs: overrides.sandboxPatienceMs ?? SANDBOX_PATIENCE_MS,
    onDefect: (error, requestId) => log.error({ err: error, requestId }, 'a run failed inside the daemon'),
  })
  const importResolver = imports.resolverFor(egress)
  const fetcher = overrides.skillFetcher ?? createSkillFetcher({ hosts: config.skillUrlHosts })
  const registries = createSkillRegistries({ ...core, clock, fetcher })
  const executions = createExecutions({
    ...core,
    registries,
    ledger,
    changes,
    fetcher,
    importResolver,
    sandbox,
    runs,
    clock,
    knownHosts: () => deps.providers.list().flatMap(({ url }) => URL.parse(url)?.host ?? []),
  })
  const waker = createWaker({
    ...core,
    channels: {
      'openclaw-hook': createOpenclawHookChannel(),
      'openclaw-cli': createOpenclawCliChannel(),
      webhook: createWebhookChannel(),
      machine: deps.machineChannel,
      ...overrides.wakeChannels,
    },
    defaultTarget: wake && {
      target: { ...wake, sealedToken: null },
      token: wake.token?.open() ?? null,
    },
    clock,
    log,
  })
  const scheduleWake = createWakeScheduler({
    hasTarget: (agentId) => wake !== null || (core.agents.byId(agentId)?.wake ?? null) !== null,
    waker,
    clock,
  })
  return { executions, registries, changes, runs, importResolver, waker, scheduleWake }
}
