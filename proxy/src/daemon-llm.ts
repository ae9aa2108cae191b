import type { Logger } from 'pino'
import { createLargeBodies } from './adapters/background/index.ts'
import {
  createProviderAccessStore,
  createProviderKeyStore,
  createProviderStore,
  createUsageStore,
} from './adapters/storage/index.ts'
import type { Config } from './config/index.ts'
import type { DaemonCore } from './daemon-core.ts'
import type { EgressDial } from './domain/egress/index.ts'
import {
  createKeySharing,
  createProviderAccess,
  type KeySharing,
  type LlmModules,
} from './domain/provider-access/index.ts'
import { createProviderKeys } from './domain/provider-keys/index.ts'
import { createProviders } from './domain/providers/index.ts'
import { createUsage } from './domain/usage/index.ts'
import type { Clock } from './kernel/index.ts'
import { createLlmProxy, type HoldTimes, type LlmProxy, type SharedGate } from './surfaces/llm-proxy/index.ts'

/** With what the proxy alone needs. */
export type LlmParts = LlmModules & { readonly sharing: KeySharing }

export function openLlm(deps: {
  readonly config: Config
  readonly core: DaemonCore
  readonly clock: Clock
  readonly log: Logger
}): LlmParts {
  const { config, core, clock, log } = deps
  const providers = createProviders({ ...core, repository: createProviderStore(core.db), clock })
  const usage = createUsage({
    ...core,
    repository: createUsageStore(core.db),
    clock,
    nameOf: (agentId) => core.agents.byId(agentId)?.name ?? agentId,
    onDefect: (error) =>
      log.error({ err: error }, 'usage could not be written yet; it is kept and tried again'),
  })
  const keys = createProviderKeys({
    ...core,
    repository: createProviderKeyStore(core.db),
    providers,
    clock,
    maxCooldownMs: config.llmMaxCooldownMs,
  })
  const store = createProviderAccessStore(core.db)
  const access = createProviderAccess({
    ...core,
    repository: store,
    providers,
    clock,
    keyCount: (provider) => keys.list(provider).length,
  })
  const sharing = createKeySharing({ repository: store, agents: core.agents, access, keys, clock })
  return { providers, usage, keys, access, sharing }
}

export function openLlmProxy(deps: {
  readonly llm: LlmParts
  readonly core: DaemonCore
  readonly gate: SharedGate
  readonly dial: EgressDial
  readonly asksInChat: boolean
  readonly accepting: () => boolean
  readonly onRefused: (code: string) => void
  readonly log: Logger
  readonly holdTimes?: HoldTimes | undefined
}): LlmProxy {
  return createLlmProxy({
    ...deps.llm,
    agents: deps.core.agents,
    largeBodies: createLargeBodies(deps.core.background),
    gate: deps.gate,
    dial: deps.dial,
    asksInChat: deps.asksInChat,
    accepting: deps.accepting,
    onRefused: deps.onRefused,
    log: (message, error) => deps.log.warn({ err: error }, message),
    ...(deps.holdTimes === undefined ? {} : { holdTimes: deps.holdTimes }),
  })
}
