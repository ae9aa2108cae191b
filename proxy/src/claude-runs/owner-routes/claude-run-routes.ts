import type { AppView } from '../../contracts/admin/index.ts'
import { isRunOver } from '../../contracts/claude-runs/index.ts'
import type { AdminHandlers, Owner } from '../../http/admin-routes/index.ts'
import { AppError, type Clock, type RunId, type Storage } from '../../kernel/index.ts'
import type { App, Apps, AppTerms } from '../apps/index.ts'
import type { AppFiles } from '../files/index.ts'
import type { ClaudeRuns, Run } from '../runs/index.ts'
import type { RunSessions } from '../sessions/index.ts'
import { type AppNotesDeps, appNotes } from './app-notes.ts'
import { followRun } from './follow-run.ts'
import { limitsOf, viewDetail, viewFile, viewRow, viewSession, viewApp as viewWithNotes } from './views.ts'

export interface ClaudeRunRoutesDeps {
  readonly apps: Apps
  /** Null: runs are off; what there is of them can be read still. */
  readonly claudeRuns: {
    readonly runs: ClaudeRuns
    readonly files: AppFiles
    readonly sessions: RunSessions
  } | null
  /** Where apps call, once it listens; null where they cannot. */
  readonly appsUrl: () => string | null
  readonly notesOfApps: AppNotesDeps
  readonly storage: Pick<Storage, 'read'>
  readonly clock: Clock
  readonly owner: Owner
}

const OFF = 'Runs of apps are off: set CLAWDFORGE_PORT and start the daemon anew.'
const PAGE = 50
const MOST_LISTED = 1_000

type Terms = Parameters<AdminHandlers['changeApp']>[0]['body']

/** What the owner sees of apps and their runs, and does to them. */
export function claudeRunRoutes(deps: ClaudeRunRoutesDeps) {
  const { apps, claudeRuns, storage, clock, owner } = deps
  const viewer = async (): Promise<(app: App) => AppView> => {
    const stored = await deps.notesOfApps.secretNames()
    return (app) => viewWithNotes(app, appNotes(app, { ...deps.notesOfApps, stored }))
  }
  const viewApp = async (app: App): Promise<AppView> => (await viewer())(app)
  const named = (name: string): App => {
    const app = appNamed(apps, name)
    if (app === undefined) throw new AppError('not_found', `No app named ${name}.`)
    return app
  }
  const on = (): NonNullable<ClaudeRunRoutesDeps['claudeRuns']> => {
    if (claudeRuns === null) throw new AppError('refused', OFF)
    return claudeRuns
  }
  const stored = async (id: string): Promise<Run> => {
    const run = await storage.read((tx) => tx.claudeRuns.byId(id as RunId))
    if (run === undefined) throw new AppError('not_found', `There is no run ${id}.`)
    return run
  }
  const row = (run: Run) => viewRow(run, apps.byId(run.appId), claudeRuns?.runs.live(run.id))
  const detail = async (id: string) => {
    const run = await stored(id)
    const body = isRunOver(run.state) ? ((await claudeRuns?.runs.body(run)) ?? null) : null
    return viewDetail(row(run), run, body)
  }
  const withToken = async ({ app, token }: { readonly app: App; readonly token: string }) => ({
    ...{ app: await viewApp(app), token, url: deps.appsUrl() },
  })

  return {
    listApps: async () => ({ apps: apps.list().map(await viewer()), url: deps.appsUrl() }),
    addApp: async ({ body: { name, ...terms } }) =>
      await withToken(await apps.add(name, termsOf(terms), owner.actor)),
    changeApp: async ({ params: { name }, body }): Promise<AppView> =>
      await viewApp(await apps.change(name, termsOf(body), owner.actor)),
    rotateAppToken: async ({ params: { name } }) => await withToken(await apps.rotate(name, owner.actor)),
    revokeApp: async ({ params: { name } }) => await viewApp(await apps.revoke(name, owner.actor)),

    async listRuns({ query: { app, state, code, before, limit = PAGE } }) {
      const most = Math.min(Math.max(limit, 1), MOST_LISTED)
      const last = before === undefined ? undefined : await stored(before)
      const runs = await storage.read((tx) =>
        tx.claudeRuns.list({
          appId: app === undefined ? undefined : named(app).id,
          states: state === undefined ? undefined : state === 'open' ? ['queued', 'running'] : [state],
          code,
          before: last,
          limit: most,
        }),
      )
      return { runs: runs.map(row), next: runs.length < most ? null : (runs.at(-1)?.id ?? null) }
    },
    readRun: ({ params: { id } }) => detail(id),
    async followRun({ params: { id }, query: { after } }) {
      const run = await stored(id)
      return await followRun(claudeRuns?.runs.logOf(run.id), after)
    },
    async cancelRun({ params: { id } }) {
      const run = await stored(id)
      if (isRunOver(run.state)) throw new AppError('conflict', `${id} is over.`)
      if (claudeRuns === null) throw new AppError('conflict', OFF)
      await claudeRuns.runs.cancel(run.id, 'The owner ended it.')
      return await detail(id)
    },

    async listAppFiles({ params: { name } }) {
      const { id } = named(name)
      const files = await storage.read((tx) => tx.appFiles.listOf(id))
      return { files: files.filter(({ expiresAt }) => expiresAt > clock.now()).map(viewFile) }
    },
    async removeAppFile({ params: { name, file } }) {
      await on().files.remove(named(name).id, file, owner.actor)
      return { ok: true }
    },
    async listRunSessions({ params: { name } }) {
      const { id } = named(name)
      const rows = await storage.read((tx) => tx.runSessions.listOf(id, MOST_LISTED))
      return { sessions: rows.filter(({ expiresAt }) => expiresAt > clock.now()).map(viewSession) }
    },
    async removeRunSession({ params: { name, session } }) {
      await on().sessions.remove(named(name).id, session, owner.actor)
      return { ok: true }
    },
  } satisfies Partial<AdminHandlers>
}

/** The active one of this name, or else the newest. */
function appNamed(apps: Pick<Apps, 'list'>, name: string): App | undefined {
  const all = apps.list().filter((app) => app.name === name)
  return (
    all.find(({ revokedAt }) => revokedAt === null) ?? all.toSorted((a, b) => b.createdAt - a.createdAt)[0]
  )
}

const termsOf = ({ seat, keeps_prompts, limits, ...terms }: Terms): AppTerms => ({
  ...(Object.fromEntries(Object.entries(terms).filter(([, value]) => value !== undefined)) as AppTerms),
  ...(seat === undefined ? {} : { usesSeat: seat }),
  ...(keeps_prompts === undefined ? {} : { keepsPrompts: keeps_prompts }),
  ...(limits === undefined ? {} : { limits: limitsOf(limits) }),
})
