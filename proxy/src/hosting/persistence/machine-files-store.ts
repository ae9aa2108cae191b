import type { Selectable } from 'kysely'
import type { TenantId, UnixMs } from '../../kernel/index.ts'
import type { Queries } from '../../storage/index.ts'
import type { KeptFiles, MachineFilesStore, Snapshot } from './ports.ts'

interface MachineFilesTable {
  tenant_id: TenantId
  machine_id: string
  root_key: string
  attempts: number
  generation: number
  current: number | null
}

interface MachineSnapshotTable {
  tenant_id: TenantId
  machine_id: string
  number: number
  attempt: string
  generation: number
  manifest_bytes: number
  manifest_hash: string
  bytes: number
  files: number
  sent_bytes: number
  created_at: UnixMs
}

declare module '../../storage/tables.ts' {
  interface Tables {
    machine_files: MachineFilesTable
    machine_snapshots: MachineSnapshotTable
  }
}

export function createMachineFilesStore({ db }: Queries, tenant: TenantId): MachineFilesStore {
  const files = () => db.selectFrom('machine_files').where('tenant_id', '=', tenant)
  return {
    async find(machine) {
      const row = await files().selectAll().where('machine_id', '=', machine).executeTakeFirst()
      return row && keptFromRow(row)
    },
    async snapshots(machine) {
      const rows = await db
        .selectFrom('machine_snapshots')
        .selectAll()
        .where('tenant_id', '=', tenant)
        .where('machine_id', '=', machine)
        .orderBy('number', 'desc')
        .execute()
      return rows.map(snapshotFromRow)
    },
    async rootKeys() {
      const rows = await files().select(['machine_id', 'root_key']).execute()
      return rows.map(({ machine_id: machine, root_key: rootKey }) => ({ machine, rootKey }))
    },
    async insert({ machine, rootKey, attempts, generation, current }) {
      await db
        .insertInto('machine_files')
        .values({ tenant_id: tenant, machine_id: machine, root_key: rootKey, attempts, generation, current })
        .execute()
    },
    async update({ machine, attempts, generation, current }) {
      await db
        .updateTable('machine_files')
        .set({ attempts, generation, current })
        .where('tenant_id', '=', tenant)
        .where('machine_id', '=', machine)
        .execute()
    },
    async setRootKey(machine, rootKey) {
      await db
        .updateTable('machine_files')
        .set({ root_key: rootKey })
        .where('tenant_id', '=', tenant)
        .where('machine_id', '=', machine)
        .execute()
    },
    async insertSnapshot(of) {
      await db
        .insertInto('machine_snapshots')
        .values({
          ...{ tenant_id: tenant, machine_id: of.machine, number: of.number, attempt: of.attempt },
          ...{ generation: of.generation, manifest_bytes: of.manifestBytes, manifest_hash: of.manifestHash },
          ...{ bytes: of.bytes, files: of.files, sent_bytes: of.sentBytes, created_at: of.createdAt },
        })
        .execute()
    },
    async removeSnapshot(machine, number) {
      await db
        .deleteFrom('machine_snapshots')
        .where('tenant_id', '=', tenant)
        .where('machine_id', '=', machine)
        .where('number', '=', number)
        .execute()
    },
    async remove(machine) {
      for (const table of ['machine_snapshots', 'machine_files'] as const)
        await db.deleteFrom(table).where('tenant_id', '=', tenant).where('machine_id', '=', machine).execute()
    },
  }
}

const keptFromRow = (row: Selectable<MachineFilesTable>): KeptFiles => ({
  machine: row.machine_id,
  rootKey: row.root_key,
  attempts: row.attempts,
  generation: row.generation,
  current: row.current,
})

const snapshotFromRow = (row: Selectable<MachineSnapshotTable>): Snapshot => ({
  ...{ machine: row.machine_id, number: row.number, attempt: row.attempt, generation: row.generation },
  ...{ manifestBytes: row.manifest_bytes, manifestHash: row.manifest_hash },
  ...{ bytes: row.bytes, files: row.files, sentBytes: row.sent_bytes, createdAt: row.created_at },
})
