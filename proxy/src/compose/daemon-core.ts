import { createApprovals, createClockGuard } from '../approvals/index.ts'
import { createQuorum } from '../approvals/quorum/index.ts'
import { createTrust } from '../approvals/trust/index.ts'
import { type AuditLog, createAuditArchiver, createReceipts } from '../audit/index.ts'
import { createApps } from '../claude-runs/apps/index.ts'
import { resealBlobKeys } from '../claude-runs/blobs/index.ts'
import type { TelegramConfig, WakeConfig } from '../config/index.ts'
import { createCodeFacts } from '../executions/facts/index.ts'
import { createAwaitedHosts } from '../executions/index.ts'
import { resealBotTokens } from '../hosting/bots/index.ts'
import { resealChatKeys } from '../hosting/chat/index.ts'
import { resealMachineKeys } from '../hosting/persistence/index.ts'
import { createAgents } from '../identity/agents/index.ts'
import { createRequesters, type RequesterNames } from '../identity/index.ts'
import { createMembers, createTenantChats } from '../identity/tenants/index.ts'
import { type HostPattern, parseHostPattern, type Storage, type TenantId } from '../kernel/index.ts'
import { resealProviderKeys } from '../llm/provider-keys/index.ts'
import { createOutbox } from '../notify/outbox/index.ts'
import { createPushSubscriptions } from '../notify/web-push/index.ts'
import type { FreeSpace } from '../retention/index.ts'
import { createAuditArchiveFiles } from '../storage/files/index.ts'
import { createLockdown, createVault, type DataKeyring } from '../vault/index.ts'
import type { Installation } from './compose-installation.ts'
import { consolePageOf } from './console-address.ts'
import { openAudit } from './daemon-audit.ts'
import { resealGateKeys } from './daemon-machine-gate.ts'
import { openKept } from './daemon-storage.ts'
import { createDomainEvents, type DomainEvents } from './domain-events.ts'

export type TenantCore = Awaited<ReturnType<typeof openTenantCore>>

/** What one tenant has that another has too. Of the tenant `default` it is what the settings say. */
export interface TenantSettings {
  readonly id: TenantId
  readonly name: string
  readonly telegram: TelegramConfig | null
  /** Where agents without a wake target of their own are told. */
  readonly wake: WakeConfig | null
  readonly archiveFolder: string
}

/** The tenant's keys, and every part that stands before those of requests. */
export async function openTenantCore(
  installation: Installation,
  deps: {
    readonly storage: Storage
    readonly keyring: DataKeyring
    readonly archiveFolder: string
    readonly freeSpace: (of: FreeSpaceDeps) => FreeSpace
  },
) {
  const { config, clock, instanceId, background, programReader } = installation
  const { storage, keyring } = deps
  const longReads = installation.longReads.forTenant(storage.tenant)
  const events = createDomainEvents()
  const { audit, auditKey } = await openAudit({
    ...{ storage, keyring, clock, longReads, events },
    scans: installation.auditScans(storage.tenant),
  })
  const archiver = createAuditArchiver({
    files: createAuditArchiveFiles(deps.archiveFolder),
    ...{ audit, storage, longReads, clock, auditKey },
  })
  const lockdown = createLockdown({ storage, audit, clock, events })
  const vault = createVault({
    lockdown,
    keyring,
    audit,
    storage,
    clock,
    events,
    askedHosts: createAwaitedHosts({ clock }),
  })
  const push = createPushSubscriptions({ vault, hosts: config.pushHosts.flatMap(patternOf) })
  const facts = createCodeFacts({ reader: programReader, storage })
  const clockGuard = createClockGuard({ storage, clock })
  const agents = createAgents({ audit, storage, events, clock })
  const apps = createApps({
    ...{ audit, storage, events, clock },
    hasSeat: async (tx, provider) =>
      (await tx.providerKeys.list()).some((key) => key.isSeat && key.provider === provider),
  })
  const requesters = createRequesters()
  requesters.register('agent', namesOf(agents))
  requesters.register('app', namesOf(apps))
  const chats = createTenantChats({ vault })
  const memberships = createMembers({ storage, audit, clock })
  const quorum = createQuorum({ memberships, agents, audit })
  await storage.read(async (tx) => {
    await clockGuard.load(tx)
    await lockdown.load(tx)
    await agents.load(tx)
    await apps.load(tx)
  })
  // What is sealed with the data key and is no secret of the vault's.
  events.subscribe('data_key.rotated', async ({ reseal }, tx) => {
    await tx.meta.set('audit_key', reseal('audit-key', (await tx.meta.get('audit_key')) ?? ''))
    await resealGateKeys(tx, reseal)
    await agents.resealWakes(tx, reseal)
    await resealProviderKeys(tx, reseal)
    await resealBlobKeys(tx, reseal)
    await resealMachineKeys(tx, reseal)
    await resealChatKeys(tx, reseal)
    await resealBotTokens(tx, reseal)
    await chats.reseal(tx, reseal)
    await push.reseal(tx, reseal)
  })
  events.subscribe('code.deleted', ({ codeHash }, tx) => tx.onCommit(() => facts.forget(codeHash)))
  return {
    ...openKept({ config, audit, storage, longReads, events, clock }),
    freeSpace: deps.freeSpace({ audit, storage, events }),
    background,
    engine: installation.database.engine,
    askDatabase: (): Promise<unknown> => storage.read((tx) => tx.meta.get('instance_id')),
    storage,
    events,
    instanceId,
    audit,
    archiver,
    receipts: createReceipts({ storage, longReads, audit, archiver, auditKey }),
    vault,
    lockdown,
    push,
    agents,
    apps,
    requesters,
    chats,
    clockGuard,
    trust: createTrust({ audit, storage, clock, clockGuard }),
    outbox: createOutbox({ storage, clock }),
    facts,
    memberships,
    quorum,
    approvals: createApprovals({
      ...{ ...config, audit, storage, clock, events, quorum, lockdown, requesters },
      pageOf: (id) => consolePageOf(config, id),
    }),
  }
}

/** Of agents or apps, of which one at most has a name and is not revoked. */
const namesOf = (of: {
  list(): readonly { readonly id: string; readonly name: string; readonly revokedAt: unknown }[]
}): RequesterNames => ({
  nameOf: (id) => of.list().find((one) => one.id === id)?.name,
  activeId: (name) => of.list().find((one) => one.name === name && one.revokedAt === null)?.id,
})

/** Settings are checked when they are read. */
function patternOf(text: string): readonly HostPattern[] {
  const pattern = parseHostPattern(text)
  return 'problem' in pattern ? [] : [pattern]
}

/** Where it is told that the disk is low. */
export interface FreeSpaceDeps {
  readonly audit: AuditLog
  readonly storage: Storage
  readonly events: DomainEvents
}
