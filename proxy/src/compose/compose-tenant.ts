import express, { type Express } from 'express'
import { createCards } from '../approvals/index.ts'
import { createBlockIndexer } from '../audit/index.ts'
import { createAuditSubjects } from '../executions/index.ts'
import { createAgentApi, createAgentGate } from '../http/agent-api/index.ts'
import { createCdp } from '../http/cdp/index.ts'
import { createMcp } from '../http/mcp/index.ts'
import { createAccounts } from '../identity/accounts/index.ts'
import { createPasskeys } from '../identity/passkeys/index.ts'
import { createSessions } from '../identity/sessions/index.ts'
import type { HealthReport } from '../kernel/index.ts'
import { AppError, DEFAULT_TENANT } from '../kernel/index.ts'
import type { HoldTimes } from '../llm/proxy/index.ts'
import { botOf } from '../notify/bot-api/index.ts'
import { createEventFeed } from '../notify/event-feed/index.ts'
import {
  createChat,
  createTelegram,
  createTelegramNotifier,
  type Telegram,
  type TelegramDeps,
} from '../notify/telegram/index.ts'
import { createPushSender, createWebPush, type PushSenderOptions } from '../notify/web-push/index.ts'
import { VERSION } from '../version.ts'
import { modelsOf } from './claude-run-models.ts'
import { composeClaudeRuns } from './compose-claude-runs.ts'
import { subscribeParts } from './compose-events.ts'
import { type ExecutionOverrides, openExecutions } from './compose-executions.ts'
import { composeHosting, type Hosting, type HostingOverrides, machineChannel } from './compose-hosting.ts'
import type { Installation } from './compose-installation.ts'
import type { ClaudeRunsOverrides } from './daemon-claude-runner.ts'
import type { TenantCore, TenantSettings } from './daemon-core.ts'
import { createHealth } from './daemon-health.ts'
import { openLlm, openLlmProxy } from './daemon-llm.ts'
import { createUpkeep } from './daemon-storage.ts'

/** Parts that a test or the demo puts in the place of the usual ones; each left out is the real one. */
export interface TenantOverrides extends ExecutionOverrides {
  /** When a stream that waits for the owner begins, and how often it says so. */
  readonly holdTimes?: HoldTimes
  readonly health?: () => Promise<HealthReport>
  readonly claudeRuns?: ClaudeRunsOverrides
  readonly hosting?: HostingOverrides
  /** How push services are reached. */
  readonly pushSender?: PushSenderOptions
  /** How fast the chat is written to and how long a poll for updates waits. */
  readonly telegram?: Pick<TelegramDeps, 'pace' | 'pollSeconds'>
}

/** What one tenant has, joined and at rest. */
export type TenantParts = Awaited<ReturnType<typeof composeTenant>>

/**
 * The graph of one tenant's parts, on what the installation has: builds each after what it needs, and says who acts on which event.
 * Nothing polls, runs or looks back at what an earlier process left: the daemon starts that. Disposal undoes it in reverse.
 */
