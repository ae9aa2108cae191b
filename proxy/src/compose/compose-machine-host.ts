import { dirname } from 'node:path'
import type { AuditLog } from '../audit/index.ts'
import type { Config } from '../config/index.ts'
import { createFileRoom, type FileRoom, type MachineCare } from '../hosting/agents/index.ts'
import type { MachineGate } from '../hosting/gate/index.ts'
import type { Machine, MachineDriver, MachineHost, MachineRef, Machines } from '../hosting/machines/index.ts'
import type { Persistence } from '../hosting/persistence/index.ts'
import { quotaOf, readQuotas } from '../identity/tenants/index.ts'
import {
  type Clock,
  DEFAULT_TENANT,
  type DoctorCheck,
  lazily,
  type Storage,
  type TenantId,
  type Tx,
} from '../kernel/index.ts'
import type { OpenStorage } from '../storage/index.ts'
import type { DataKeyring, Vault } from '../vault/index.ts'
import { machineChecks, openGate, openGateKeys } from './daemon-machine-gate.ts'

/** What a tenant has of the host of machines. */
interface TenantMachines {
  readonly machines: Machines
  readonly persistence: Persistence | null
}

/**
 * The one host of machines of all tenants: they share its memory and take turns for it. Loaded by the first machine; closing a tenant
 * leaves its machines as they are.
 */
export interface SharedMachines extends AsyncDisposable {
  open(tenant: Tenant, care: Care): Promise<TenantMachines>
  close(tenant: TenantId): Promise<void>
  /** Of a tenant that is removed, whose keys are destroyed: containers, volumes and stored objects. Rejects where some may be left. */
  purge(tenant: TenantId): Promise<void>
  /** What `oauth3 doctor` tries of where they live. */
  readonly checks: readonly DoctorCheck[]
  readonly fileRoom: FileRoom
}

interface Tenant {
  readonly storage: Storage
  readonly audit: Pick<AuditLog, 'append'>
  readonly vault: Pick<Vault, 'sealFor' | 'openFor'>
}
type Care = Pick<MachineCare, 'isReady' | 'changed'> & {
  /** Two have shown themselves as one incarnation of it; in the unit that ends it. */
  identityTaken(machine: Machine, tx: Tx): Promise<void>
  /** Before anything is done with those that an earlier daemon left. */
  adopt(rows: readonly Machine[], addressOf: MachineDriver['address']): Promise<void>
}

const MIB = 1_048_576
const PURGE_MS = 300_000

export function openSharedMachines(of: {
  readonly config: Config
  readonly instanceId: string
  readonly database: Pick<OpenStorage, 'forTenant'>
  readonly clock: Clock
  readonly keyring: DataKeyring
  readonly warn: (message: string, error?: unknown) => void
}): SharedMachines {
  const { config, instanceId, database, clock, keyring, warn } = of
  const opened = new AsyncDisposableStack()
  const cares = new Map<TenantId, Care>()
  const installation = database.forTenant(DEFAULT_TENANT)

  const open = lazily(async () => {
    const [{ createMachineHost }, { composeMachines }] = await Promise.all([
      import('../hosting/machines/index.ts'),
      import('./compose-machines.ts'),
    ])
    const gateKeys = () => openGateKeys({ storage: installation, keyring })
    const parts = await composeMachines({ config, instanceId, clock, gateKeys }, opened, warn)
    const { driver, persistence } = parts
    let gate: MachineGate | undefined
    const host: MachineHost = opened.use(
      createMachineHost({
        driver,
        persistence,
        clock,
        memoryBytes: config.hosting.memoryBytes,
        isReady: async (ref, signal) => (await cares.get(ref.tenant)?.isReady(ref, signal)) ?? false,
        changed: (key, row) => {
          gate?.keepOnly({ machine: row.id, generation: row.generation })
          cares.get(key.tenant)?.changed(key, row)
        },
        // Of a tenant that is not opened nothing is known; one that is removed is purged.
        isGone: () => false,
        log: warn,
      }),
    )
    if (parts.gate !== null) {
      const folderOf = (ref: MachineRef): string => dirname(driver.address(ref).socketPath)
      gate = opened.use(await openGate(parts.gate, { host, folderOf, log: warn }))
    }
    host.start()
    return { host, driver, persistence }
  })
  let isUsed = false

  return {
    fileRoom: createFileRoom(),
    async open(of, care) {
      isUsed = true
      const { tenant } = of.storage
      const { host, driver, persistence } = await open()
      cares.set(tenant, care)
      persistence?.open(of)
      const machines = await host.open({
        ...of,
        quota: async () => {
          const [own, all] = [await of.storage.read(readQuotas), await installation.read(readQuotas)]
          const { machines: count, memoryMib } = quotaOf(own, all, config.hosting)
          return { machines: count, memoryBytes: memoryMib * MIB }
        },
        adopt: (rows) => care.adopt(rows, driver.address),
        identityTaken: (machine, tx) => care.identityTaken(machine, tx),
      })
      return { machines, persistence }
    },
    async close(tenant) {
      if (!isUsed || !cares.has(tenant)) return
      await (await open()).host.close(tenant)
      cares.delete(tenant)
    },
    async purge(tenant) {
      const storage = database.forTenant(tenant)
      // The engine is asked only of whoever may have something there.
      const has = await storage.read(
        async (tx) => (await tx.machines.live()).length > 0 || (await tx.machineFiles.rootKeys()).length > 0,
      )
      if (!has) return
      isUsed = true
      const { host, persistence } = await open()
      await host.purge(tenant)
      await persistence?.forgetTenant(tenant, AbortSignal.timeout(PURGE_MS))
    },
    checks:
      config.hosting.ec2 === null
        ? []
        : machineChecks({
            gate: config.hosting.ec2.gate,
            list: async (signal) => (await open()).driver.list(signal),
            keys: () => openGateKeys({ storage: installation, keyring }),
          }),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}
