/** Files of hosted agents that were put to sleep, in the folder or bucket where they are kept. */
import { existsSync } from 'node:fs'
import type { Config } from '../config/index.ts'
import { createMachineFilesStore, openObjectStore, prefixOf } from '../hosting/persistence/index.ts'
import { createTenantStore } from '../identity/tenants/index.ts'
import { DEFAULT_TENANT, type TenantId } from '../kernel/index.ts'
import { openToRead } from '../storage/index.ts'

interface KeptOf {
  readonly tenant: TenantId
  readonly machine: string
}

/** Of one daemon: others may keep theirs in the same bucket. Undefined where the database does not say whose they are. */
export async function keptMachines({
  dbPath,
  databaseUrl,
}: Pick<Config, 'dbPath' | 'databaseUrl'>): Promise<readonly KeptOf[] | undefined> {
  if (databaseUrl === null && !existsSync(dbPath)) return []
  const stores = { tenants: createTenantStore, machineFiles: createMachineFilesStore }
  try {
    await using database = await openToRead(
      databaseUrl === null ? { path: dbPath } : { url: databaseUrl.open() },
      stores,
    )
    const tenants = await database.forTenant(DEFAULT_TENANT).read((tx) => tx.tenants.list())
    const kept: KeptOf[] = []
    for (const { id: tenant } of tenants)
      for (const { machine } of await database.forTenant(tenant).read((tx) => tx.machineFiles.rootKeys()))
        kept.push({ tenant, machine })
    return kept
  } catch {
    return undefined
  }
}

/** Resolves to what stayed, a line each. */
export async function removeKept(
  { url, keyId, secret }: Config['objectStore'],
  kept: readonly KeptOf[],
): Promise<readonly string[]> {
  await using objects = openObjectStore({ url, keyId: keyId ?? undefined, secret: secret ?? undefined })
  const signal = AbortSignal.timeout(REMOVAL_MS)
  const stayed: string[] = []
  for (const of of kept)
    try {
      const names = await Array.fromAsync(objects.list(prefixOf(of), signal))
      for (const name of names) await objects.remove(name, signal)
    } catch (error) {
      stayed.push(`files of ${of.machine} in ${objects.where}: ${(error as Error).message}`)
    }
  return stayed
}

const REMOVAL_MS = 600_000
