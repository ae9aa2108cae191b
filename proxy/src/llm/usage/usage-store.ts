import { CompiledQuery, sql } from 'kysely'
import type { CallerId, TenantId, UnixMs } from '../../kernel/index.ts'
import { keptText, type Queries } from '../../storage/index.ts'
import type { Price, UsageRow, UsageStore } from './ports.ts'

declare module '../../storage/tables.ts' {
  interface Tables {
    /** Sums of UTC days; primary key: tenant, day, agent, provider, model, key. */
    usage_by_day: {
      readonly tenant_id: string
      readonly day: string
      readonly agent_id: CallerId
      readonly provider: string
      readonly model: string
      readonly key_id: number
      readonly requests: number
      readonly failed: number
      readonly untold: number
      readonly input_tokens: number
      readonly output_tokens: number
      readonly cache_read_tokens: number
      readonly cache_write_tokens: number
      readonly micro_usd: number
      readonly unpriced: number
      readonly assumed_tokens: number
      readonly assumed_micro_usd: number
    }
    /** The owner's own prices; primary key: tenant, provider, model. */
    prices: {
      readonly tenant_id: string
      readonly provider: string
      readonly model: string
      readonly input: number
      readonly output: number
      readonly cache_read: number | null
      readonly cache_write: number | null
      /** What is priced apart, as JSON: {audioInput, audioOutput, imageInput, imageOutput, items}, those that are set. */
      readonly parts: string | null
      readonly set_at: UnixMs
    }
  }
}

/** The largest sum that is still exact as a number. */
const LARGEST = sql.lit(Number.MAX_SAFE_INTEGER)

const COUNTS = [
  ...(['requests', 'failed', 'untold', 'input_tokens', 'output_tokens'] as const),
  ...(['cache_read_tokens', 'cache_write_tokens', 'micro_usd', 'unpriced'] as const),
  ...(['assumed_tokens', 'assumed_micro_usd'] as const),
]

/** Sums of days and the owner's own prices. */
export function createUsageStore({ db, dialect }: Queries, tenant: TenantId): UsageStore {
  const sums = Object.fromEntries(
    COUNTS.map((name) => [
      name,
      dialect.least(sql`${sql.ref(`usage_by_day.${name}`)} + ${sql.ref(`excluded.${name}`)}`, LARGEST),
    ]),
  )
  const valuesOf = (row: UsageRow) => ({
    tenant_id: tenant,
    day: row.day,
    agent_id: row.agentId,
    provider: row.provider,
    // As an agent or a vendor wrote it: no name keeps the usage of all others from being written.
    model: keptText(row.model),
    key_id: row.keyId,
    requests: row.requests,
    failed: row.failed,
    untold: row.unreported,
    input_tokens: row.inputTokens,
    output_tokens: row.outputTokens,
    cache_read_tokens: row.cacheReadTokens,
    cache_write_tokens: row.cacheWriteTokens,
    micro_usd: row.microUsd,
    unpriced: row.unpriced,
    assumed_tokens: row.assumedTokens,
    assumed_micro_usd: row.assumedMicroUsd,
  })
  const insert = (row: UsageRow) =>
    db
      .insertInto('usage_by_day')
      .values(valuesOf(row))
      .onConflict((conflict) =>
        conflict.columns(['tenant_id', 'day', 'agent_id', 'provider', 'model', 'key_id']).doUpdateSet(sums),
      )
  return {
    async add(rows) {
      const [first] = rows
      if (first === undefined) return
      // Put together once: for each row it would take ten times as long as the row itself.
      const { sql: text } = insert(first).compile()
      // One statement each: of two rows for the same sum in one statement PostgreSQL takes neither.
      for (const row of rows) await db.executeQuery(CompiledQuery.raw(text, Object.values(valuesOf(row))))
    },
    async since(day): Promise<readonly UsageRow[]> {
      return await db
        .selectFrom('usage_by_day')
        .select(['day', 'agent_id as agentId', 'provider', 'model', 'key_id as keyId'])
        .select([
          'requests',
          'failed',
          'untold as unreported',
          'input_tokens as inputTokens',
          'output_tokens as outputTokens',
        ])
        .select(['cache_read_tokens as cacheReadTokens', 'cache_write_tokens as cacheWriteTokens'])
        .select(['micro_usd as microUsd', 'unpriced'])
        .select(['assumed_tokens as assumedTokens', 'assumed_micro_usd as assumedMicroUsd'])
        .where('tenant_id', '=', tenant)
        .where('day', '>=', day)
        .orderBy('day')
        .orderBy('agent_id')
        .orderBy('provider')
        .orderBy('model')
        .orderBy('key_id')
        .execute()
    },
    async prices(): Promise<readonly Price[]> {
      const rows = await db
        .selectFrom('prices')
        .select([
          'provider',
          'model',
          'input',
          'output',
          'cache_read as cacheRead',
          'cache_write as cacheWrite',
        ])
        .select('parts')
        .where('tenant_id', '=', tenant)
        .orderBy('provider')
        .orderBy('model')
        .execute()
      return rows.map(({ parts, ...price }) => (parts === null ? price : { ...price, ...JSON.parse(parts) }))
    },
    async setPrice({ provider, model, input, output, cacheRead, cacheWrite, ...parts }, at) {
      const values = {
        input,
        output,
        cache_read: cacheRead,
        cache_write: cacheWrite,
        parts: Object.keys(parts).length === 0 ? null : JSON.stringify(parts),
        set_at: at,
      }
      await db
        .insertInto('prices')
        .values({ tenant_id: tenant, provider, model, ...values })
        .onConflict((conflict) => conflict.columns(['tenant_id', 'provider', 'model']).doUpdateSet(values))
        .execute()
    },
    async removePrice(provider, model) {
      await db
        .deleteFrom('prices')
        .where('tenant_id', '=', tenant)
        .where('provider', '=', provider)
        .where('model', '=', model)
        .execute()
    },
  }
}
