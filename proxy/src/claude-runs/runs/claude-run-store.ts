import { type Selectable, type SqlBool, sql } from 'kysely'
import type { RunEnding, RunState } from '../../contracts/claude-runs/index.ts'
import type { AppId, RunId, TenantId, UnixMs } from '../../kernel/index.ts'
import type { Queries } from '../../storage/index.ts'
import type { Run, RunStore } from './ports.ts'

interface RunTable {
  tenant_id: TenantId
  id: RunId
  app_id: AppId
  state: RunState
  code: RunEnding | null
  message: string | null
  model: string
  prompt_sha256: string
  prompt_chars: number
  result_chars: number | null
  is_detached: number
  session_id: string | null
  stop_reason: string | null
  input_tokens: number
  output_tokens: number
  cache_read_tokens: number
  cache_write_tokens: number
  requests: number
  micro_usd: number | null
  created_at: UnixMs
  started_at: UnixMs | null
  finished_at: UnixMs | null
  first_byte_ms: number | null
  idempotency_key: string | null
  body_sha256: string
  blob: string | null
  blob_key: string | null
  blob_until: UnixMs | null
}

declare module '../../storage/tables.ts' {
  interface Tables {
    claude_runs: RunTable
  }
}

// Word for word the conditions of the partial indexes, which are not used otherwise.
const IS_OPEN = sql<SqlBool>`state IN ('queued', 'running')`
const HAS_BLOB_END = sql<SqlBool>`blob_until IS NOT NULL`
const IS_OVER = sql<SqlBool>`finished_at IS NOT NULL`
const HAS_KEY = sql<SqlBool>`idempotency_key IS NOT NULL`

export function createClaudeRunStore({ db }: Queries, tenant: TenantId): RunStore {
  const runs = () => db.selectFrom('claude_runs').where('tenant_id', '=', tenant)
  const change = (id: RunId) =>
    db.updateTable('claude_runs').where('tenant_id', '=', tenant).where('id', '=', id)
  const one = (row: Selectable<RunTable> | undefined): Run | undefined => row && fromRow(row)

  return {
    byId: async (id) => one(await runs().selectAll().where('id', '=', id).executeTakeFirst()),
    byKey: async (appId, key) =>
      one(
        await runs()
          .selectAll()
          .where(HAS_KEY)
          .where('app_id', '=', appId)
          .where('idempotency_key', '=', key)
          .executeTakeFirst(),
      ),
    async list({ appId, states, code, before, limit }) {
      let query = runs().selectAll()
      if (appId !== undefined) query = query.where('app_id', '=', appId)
      if (states !== undefined) query = query.where('state', 'in', states)
      if (code !== undefined) query = query.where('code', '=', code)
      if (before !== undefined)
        query = query.where((of) =>
          of.or([
            of('created_at', '<', before.createdAt),
            of.and([of('created_at', '=', before.createdAt), of('id', '<', before.id)]),
          ]),
        )
      const rows = await query.orderBy('created_at', 'desc').orderBy('id', 'desc').limit(limit).execute()
      return rows.map(fromRow)
    },
    async open(limit) {
      const rows = await runs().selectAll().where(IS_OPEN).orderBy('created_at').limit(limit).execute()
      return rows.map(fromRow)
    },
    async countSince(appId, since) {
      const { count } = await runs()
        .where('app_id', '=', appId)
        .where('created_at', '>=', since)
        .select((of) => of.fn.countAll<number>().as('count'))
        .executeTakeFirstOrThrow()
      return Number(count)
    },
    async withBlobUntil(before, limit) {
      const rows = await runs()
        .selectAll()
        .where(HAS_BLOB_END)
        .where('blob_until', '<=', before)
        .orderBy('blob_until')
        .limit(limit)
        .execute()
      return rows.map(fromRow)
    },
    async blobs() {
      const rows = await runs().select(['id', 'blob', 'blob_key']).where(HAS_BLOB_END).execute()
      return rows.flatMap(({ id, blob, blob_key: blobKey }) =>
        blob === null || blobKey === null ? [] : [{ id, blob, blobKey }],
      )
    },
    async insert(run) {
      await db
        .insertInto('claude_runs')
        .values({ ...fixed(tenant, run), ...changing(run) })
        .execute()
    },
    async update(run) {
      await change(run.id).set(changing(run)).execute()
    },
    async setBlobKey(id, blobKey) {
      await change(id).set({ blob_key: blobKey }).execute()
    },
    async deleteEnded(before, limit) {
      const ended = runs()
        .select('id')
        .where(IS_OVER)
        .where('blob', 'is', null)
        .where('finished_at', '<=', before)
        .orderBy('finished_at')
        .limit(limit)
      const { numDeletedRows } = await db
        .deleteFrom('claude_runs')
        .where('tenant_id', '=', tenant)
        .where('id', 'in', ended)
        .executeTakeFirst()
      return Number(numDeletedRows)
    },
  }
}

const fixed = (tenant: TenantId, run: Run) => ({
  ...{ tenant_id: tenant, id: run.id, app_id: run.appId, model: run.model, created_at: run.createdAt },
  ...{ prompt_sha256: run.promptSha256, prompt_chars: run.promptChars, body_sha256: run.bodySha256 },
  is_detached: run.isDetached ? 1 : 0,
})

const changing = (run: Run) => ({
  ...{ state: run.state, code: run.code, message: run.message, stop_reason: run.stopReason },
  ...{ result_chars: run.resultChars, session_id: run.sessionId, idempotency_key: run.idempotencyKey },
  ...{ input_tokens: run.inputTokens, output_tokens: run.outputTokens },
  ...{ cache_read_tokens: run.cacheReadTokens, cache_write_tokens: run.cacheWriteTokens },
  ...{ requests: run.requests, micro_usd: run.microUsd, first_byte_ms: run.firstByteMs },
  ...{ started_at: run.startedAt, finished_at: run.finishedAt },
  ...{ blob: run.blob?.id ?? null, blob_key: run.blob?.key ?? null, blob_until: run.blob?.until ?? null },
})

const fromRow = (row: Selectable<RunTable>): Run => ({
  ...{ id: row.id, appId: row.app_id, state: row.state, code: row.code, message: row.message },
  ...{ model: row.model, promptSha256: row.prompt_sha256, promptChars: row.prompt_chars },
  ...{ resultChars: row.result_chars, isDetached: row.is_detached !== 0, sessionId: row.session_id },
  ...{ stopReason: row.stop_reason, inputTokens: row.input_tokens, outputTokens: row.output_tokens },
  ...{ cacheReadTokens: row.cache_read_tokens, cacheWriteTokens: row.cache_write_tokens },
  ...{ requests: row.requests, microUsd: row.micro_usd, createdAt: row.created_at },
  ...{ startedAt: row.started_at, finishedAt: row.finished_at, firstByteMs: row.first_byte_ms },
  ...{ idempotencyKey: row.idempotency_key, bodySha256: row.body_sha256 },
  blob:
    row.blob === null || row.blob_key === null || row.blob_until === null
      ? null
      : { id: row.blob, key: row.blob_key, until: row.blob_until },
})
