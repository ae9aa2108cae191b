import { randomBytes } from 'node:crypto'
import type { fdatasync } from 'node:fs'
import type { Logger } from 'pino'
import { createBackground, startCheckpoints } from './adapters/background/index.ts'
import { createSodiumCipher } from './adapters/crypto/index.ts'
import { createProgramReader } from './adapters/program-reader/index.ts'
import {
  createAgentStore,
  createAuditArchiveFiles,
  createAuditStore,
  createCardStore,
  createClockStore,
  createCodeStore,
  createDataKeyStore,
  createExecutionStore,
  createFactsStore,
  createImportStore,
  createLogSync,
  createMetaStore,
  createOutboxStore,
  createProviderKeyStore,
  createSecretStore,
  createTransactor,
  createTrustStore,
  type MetaStore,
  openDatabase,
} from './adapters/storage/index.ts'
import type { Config } from './config/index.ts'
import { openAuditKey, openMasterKeys } from './daemon-keys.ts'
import { openStorage } from './daemon-storage.ts'
import { createAgents } from './domain/agents/index.ts'
import { createApprovals, createCards, createClockGuard } from './domain/approvals/index.ts'
import { createAuditArchiver, createAuditLog } from './domain/audit/index.ts'
import { createDomainEvents } from './domain/events/index.ts'
import { createAwaitedHosts } from './domain/executions/index.ts'
import { createCodeFacts } from './domain/facts/index.ts'
import { createOutbox } from './domain/outbox/index.ts'
import { resealProviderKeys } from './domain/provider-keys/index.ts'
import type { ReadFreeBytes } from './domain/retention/index.ts'
import { createTrust } from './domain/trust/index.ts'
import { createVault } from './domain/vault/index.ts'
import type { Clock } from './kernel/index.ts'

export type DaemonCore = Awaited<ReturnType<typeof openCore>>

/** What a test or a bench may put in the place of the usual; left out: the real thing. */
export interface CoreOverrides {
  /** What the disk of the database still takes. */
  readonly readFreeBytes?: ReadFreeBytes
  /** How the disk takes what is committed in groups. */
  readonly toDisk?: typeof fdatasync
}

/** The file, the keys, and every part of the domain that stands before a request does. */
export async function openCore(
  config: Config,
  clock: Clock,
  log: Pick<Logger, 'error'>,
  stack: AsyncDisposableStack,
  overrides: CoreOverrides = {},
) {
  const onDefect = (error: unknown): void =>
    log.error({ err: error }, 'the upkeep of the database failed; it will be tried again')
  const db = openDatabase(config.dbPath)
  stack.defer(() => void db.close())
  const transactor = stack.use(
    createTransactor(db, onDefect, createLogSync(db.name, onDefect, overrides.toDisk)),
  )
  const events = createDomainEvents(transactor)
  const meta = createMetaStore(db)
  const masterKeys = await openMasterKeys({
    source: config.masterKey,
    meta,
    dataKeys: createDataKeyStore(db),
    cipher: await createSodiumCipher(),
    clock,
  })
  const { keyring } = masterKeys
  const agentStore = createAgentStore(db)
  const secretStore = createSecretStore(db)
  const providerKeyStore = createProviderKeyStore(db)
  const executionStore = createExecutionStore(db)
  const auditStore = createAuditStore(db, meta)
  // Before the first agent and secret nothing was asked or kept; from then on an audit without a seal was robbed of it.
  const inUse = agentStore.list().length > 0 || secretStore.list().length > 0
  const auditKey = openAuditKey({ meta, keyring, inUse: inUse || auditStore.newest(1).length > 0 })
  const audit = createAuditLog({
    repository: auditStore,
    clock,
    auditKey,
    mayBegin: !inUse,
  })
  const vault = createVault({
    repository: secretStore,
    keyring,
    audit,
    transactor,
    clock,
    events,
    askedHosts: createAwaitedHosts({ repository: executionStore, clock }),
  })
  const facts = createCodeFacts({
    reader: stack.use(createProgramReader()),
    repository: createFactsStore(db),
  })
  const storage = openStorage({
    ...{ config, db, audit, transactor, events, clock, onDefect },
    readFreeBytes: overrides.readFreeBytes,
  })
  const clockGuard = createClockGuard({ repository: createClockStore(meta), transactor, clock })
  transactor.whenFull(() => storage.freeSpace.refusedWrite())
  // What is sealed with the data key and is no secret of the vault's.
  events.subscribe('data_key.rotated', ({ reseal }) => {
    meta.set('audit_key', reseal('audit-key', meta.get('audit_key') ?? ''))
    for (const { id, wake } of agentStore.list()) {
      if (!wake?.sealedToken) continue
      agentStore.setWake(id, { ...wake, sealedToken: reseal(`agent-wake:${id}`, wake.sealedToken) })
    }
    resealProviderKeys(providerKeyStore, reseal)
  })
  events.subscribe('code.deleted', ({ codeHash }) => facts.forget(codeHash))
  const background = stack.use(createBackground())
  stack.use(startCheckpoints(db, background, onDefect))
  return {
    ...storage,
    db,
    background,
    transactor,
    events,
    executionStore,
    meta,
    instanceId: metaOnce(meta, 'instance_id', () => randomBytes(8).toString('hex')),
    audit,
    archiver: createAuditArchiver({
      repository: auditStore,
      files: createAuditArchiveFiles(config.storage.auditArchiveDirectory),
      ...{ audit, transactor, clock, auditKey },
    }),
    vault,
    agents: createAgents({ repository: agentStore, audit, transactor, events, clock }),
    clockGuard,
    trust: createTrust({ repository: createTrustStore(db), audit, transactor, clock, clockGuard }),
    outbox: createOutbox({ repository: createOutboxStore(db), clock }),
    codes: createCodeStore(db),
    imports: createImportStore(db),
    facts,
    approvals: createApprovals({ ...config, audit, transactor, clock }),
    cards: createCards({
      repository: createCardStore(db),
      clock,
      approverIds: config.telegram?.approverIds ?? new Set(),
    }),
    keys: {
      rotateData: (actor: string): number => vault.rotate(actor),
      rotateMaster: (actor: string): Promise<void> =>
        masterKeys.rotate((work) =>
          transactor.transact(() => {
            work()
            audit.append('key.rotated', actor, null, { what: 'master key' })
          }),
        ),
    },
  }
}

function metaOnce(meta: MetaStore, key: string, make: () => string): string {
  const stored = meta.get(key)
  if (stored !== undefined) return stored
  const made = make()
  meta.set(key, made)
  return made
}
