import type { Database } from 'better-sqlite3'
import type { Price, UsageRepository, UsageRow } from '../../domain/usage/index.ts'

/** The largest sum that is still exact as a number. */
const LARGEST = Number.MAX_SAFE_INTEGER

const COUNTS = [
  ...(['requests', 'failed', 'untold', 'input_tokens', 'output_tokens'] as const),
  ...(['cache_read_tokens', 'cache_write_tokens', 'micro_usd', 'unpriced'] as const),
  ...(['assumed_tokens', 'assumed_micro_usd'] as const),
]

type StoredPrice = Price & { readonly parts: string | null }

/** Sums of days and the owner's own prices. */
export function createUsageStore(db: Database): UsageRepository {
  const add = db.prepare(
    `INSERT INTO usage_by_day (day, agent_id, provider, model, key_id, ${COUNTS.join(', ')})
     VALUES (@day, @agentId, @provider, @model, @keyId, @requests, @failed, @untold, @inputTokens,
       @outputTokens, @cacheReadTokens, @cacheWriteTokens, @microUsd, @unpriced,
       @assumedTokens, @assumedMicroUsd)
     ON CONFLICT (day, agent_id, provider, model, key_id) DO UPDATE SET
       ${COUNTS.map((name) => `${name} = min(${name} + excluded.${name}, ${LARGEST})`).join(', ')}`,
  )
  const addAll = db.transaction((rows: readonly UsageRow[]) => {
    for (const row of rows) add.run(row)
  })
  const since = db.prepare<[string], UsageRow>(
    `SELECT day, agent_id AS agentId, provider, model, key_id AS keyId, requests, failed, untold,
       input_tokens AS inputTokens, output_tokens AS outputTokens, cache_read_tokens AS cacheReadTokens,
       cache_write_tokens AS cacheWriteTokens, micro_usd AS microUsd, unpriced,
       assumed_tokens AS assumedTokens, assumed_micro_usd AS assumedMicroUsd
     FROM usage_by_day WHERE day >= ? ORDER BY day, agent_id, provider, model, key_id`,
  )
  const prices = db.prepare<[], StoredPrice>(
    `SELECT provider, model, input, output, cache_read AS cacheRead, cache_write AS cacheWrite, parts
     FROM prices ORDER BY provider, model`,
  )
  const setPrice = db.prepare(
    `INSERT INTO prices (provider, model, input, output, cache_read, cache_write, parts, set_at)
     VALUES (@provider, @model, @input, @output, @cacheRead, @cacheWrite, @parts, @at)
     ON CONFLICT (provider, model) DO UPDATE SET input = excluded.input, output = excluded.output,
       cache_read = excluded.cache_read, cache_write = excluded.cache_write, parts = excluded.parts, set_at = excluded.set_at`,
  )
  const removePrice = db.prepare('DELETE FROM prices WHERE provider = ? AND model = ?')
  return {
    add: (rows) => addAll(rows),
    since: (day) => since.all(day),
    prices: () =>
      prices
        .all()
        .map(({ parts, ...price }) => (parts === null ? price : { ...price, ...JSON.parse(parts) })),
    setPrice({ provider, model, input, output, cacheRead, cacheWrite, ...parts }, at) {
      const row = { provider, model, input, output, cacheRead, cacheWrite, at }
      setPrice.run({ ...row, parts: Object.keys(parts).length === 0 ? null : JSON.stringify(parts) })
    },
    removePrice: (provider, model) => void removePrice.run(provider, model),
  }
}
