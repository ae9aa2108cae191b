import type { TenantId } from '../../kernel/index.ts'
import type { Queries } from '../../storage/index.ts'
import type { ApprovalRule, ApprovalRuleStore } from './ports.ts'

interface ApprovalRuleTable extends ApprovalRule {
  readonly tenant_id: TenantId
}

declare module '../../storage/tables.ts' {
  interface Tables {
    approval_rules: ApprovalRuleTable
  }
}

export function createApprovalRuleStore({ db }: Queries, tenant: TenantId): ApprovalRuleStore {
  return {
    list: () =>
      db
        .selectFrom('approval_rules')
        .select(['scope', 'name', 'approvals', 'risk'])
        .where('tenant_id', '=', tenant)
        .orderBy('scope')
        .orderBy('name')
        .execute(),
    async put({ scope, name, approvals, risk }) {
      await db
        .insertInto('approval_rules')
        .values({ tenant_id: tenant, ...{ scope, name, approvals, risk } })
        .onConflict((on) => on.columns(['tenant_id', 'scope', 'name']).doUpdateSet({ approvals, risk }))
        .execute()
    },
    async remove({ scope, name }) {
      await db
        .deleteFrom('approval_rules')
        .where('tenant_id', '=', tenant)
        .where('scope', '=', scope)
        .where('name', '=', name)
        .execute()
    },
  }
}
