import type { CodeHash, TenantId } from '../../kernel/index.ts'
import type { Queries } from '../../storage/index.ts'
import type { FactsStore } from './code-facts.ts'
import type { CodeFacts, Language } from './facts.ts'

interface CodeFactsTable {
  tenant_id: TenantId
  hash: CodeHash
  language: Language
  /** Of the reader. */
  version: number
  /** JSON of `CodeFacts`. */
  facts: string
}

declare module '../../storage/tables.ts' {
  interface Tables {
    code_facts: CodeFactsTable
  }
}

/** What was read of stored code, as JSON; facts of an earlier reader are replaced. */
export function createFactsStore({ db }: Queries, tenant: TenantId): FactsStore {
  return {
    async get(hash, language, version) {
      const row = await db
        .selectFrom('code_facts')
        .select('facts')
        .where('tenant_id', '=', tenant)
        .where('hash', '=', hash)
        .where('language', '=', language)
        .where('version', '=', version)
        .executeTakeFirst()
      return row && (JSON.parse(row.facts) as CodeFacts)
    },
    async put(hash, language, version, facts) {
      await db
        .insertInto('code_facts')
        .values({ tenant_id: tenant, hash, language, version, facts: JSON.stringify(facts) })
        .onConflict((on) =>
          on.columns(['tenant_id', 'hash', 'language']).doUpdateSet((of) => ({
            version: of.ref('excluded.version'),
            facts: of.ref('excluded.facts'),
          })),
        )
        .execute()
    },
  }
}
