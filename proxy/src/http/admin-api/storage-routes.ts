import type { AuditArchiver } from '../../audit/index.ts'
import type { PruneAnswer } from '../../contracts/admin/index.ts'
import type { Clock } from '../../kernel/index.ts'
import type { Retention } from '../../retention/index.ts'
import type { AdminHandlers, Owner } from '../admin-routes/index.ts'
import { viewArchive, viewVerdict } from './views.ts'

/** One answer takes no longer; the caller asks again for the rest. */
const ANSWER_MS = 20_000

/** What is dropped, and what of the audit is moved into files, by hand. */
export function storageRoutes(deps: {
  readonly retention: Pick<Retention, 'count' | 'prune' | 'size'>
  readonly archiver: AuditArchiver
  readonly archiveFolder: string
  readonly clock: Clock
  readonly owner: Owner
}) {
  const { retention, archiver, archiveFolder, owner } = deps
  return {
    verifyAudit: async ({ query }) =>
      viewVerdict(
        await archiver.verify({
          archives: query.archives !== '0',
          full: query.incremental !== '1',
          ms: ANSWER_MS,
        }),
      ),
    listAuditArchives: async () => ({
      folder: archiveFolder,
      archives: (await archiver.list()).map(viewArchive),
    }),
    async archiveAudit({ body }) {
      const last =
        'up_to' in body ? body.up_to : await archiver.lastRowAt(deps.clock.now() - body.older_than_ms)
      const { archives, finished } = await archiver.archive(last, owner.actor, ANSWER_MS)
      return { folder: archiveFolder, archives: archives.map(viewArchive), finished }
    },
    async prune({ body: { dry_run, older_than_ms, max_bytes } }): Promise<PruneAnswer> {
      const wish = { olderThanMs: older_than_ms, maxBytes: max_bytes }
      const counts = await retention.count(wish)
      const pruned = dry_run ? undefined : await retention.prune(wish, owner.actor, ANSWER_MS)
      const { used, free } = await retention.size()
      return {
        outputs: pruned?.outputs ?? counts.outputs,
        output_bytes: pruned ? null : counts.outputBytes,
        code: pruned ? null : counts.code,
        code_bytes: pruned ? null : counts.codeBytes,
        executions: pruned?.executions ?? counts.executions,
        ended: pruned?.ended ?? null,
        usage_rows: pruned?.usageRows ?? counts.usageRows,
        kept: {
          waiting: counts.waiting,
          grants: counts.grants,
          unsent: counts.unsent,
          young: counts.young,
        },
        used_bytes: used,
        free_bytes: free,
        finished: pruned?.finished ?? true,
      }
    },
  } satisfies Partial<AdminHandlers>
}
