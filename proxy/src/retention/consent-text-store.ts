import { type Generated, type RawBuilder, sql } from 'kysely'
import type { AgentId, ConsentHash, TenantId } from '../kernel/index.ts'
import { statement } from '../storage/index.ts'

interface ConsentTable {
  tenant_id: TenantId
  hash: ConsentHash
  /** Whom it names, who keeps it. */
  agent_id: AgentId
  text: string
  /** By how many executions. Written by their triggers: the last one that goes takes the text along. */
  uses: Generated<number>
}

declare module '../storage/tables.ts' {
  interface Tables {
    /** The text of a consent, once for its hash. Append-only: a trigger refuses a change. */
    consents: ConsentTable
  }
}

/** Before the first execution that has it. */
export const keepConsentText = statement((db, row: Omit<ConsentTable, 'uses'>) =>
  db
    .insertInto('consents')
    .values(row)
    .onConflict((on) => on.columns(['tenant_id', 'hash']).doNothing()),
)

/** Of a row of `executions` under that name; one from before there were `consents` has its own. NULL where it is gone. */
export const consentTextOf = (
  row: string,
): RawBuilder<string | null> => sql`(CASE WHEN ${sql.ref(`${row}.consent`)} <> ''
  THEN ${sql.ref(`${row}.consent`)} ELSE (SELECT kept.text FROM consents AS kept
    WHERE kept.tenant_id = ${sql.ref(`${row}.tenant_id`)} AND kept.hash = ${sql.ref(`${row}.consent_hash`)}) END)`