export async function composeTenant(
  installation: Installation,
  opened: TenantCore,
  settings: TenantSettings,
  overrides: TenantOverrides,
) {
  const { clock, log, sandbox, metrics, limits } = installation
  await using stack = new AsyncDisposableStack()
  const core = {
    ...opened,
    cards: createCards({ clock }),
    passkeys: createPasskeys({ ...opened, clock, assertOpen: () => opened.lockdown.assertOpen() }),
    sessions: createSessions({ ...opened, clock, log }),
    feed: createEventFeed(),
  }
  const accounts = createAccounts({ ...core, clock, log })
  await core.storage.read(async (tx) => {
    await core.sessions.load(tx)
    await accounts.load(tx)
  })
  await core.memberships.settle(settings.telegram?.approverIds ?? [], 'daemon')
  let hosting: Hosting | null = null
  const llm = await openLlm(installation, core)
  stack.use(llm.usage)
  const requests = openExecutions(
    {
      ...{ installation, core, wake: settings.wake, providers: llm.providers },
      machineChannel: machineChannel(() => hosting),
    },
    overrides,
  )
  const { executions, waker } = requests
  llm.nameApps((id) => core.apps.byId(id)?.name)
  const models = modelsOf(core.storage.tenant, { bind: (run) => llmProxy.bind(run) })
  const claudeRuns = composeClaudeRuns(installation, core, models, overrides.claudeRuns)
  const auditIndexer = createBlockIndexer({ ...core, subjectOf: () => createAuditSubjects(executions) })
  stack.use(waker)

  const health =
    overrides.health ??
    createHealth({
      sandbox,
      telegram: () => (settings.telegram === null ? 'disabled' : (telegram?.state() ?? 'disconnected')),
      askDatabase: core.askDatabase,
      lockdown: core.lockdown,
      engine: core.engine,
      freeSpace: core.freeSpace,
      telegramNote: async () => (await telegram?.note()) ?? null,
    })
  if (settings.telegram !== null)
    stack.use(installation.bots.claim(botOf(settings.telegram.token), { tenant: settings.id, machine: null }))
  const chat =
    settings.telegram === null ? undefined : await createChat(settings.telegram.chatId, core.storage)
  const telegram: Telegram | undefined =
    settings.telegram && chat
      ? stack.use(
          createTelegram({
            ...core,
            config: settings.telegram,
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
  const webPush = stack.use(
    createWebPush({
      ...core,
      subscriptions: core.push,
      sender: createPushSender(overrides.pushSender),
      clock,
      log,
    }),
  )
  webPush.start()
  const upkeep = stack.use(
    createUpkeep({
      ...core,
      freeSpace: settings.id === DEFAULT_TENANT ? core.freeSpace : undefined,
      auditMaxRows: installation.config.storage.auditMaxRows,
      log,
    }),
  )
  subscribeParts({
    ...requests,
    claudeRuns: claudeRuns?.runs,
    toolCalls: claudeRuns?.toolCalls,
    core,
    llm,
    webPush,
    upkeep,
    metrics,
    notifier: telegram && chat && createTelegramNotifier({ ...core, chat, sender: telegram }),
    feed: core.feed,
    log,
  })

  let isAccepting = true
  const accepting = (): boolean => isAccepting
  const gate = stack.use(createAgentGate({ ...core, ...{ metrics, log, limits, accepting } }))
  const llmProxy = stack.use(
    openLlmProxy(installation, {
      ...{ llm, core, gate, accepting },
      asksInChat: settings.telegram !== null,
      holdTimes: overrides.holdTimes,
    }),
  )
  core.lockdown.onBegin(() => llmProxy.halt())
  const app = express()
  app.disable('x-powered-by')
  if (telegram?.webhook) app.post(telegram.webhook.path, telegram.webhook.handler)
  const shared = { ...core, ...{ gate, executions, health, metrics, log }, version: VERSION }
  app.use('/mcp', createMcp(shared))
  const cdp = stack.use(
    createCdp({
      ...shared,
      clock,
      tickets: installation.tickets,
      async openBrowser(agent, signal) {
        if (hosting === null) throw new AppError('not_found', 'No browsers are hosted here.')
        return await hosting.openBrowser(agent, signal)
      },
    }),
  )
  app.use('/cdp', cdp.router)
  app.use(createAgentApi(shared))

  hosting =
    overrides.hosting?.played?.(settings.id) ??
    (sandbox.kind === 'docker' || installation.config.hosting.ec2 !== null
      ? stack.use(
          composeHosting(
            installation,
            {
              core,
              providers: llm.providers,
              keys: llm.keys,
              llmProxy,
              agentApi: app,
              upgradeApi: cdp.upgrade,
            },
            overrides.hosting,
          ),
        )
      : null)

  const owned = stack.move()
  return {
    ...core,
    ...requests,
    accounts,
    hosting,
    settings,
    clock,
    log,
    metrics,
    gate,
    llm,
    llmProxy,
    claudeRuns,
    telegram,
    health,
    upkeep,
    auditIndexer,
    cdp,
    /** What agents reach beside the LLM proxy. */
    app: app as Express,
    /** While false agents' new requests are refused, as the daemon is about to stop. */
    setAccepting(isOpen: boolean): void {
      isAccepting = isOpen
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}
