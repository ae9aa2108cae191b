import type { AppFiles } from '../../claude-runs/files/index.ts'
import type { RunSessions } from '../../claude-runs/sessions/index.ts'
import type { CLAUDE_RUNS_ROUTES } from '../../contracts/claude-runs/index.ts'
import type { Clock } from '../../kernel/index.ts'
import type { ScopedHandlers } from '../agent-api/index.ts'
import { callerGone } from '../index.ts'
import type { Callers } from './for-app.ts'
import { readUpload } from './upload.ts'
import { time } from './views.ts'

type FileRoutes = Pick<
  typeof CLAUDE_RUNS_ROUTES,
  'uploadFile' | 'listFiles' | 'removeFile' | 'listSessions' | 'removeSession'
>

/** What apps keep between runs: files, and conversations. */
export function fileHandlers(deps: {
  readonly files: AppFiles
  readonly sessions: RunSessions
  readonly clock: Clock
}): ScopedHandlers<FileRoutes, Callers> {
  const { files, sessions, clock } = deps
  const view = (file: Awaited<ReturnType<AppFiles['upload']>>) => ({
    ...{ file_token: file.id, name: file.name, size: file.bytes },
    ttl_secs: Math.max(0, Math.round((file.expiresAt - clock.now()) / 1_000)),
  })
  return {
    async uploadFile({ app, response, send }) {
      const signal = callerGone(response)
      const form = await readUpload(response.req)
      send(200, view(await files.upload(app.id, { ...form, signal })))
    },
    async listFiles({ app, send }) {
      send(200, { files: (await files.list(app.id)).map(view) })
    },
    async removeFile({ app, params, send }) {
      await files.remove(app.id, params.id)
      send(200, { ok: true })
    },
    async listSessions({ app, send }) {
      const rows = await sessions.list(app.id)
      send(200, {
        sessions: rows.map((row) => ({
          ...{ session_id: row.id, parent: row.parent, runs: row.runs, size: row.bytes },
          ...{ created_at: time(row.createdAt), used_at: time(row.usedAt), expires_at: time(row.expiresAt) },
        })),
      })
    },
    async removeSession({ app, params, send }) {
      await sessions.remove(app.id, params.id)
      send(200, { ok: true })
    },
  }
}
