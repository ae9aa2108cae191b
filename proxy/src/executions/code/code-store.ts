import type { CodeHash, TenantId, UnixMs } from '../../kernel/index.ts'
import { type Queries, statement } from '../../storage/index.ts'
import type { CodeStore } from './ports.ts'

interface CodeTable {
  tenant_id: TenantId
  hash: CodeHash
  text: string
  created_at: UnixMs
}

declare module '../../storage/tables.ts' {
  interface Tables {
    code: CodeTable
  }
}

const textOf = statement((db, { tenant, hash }: { tenant: TenantId; hash: CodeHash }) =>
  db.selectFrom('code').select('text').where('tenant_id', '=', tenant).where('hash', '=', hash),
)
const put = statement((db, row: CodeTable) =>
  db
    .insertInto('code')
    .values(row)
    .onConflict((on) =>
      on
        .columns(['tenant_id', 'hash'])
        .doUpdateSet((of) => ({ text: of.ref('excluded.text') }))
        .whereRef('code.text', '<>', 'excluded.text'),
    ),
)

export function createCodeStore(queries: Queries, tenant: TenantId): CodeStore {
  return {
    async get(hash) {
      return (await textOf.first(queries, { tenant, hash }))?.text
    },
    /** A text that is not what its hash says any more is mended. */
    async put(hash, code, at) {
      await put.all(queries, { tenant_id: tenant, hash, text: code, created_at: at })
    },
  }
}
