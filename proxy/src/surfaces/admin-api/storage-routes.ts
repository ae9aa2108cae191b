import type { Express } from 'express'
import type { Retention } from '../../domain/retention/index.ts'
import { parse } from './parse.ts'
import { type PruneAnswer, pruneBody } from './wire.ts'

/** One answer takes no longer; the caller asks again for the rest. */
const PRUNE_MS = 20_000

/** What is dropped, by hand. */
export function addStorageRoutes(
  app: Express,
  deps: {
    readonly retention: Pick<Retention, 'count' | 'prune' | 'size'>
    readonly owner: { readonly actor: string }
  },
): void {
  const { retention, owner } = deps
  app.post('/v1/prune', async (request, response) => {
    const { dry_run, older_than_ms, max_bytes } = parse(pruneBody, request.body)
    const wish = { olderThanMs: older_than_ms, maxBytes: max_bytes }
    const counts = retention.count(wish)
    const pruned = dry_run ? undefined : await retention.prune(wish, owner.actor, PRUNE_MS)
    const { used, free } = retention.size()
    const answer: PruneAnswer = {
      outputs: pruned?.outputs ?? counts.outputs,
      output_bytes: pruned ? null : counts.outputBytes,
      code: pruned ? null : counts.code,
      code_bytes: pruned ? null : counts.codeBytes,
      executions: pruned?.executions ?? counts.executions,
      ended: pruned?.ended ?? null,
      usage_rows: pruned?.usageRows ?? counts.usageRows,
      kept: counts.kept,
      used_bytes: used,
      free_bytes: free,
      finished: pruned?.finished ?? true,
    }
    response.json(answer)
  })
}
