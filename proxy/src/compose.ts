import express, { type Express } from 'express'
import type { Logger } from 'pino'
import { createEgressDial, type EgressDialOptions } from './adapters/dial/index.ts'
import { subscribeParts } from './compose-events.ts'
import { type ExecutionOverrides, openExecutions } from './compose-executions.ts'
import type { Config } from './config/index.ts'
import { type CoreOverrides, openCore } from './daemon-core.ts'
import { openGateway } from './daemon-egress.ts'
import { createHealth } from './daemon-health.ts'
import { openLlm, openLlmProxy } from './daemon-llm.ts'
import { createLog } from './daemon-log.ts'
import { openSandbox } from './daemon-sandbox.ts'
import { createUpkeep } from './daemon-storage.ts'
import type { EgressEndpoints } from './domain/egress/index.ts'
import { type Sandbox, WAITING_STATES } from './domain/executions/index.ts'
import type { HealthReport } from './domain/health/index.ts'
import { type Clock, systemClock } from './kernel/index.ts'
import { createAgentApi, createAgentGate, createMetrics } from './surfaces/agent-api/index.ts'
import type { HoldTimes } from './surfaces/llm-proxy/index.ts'
import { createMcp } from './surfaces/mcp/index.ts'
import {
  createChat,
  createTelegram,
  createTelegramNotifier,
  type Telegram,
  type TelegramDeps,
} from './surfaces/telegram/index.ts'
import { VERSION } from './version.ts'

/** Parts that a test or the demo puts in the place of the usual ones; each left out is the real one. */
export interface Overrides extends CoreOverrides, ExecutionOverrides {
  readonly clock?: Clock
  readonly log?: Logger
  readonly sandbox?: (instanceId: string, endpoints: EgressEndpoints) => Promise<Sandbox>
  /** How the gateway resolves, which addresses count as public, and which roots it trusts. */
  readonly egress?: EgressDialOptions
  /** When a stream that waits for the owner begins, and how often it says so. */
  readonly holdTimes?: HoldTimes
  readonly health?: () => Promise<HealthReport>
  /** How fast the chat is written to and how long a poll for updates waits. */
  readonly telegram?: Pick<TelegramDeps, 'pace' | 'pollSeconds'>
}

/** All parts, joined and at rest. */
export type Composition = Awaited<ReturnType<typeof compose>>

/**
 * The one graph of parts: builds each after what it needs, and says who acts on which event. Nothing listens, polls, runs or
 * looks back at what an earlier process left: the daemon starts that. Disposal undoes it in reverse.
 */
export async function compose(config: Config, overrides: Overrides = {}) {
  const clock = overrides.clock ?? systemClock
  const log = overrides.log ?? createLog(config.logLevel)
  await using stack = new AsyncDisposableStack()
  const core = await openCore(config, clock, log, stack, overrides)
  const dial = createEgressDial(overrides.egress)
  const endpoints = stack.use(await openGateway(config, dial, core.background, log))
  const sandbox = stack.use(
    (await overrides.sandbox?.(core.instanceId, endpoints)) ??
      (await openSandbox(config, core.instanceId, endpoints, log)),
  )
  const llm = openLlm({ config, core, clock, log })
  stack.use(llm.usage)
  const requests = openExecutions(
    { config, core, sandbox, endpoints, providers: llm.providers, clock, log },
    overrides,
  )
  const { executions, waker } = requests
  stack.use(requests.importResolver)
  stack.use(waker)

  const health =
    overrides.health ??
    createHealth({
      sandbox,
      telegram: () => (config.telegram === null ? 'disabled' : (telegram?.state() ?? 'disconnected')),
      askDatabase: () => core.meta.get('instance_id'),
      freeSpace: core.freeSpace,
      telegramNote: () => telegram?.note() ?? null,
    })
  const chat = config.telegram === null ? undefined : createChat(config.telegram.chatId, core.meta)
  const telegram: Telegram | undefined =
    config.telegram && chat
      ? stack.use(
          createTelegram({
            ...core,
            config: config.telegram,
            chat,
            executions,
            llm,
            clock,
            health,
            log,
            ...overrides.telegram,
          }),
        )
      : undefined
  const metrics = createMetrics()
  metrics.watch({
    pending: () => executions.list({ statuses: WAITING_STATES, limit: 1_000 }).length,
    telegramOutbox: () => core.outbox.waiting('telegram:'),
    warm: async () => (await sandbox.status()).warm,
    llm: () => llm.usage.totals(),
  })
  const upkeep = stack.use(createUpkeep({ ...core, auditMaxRows: config.storage.auditMaxRows, log }))
  subscribeParts({
    ...requests,
    core,
    llm,
    upkeep,
    metrics,
    notifier: telegram && chat && createTelegramNotifier({ ...core, chat, sender: telegram }),
    log,
  })

  let isAccepting = true
  const accepting = (): boolean => isAccepting
  const gate = stack.use(
    createAgentGate({ ...core, metrics, log, ratePerMinute: config.ratePerMinute, accepting }),
  )
  const llmProxy = stack.use(
    openLlmProxy({
      llm,
      core,
      gate,
      dial,
      asksInChat: config.telegram !== null,
      accepting,
      onRefused: (code) => metrics.llmRefused(code),
      log,
      holdTimes: overrides.holdTimes,
    }),
  )
  const app = express()
  app.disable('x-powered-by')
  if (telegram?.webhook) app.post(telegram.webhook.path, telegram.webhook.handler)
  const shared = { gate, executions, vault: core.vault, health, metrics, log, version: VERSION }
  app.use('/mcp', createMcp(shared))
  app.use(createAgentApi(shared))

  const owned = stack.move()
  return {
    ...core,
    ...requests,
    clock,
    log,
    sandbox,
    llm,
    llmProxy,
    telegram,
    health,
    upkeep,
    /** What agents reach beside the LLM proxy. */
    app: app as Express,
    /** While false agents' new requests are refused, as the daemon is about to stop. */
    setAccepting(isOpen: boolean): void {
      isAccepting = isOpen
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}
