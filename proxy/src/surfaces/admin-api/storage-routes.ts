import type { Express } from 'express'
import type { AuditArchiver } from '../../domain/audit/index.ts'
import type { Retention } from '../../domain/retention/index.ts'
import type { Clock } from '../../kernel/index.ts'
import { parse } from './parse.ts'
import { viewArchive, viewVerdict } from './views.ts'
import { archiveBody, type PruneAnswer, pruneBody } from './wire.ts'

/** One answer takes no longer; the caller asks again for the rest. */
const ANSWER_MS = 20_000

/** What is dropped, and what of the audit is moved into files, by hand. */
export function addStorageRoutes(
  app: Express,
  deps: {
    readonly retention: Pick<Retention, 'count' | 'prune' | 'size'>
    readonly archiver: AuditArchiver
    readonly archiveFolder: string
    readonly clock: Clock
    readonly owner: { readonly actor: string }
  },
): void {
  const { retention, archiver, archiveFolder, owner } = deps
  app.get('/v1/audit/verify', async (request, response) => {
    response.json(viewVerdict(await archiver.verify({ archives: request.query.archives !== '0' })))
  })
  app.get('/v1/audit/archives', (_request, response) => {
    response.json({ folder: archiveFolder, archives: archiver.list().map(viewArchive) })
  })
  app.post('/v1/audit/archive', async (request, response) => {
    const body = parse(archiveBody, request.body)
    const last = 'up_to' in body ? body.up_to : archiver.lastRowAt(deps.clock.now() - body.older_than_ms)
    const { archives, finished } = await archiver.archive(last, owner.actor, ANSWER_MS)
    response.json({ folder: archiveFolder, archives: archives.map(viewArchive), finished })
  })
  app.post('/v1/prune', async (request, response) => {
    const { dry_run, older_than_ms, max_bytes } = parse(pruneBody, request.body)
    const wish = { olderThanMs: older_than_ms, maxBytes: max_bytes }
    const counts = await retention.count(wish)
    const pruned = dry_run ? undefined : await retention.prune(wish, owner.actor, ANSWER_MS)
    const { used, free } = retention.size()
    const answer: PruneAnswer = {
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
    response.json(answer)
  })
}
