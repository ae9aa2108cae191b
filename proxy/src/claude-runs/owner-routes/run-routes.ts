import type { OwnersRunView } from '../../contracts/admin/index.ts'
import { isRunOver } from '../../contracts/claude-runs/index.ts'
import type { AdminHandlers } from '../../http/admin-routes/index.ts'
import { AppError, type ReadTx, type RunId, type Storage } from '../../kernel/index.ts'
import type { Apps } from '../apps/index.ts'
import type { ClaudeRuns, Run } from '../runs/index.ts'

const USUAL_PAGE = 50

/** Runs of apps, as persons see them. */
export function runRoutes({
  apps,
  claudeRuns,
  storage,
}: {
  readonly apps: Pick<Apps, 'list' | 'byId'>
  /** Null while runs are off: what was is still told. */
  readonly claudeRuns: { readonly runs: ClaudeRuns } | null
  readonly storage: Storage
}) {
  const view = (run: Run): OwnersRunView => ({
    ...{ id: run.id, app: apps.byId(run.appId)?.name ?? run.appId, state: run.state, code: run.code },
    ...{
      message: run.message,
      model: run.model,
      prompt_sha256: run.promptSha256,
      prompt_chars: run.promptChars,
    },
    ...{ result_chars: run.resultChars, detached: run.isDetached, session_id: run.sessionId },
    ...{ input_tokens: run.inputTokens, output_tokens: run.outputTokens },
    ...{ cache_read_tokens: run.cacheReadTokens, cache_write_tokens: run.cacheWriteTokens },
    ...{ requests: run.requests, micro_usd: run.microUsd, created_at: run.createdAt },
    ...{ started_at: run.startedAt, finished_at: run.finishedAt },
  })
  const find = async (tx: ReadTx, id: string): Promise<Run> => {
    const run = await tx.claudeRuns.byId(id as RunId)
    if (run === undefined) throw new AppError('not_found', `There is no run ${id}.`)
    return run
  }
  /** Of several that had the name the one that has it now. */
  const appNamed = (name: string) => {
    const named = apps.list().filter((app) => app.name === name)
    const found = named.find(({ revokedAt }) => revokedAt === null) ?? named.at(-1)
    if (found === undefined) throw new AppError('not_found', `No app named ${name}.`)
    return found.id
  }
  return {
    listRuns: ({ query: { app, limit, before } }) =>
      storage.read(async (tx) => ({
        runs: (
          await tx.claudeRuns.list({
            appId: app === undefined ? undefined : appNamed(app),
            before: before === undefined ? undefined : await find(tx, before),
            limit: limit ?? USUAL_PAGE,
          })
        ).map(view),
      })),
    async readRun({ params: { id } }) {
      const run = await storage.read((tx) => find(tx, id))
      const body = isRunOver(run.state) ? ((await claudeRuns?.runs.body(run)) ?? null) : null
      return { ...view(run), text: body?.text ?? null, prompt: body?.prompt ?? null }
    },
    async cancelRun({ params: { id } }) {
      const run = await storage.read((tx) => find(tx, id))
      if (isRunOver(run.state)) throw new AppError('conflict', `${id} is over.`)
      if (claudeRuns === null) throw new AppError('conflict', 'Runs are off: CLAWDFORGE_PORT turns them on.')
      await claudeRuns.runs.cancel(run.id, 'The owner ended it.')
      return view(await storage.read((tx) => find(tx, id)))
    },
  } satisfies Partial<AdminHandlers>
}
