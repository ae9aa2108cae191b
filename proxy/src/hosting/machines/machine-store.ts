import { type SqlBool, sql } from 'kysely'
import { canonicalJson, type MachineId, type TenantId, type UnixMs } from '../../kernel/index.ts'
import { keptText, type Queries } from '../../storage/index.ts'
import type {
  Activity,
  DesiredState,
  Machine,
  MachineDay,
  MachineIdentity,
  MachineSpec,
  MachineState,
  MachineStore,
} from './machine.ts'

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
  identity: string | null
  active_at: UnixMs
  active_why: Activity
  changed_at: UnixMs
  created_at: UnixMs
  created_by: string
}

declare module '../../storage/tables.ts' {
  interface Tables {
    machines: MachineTable
    machine_days: {
      tenant_id: TenantId
      day: string
      machine_id: MachineId
      awake_ms: number
      held_ms: number
    }
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
  identity: machine.identity === null ? null : canonicalJson(machine.identity),
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
  identity: row.identity === null ? null : (JSON.parse(row.identity) as MachineIdentity),
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
    async daysSince(id, day): Promise<readonly MachineDay[]> {
      return await db
        .selectFrom('machine_days')
        .select(['day', 'awake_ms as awakeMs', 'held_ms as heldMs'])
        .where('tenant_id', '=', tenant)
        .where('day', '>=', day)
        .where('machine_id', '=', id)
        .orderBy('day')
        .execute()
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
    async addTime(id, days) {
      for (const { day, awakeMs, heldMs } of days)
        await db
          .insertInto('machine_days')
          .values({ tenant_id: tenant, day, machine_id: id, awake_ms: awakeMs, held_ms: heldMs })
          .onConflict((conflict) =>
            conflict.columns(['tenant_id', 'day', 'machine_id']).doUpdateSet({
              awake_ms: sql`machine_days.awake_ms + excluded.awake_ms`,
              held_ms: sql`machine_days.held_ms + excluded.held_ms`,
            }),
          )
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
