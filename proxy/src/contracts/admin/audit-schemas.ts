import { z } from 'zod'
import { queryNumber } from './schemas.ts'

export const auditRowView = z.object({
  id: z.int(),
  at: z.int(),
  event: z.string(),
  actor: z.string(),
  request_id: z.string().nullable(),
  /** The stored canonical JSON text: the chain hashes exactly it. */
  data: z.string(),
  prev_hash: z.string(),
  hash: z.string(),
})
/** Of GET /v1/audit. Times are unix milliseconds; what is not known here is refused, so that no filter is left out by a slip. */
export const auditQuery = z.strictObject({
  limit: queryNumber.default(20).transform((limit) => Math.min(1_000, Math.max(1, limit))),
  /** Only rows before this one. */
  before: queryNumber.optional(),
  /** Name or id. */
  agent: z.string().min(1).max(128).optional(),
  event: z.string().min(1).max(64).optional(),
  secret: z.string().min(1).max(128).optional(),
  host: z.string().min(1).max(300).optional(),
  /** Of one execution or access request, by its id. */
  request: z.string().min(1).max(64).optional(),
  since: queryNumber.optional(),
  until: queryNumber.optional(),
})
const auditListRow = auditRowView.extend({
  /** The actor with the name of an agent in the place of its id. */
  who: z.string(),
  /** The agent that it is of or about, by name. */
  agent: z.string().nullable(),
})
export const auditList = z.object({
  rows: z.array(auditListRow),
  /** Ask again with `before`; null: there is nothing before. */
  next: z.int().nullable(),
})
export const auditVerdict = z.discriminatedUnion('ok', [
  z.object({
    ok: z.literal(true),
    /** False: it took too long for one answer; ask again with `incremental=1`, and it goes on behind row `rows`. */
    finished: z.boolean(),
    rows: z.int(),
    archived: z.int(),
    /** Rows up to this one were found good by an earlier check and not read again; 0: all were read. */
    earlier: z.int(),
    head_hash: z.string(),
  }),
  z.object({ ok: z.literal(false), rows: z.int(), broken_id: z.int(), reason: z.string() }),
])

const archiveView = z.object({
  name: z.string(),
  first: z.int(),
  last: z.int(),
  head_hash: z.string(),
  digest: z.string(),
  bytes: z.int(),
  archived_at: z.int(),
})
/** The folder as the daemon sees it. */
export const archiveList = z.object({ folder: z.string(), archives: z.array(archiveView) })
/** Rows up to a number, or those of an age. */
export const archiveBody = z.union([
  z.strictObject({ up_to: z.int().min(1) }),
  z.strictObject({ older_than_ms: z.int().min(0) }),
])
/** False: there is more to do; ask again. */
export const archiveAnswer = archiveList.extend({ finished: z.boolean() })

export type AuditListRow = z.infer<typeof auditListRow>
export type AuditRowView = z.infer<typeof auditRowView>
export type AuditVerdictView = z.infer<typeof auditVerdict>
export type AuditArchiveView = z.infer<typeof archiveView>
