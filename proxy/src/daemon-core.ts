import { randomBytes } from 'node:crypto'
import { createSodiumCipher } from './adapters/crypto/index.ts'
import {
  createAgentStore,
  createAuditStore,
  createCardStore,
  createCodeStore,
  createDataKeyStore,
  createMetaStore,
  createOutboxStore,
  createSecretStore,
  createTransactor,
  createTrustStore,
  type MetaStore,
  openDatabase,
} from './adapters/storage/index.ts'
import type { Config } from './config/index.ts'
import { openMasterKeys } from './daemon-keys.ts'
import { createAgents } from './domain/agents/index.ts'
import { createCards } from './domain/approvals/index.ts'
import { createAuditLog } from './domain/audit/index.ts'
import { createOutbox } from './domain/outbox/index.ts'
import { createTrust } from './domain/trust/index.ts'
import { createVault, type DataKeyring } from './domain/vault/index.ts'
import { type Clock, SecretValue } from './kernel/index.ts'

export type DaemonCore = Awaited<ReturnType<typeof openCore>>

/** The file, the keys, and every part of the domain that stands before a request does. */
export async function openCore(
  config: Config,
  clock: Clock,
  stack: AsyncDisposableStack,
  hooks: { readonly secretStored: (name: string) => void },
) {
  const db = openDatabase(config.dbPath)
  stack.defer(() => void db.close())
  const transactor = createTransactor(db)
  const meta = createMetaStore(db)
  const masterKeys = await openMasterKeys({
    source: config.masterKey,
    meta,
    dataKeys: createDataKeyStore(db),
    cipher: await createSodiumCipher(),
    clock,
  })
  const { keyring } = masterKeys
  const audit = createAuditLog({
    repository: createAuditStore(db, meta),
    clock,
    auditKey: auditKeyOf(meta, keyring),
  })
  const agentStore = createAgentStore(db)
  const vault = createVault({
    repository: createSecretStore(db),
    keyring,
    audit,
    transactor,
    clock,
    onStored: hooks.secretStored,
    resealOthers(reseal) {
      meta.set('audit_key', reseal('audit-key', meta.get('audit_key') ?? ''))
      for (const { id, wake } of agentStore.list()) {
        if (!wake?.sealedToken) continue
        agentStore.setWake(id, { ...wake, sealedToken: reseal(`agent-wake:${id}`, wake.sealedToken) })
      }
    },
  })
  return {
    db,
    transactor,
    meta,
    instanceId: metaOnce(meta, 'instance_id', () => randomBytes(8).toString('hex')),
    audit,
    vault,
    agents: createAgents({ repository: agentStore, audit, transactor, clock }),
    trust: createTrust({ repository: createTrustStore(db, meta), audit, transactor, clock }),
    outbox: createOutbox({ repository: createOutboxStore(db), clock }),
    codes: createCodeStore(db),
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

/** The audit's own key, sealed like a secret, so that it stays the same when other keys are rotated. */
function auditKeyOf(meta: MetaStore, keyring: DataKeyring): Uint8Array {
  const sealed = metaOnce(meta, 'audit_key', () =>
    keyring.seal('for:audit-key', new SecretValue(randomBytes(32).toString('hex'))),
  )
  return Buffer.from(keyring.open('for:audit-key', sealed).open(), 'hex')
}
