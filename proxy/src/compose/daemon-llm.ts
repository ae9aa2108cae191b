import { type AppId, isAgentId } from '../kernel/index.ts'
import {
  createKeySharing,
  createProviderAccess,
  type KeySharing,
  type LlmModules,
} from '../llm/provider-access/index.ts'
import { createProviderKeys } from '../llm/provider-keys/index.ts'
import { createProviders } from '../llm/providers/index.ts'
import { createLlmProxy, type HoldTimes, type LlmProxy, type SharedGate } from '../llm/proxy/index.ts'
import { createUsage } from '../llm/usage/index.ts'
import { createLargeBodies } from '../workers/background/index.ts'
import type { Installation } from './compose-installation.ts'
import type { TenantCore } from './daemon-core.ts'

/** With what the proxy alone needs. */
export type LlmParts = LlmModules & {
  readonly sharing: KeySharing
  /** By whose names usage tells of apps; without it, and where it knows none, by their ids. */
  nameApps(nameOf: (id: AppId) => string | undefined): void
}

export async function openLlm({ config, clock, log }: Installation, core: TenantCore): Promise<LlmParts> {
  const providers = createProviders({ ...core, clock })
  let appName: (id: AppId) => string | undefined = () => undefined
  const usage = createUsage({
    ...core,
    clock,
    nameOf: (id) => {
      if (isAgentId(id)) return core.agents.byId(id)?.name ?? id
      const name = appName(id)
      // An agent may have the same name; neither has a blank in it.
      return name === undefined ? id : `${name} (app)`
    },
    onDefect: (error) =>
      log.error({ err: error }, 'usage could not be read or written yet; it is kept and tried again'),
  })
  const keys = createProviderKeys({ ...core, providers, clock, maxCooldownMs: config.llmMaxCooldownMs })
  const access = createProviderAccess({
    ...core,
    providers,
    clock,
    keyCount: (provider) => keys.list(provider).filter(({ isSeat }) => !isSeat).length,
    sharingApps: (provider) =>
      keys.list(provider).some(({ isSeat, tags }) => !isSeat && tags.length === 0)
        ? core.apps
            .list()
            .filter((app) => app.revokedAt === null && !app.usesSeat && app.provider === provider)
            .map(({ name }) => name)
        : [],
  })
  const sharing = createKeySharing({ ...core, access, keys, clock })
  // What every request asks is in memory from here on, as it stands on disk.
  await core.storage.read(async (tx) => {
    for (const part of [providers, usage, keys, access, sharing]) await part.load(tx)
  })
  const nameApps: LlmParts['nameApps'] = (nameOf) => {
    appName = nameOf
  }
  return { providers, usage, keys, access, sharing, nameApps }
}

export function openLlmProxy(
  { config, dial, llmShares, metrics, log }: Installation,
  deps: {
    readonly llm: LlmParts
    readonly core: TenantCore
    readonly gate: SharedGate
    readonly asksInChat: boolean
    readonly accepting: () => boolean
    readonly holdTimes: HoldTimes | undefined
  },
): LlmProxy {
  const { llm, core, gate, asksInChat, accepting, holdTimes } = deps
  return createLlmProxy({
    ...llm,
    ...{ gate, dial, asksInChat, accepting },
    agents: core.agents,
    lockdown: core.lockdown,
    tenant: core.storage.tenant,
    transport: config.llmTransport,
    largeBodies: createLargeBodies(core.background),
    shares: llmShares,
    onRefused: (code) => metrics.llmRefused(code),
    log: (message, error) => log.warn({ err: error }, message),
    ...(holdTimes === undefined ? {} : { holdTimes }),
  })
}
