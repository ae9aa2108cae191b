import { type SqlBool, sql } from 'kysely'
import { canonicalJson, type MachineId, type TenantId, type UnixMs } from '../../kernel/index.ts'
import { keptText, type Queries } from '../../storage/index.ts'
import type { Activity, DesiredState, Machine, MachineSpec, MachineState, MachineStore } from './machine.ts'

interface MachineTable {
  tenant_id: TenantId
  id: MachineId
  name: string
  driver: string
  image: string
  spec: string
  desired: DesiredState
  observed: MachineState
  generation: number
  deadline: UnixMs | null
  failures: number
  retry_at: UnixMs | null
  last_error: string | null
  active_at: UnixMs
  active_why: Activity
  changed_at: UnixMs
  created_at: UnixMs
  created_by: string
}

declare module '../../storage/tables.ts' {
  interface Tables {
    machines: MachineTable
  }
}

// Word for word the conditions of the partial indexes, which are not used otherwise.
const LIVE = sql<SqlBool>`observed <> 'deleted'`

const whatChanges = (machine: Machine) => ({
  spec: canonicalJson(machine.spec),
  desired: machine.desired,
  observed: machine.observed,
  generation: machine.generation,
  deadline: machine.deadline,
  failures: machine.failures,
  retry_at: machine.retryAt,
  last_error: machine.lastError === null ? null : keptText(machine.lastError),
  active_at: machine.activeAt,
  active_why: machine.activeWhy,
  changed_at: machine.changedAt,
})

const fromRow = (row: MachineTable): Machine => ({
  id: row.id,
  name: row.name,
  driver: row.driver,
  image: row.image,
  spec: JSON.parse(row.spec) as MachineSpec,
  desired: row.desired,
  observed: row.observed,
  generation: row.generation,
  deadline: row.deadline,
  failures: row.failures,
  retryAt: row.retry_at,
  lastError: row.last_error,
  activeAt: row.active_at,
  activeWhy: row.active_why,
  changedAt: row.changed_at,
  createdAt: row.created_at,
  createdBy: row.created_by,
})

export function createMachineStore({ db }: Queries, tenant: TenantId): MachineStore {
  const rows = () => db.selectFrom('machines').where('tenant_id', '=', tenant)
  return {
    async byId(id) {
      const row = await rows().selectAll().where('id', '=', id).executeTakeFirst()
      return row && fromRow(row)
    },
    async live() {
      return (await rows().selectAll().where(LIVE).orderBy('name').execute()).map(fromRow)
    },
    async insert(machine) {
      await db
        .insertInto('machines')
        .values({
          tenant_id: tenant,
          id: machine.id,
          name: machine.name,
          driver: machine.driver,
          image: machine.image,
          created_at: machine.createdAt,
          created_by: machine.createdBy,
          ...whatChanges(machine),
        })
        .execute()
    },
    async update(machine) {
      await db
        .updateTable('machines')
        .set(whatChanges(machine))
        .where('tenant_id', '=', tenant)
        .where('id', '=', machine.id)
        .execute()
    },
    async dropDeletedBefore(at, limit) {
      await db
        .deleteFrom('machines')
        .where('tenant_id', '=', tenant)
        .where('id', 'in', (of) =>
          of
            .selectFrom('machines as old')
            .select('old.id')
            .where('old.tenant_id', '=', tenant)
            .where(sql<SqlBool>`old.observed = 'deleted'`)
            .where('old.changed_at', '<', at)
            .orderBy('old.changed_at')
            .limit(limit),
        )
        .execute()
    },
  }
}
