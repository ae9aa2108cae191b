import type { AppLimitsView, AppView } from '../../contracts/admin/index.ts'
import type { AdminHandlers, Owner } from '../../http/admin-routes/index.ts'
import type { App, AppLimits, Apps, AppTerms } from '../apps/index.ts'

/** What apps may, and their tokens. */
export function appRoutes({
  apps,
  appsUrl,
  owner,
}: {
  readonly apps: Apps
  /** Where apps reach the daemon, once it listens; null while runs are off. */
  readonly appsUrl: () => string | null
  readonly owner: Owner
}) {
  const made = ({ app, token }: { readonly app: App; readonly token: string }) => ({
    ...{ app: viewOfApp(app), token, url: appsUrl() },
  })
  return {
    listApps: () => ({ apps: apps.list().map(viewOfApp), url: appsUrl() }),
    addApp: async ({ body: { name, ...terms } }) => made(await apps.add(name, termsOf(terms), owner.actor)),
    changeApp: async ({ params: { name }, body }) =>
      viewOfApp(await apps.change(name, termsOf(body), owner.actor)),
    rotateAppToken: async ({ params: { name } }) => made(await apps.rotate(name, owner.actor)),
    revokeApp: async ({ params: { name } }) => viewOfApp(await apps.revoke(name, owner.actor)),
  } satisfies Partial<AdminHandlers>
}

type Given = Omit<Parameters<AdminHandlers['changeApp']>[0]['body'], never>

function termsOf({ limits, keeps_prompts: keepsPrompts, ...rest }: Given): AppTerms {
  const named = Object.entries({ ...rest, keepsPrompts }).filter(([, value]) => value !== undefined)
  return { ...Object.fromEntries(named), ...(limits === undefined ? {} : { limits: limitsFrom(limits) }) }
}

/** Names on the wire. */
const LIMIT_NAMES = {
  micro_usd_per_day: 'microUsdPerDay',
  tokens_per_day: 'tokensPerDay',
  requests_per_minute: 'requestsPerMinute',
  runs_per_day: 'runsPerDay',
  micro_usd_per_run: 'microUsdPerRun',
  tokens_per_run: 'tokensPerRun',
  requests_per_run: 'requestsPerRun',
  max_running: 'maxRunning',
} as const satisfies Readonly<Record<keyof AppLimitsView, keyof AppLimits>>
const LIMITS = Object.entries(LIMIT_NAMES) as readonly [keyof AppLimitsView, keyof AppLimits][]

/** Those that were named: an absent limit is not the same as one that is taken away. */
const limitsFrom = (
  given: { readonly [Name in keyof AppLimitsView]?: number | null | undefined },
): Partial<AppLimits> =>
  Object.fromEntries(
    LIMITS.filter(([wire]) => given[wire] !== undefined).map(([wire, name]) => [name, given[wire]]),
  )

/** No hash of its token. */
const viewOfApp = (app: App): AppView => ({
  ...{ id: app.id, name: app.name, cidrs: [...app.cidrs], scopes: [...app.scopes], tools: [...app.tools] },
  ...{ models: app.models && [...app.models], provider: app.provider, keeps_prompts: app.keepsPrompts },
  limits: Object.fromEntries(LIMITS.map(([wire, name]) => [wire, app.limits[name]])) as AppLimitsView,
  ...{ created_at: app.createdAt, revoked_at: app.revokedAt },
})
