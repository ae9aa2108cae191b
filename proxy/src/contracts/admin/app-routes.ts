import { z } from 'zod'
import { RUN_ENDING_CODES, RUN_STATES } from '../claude-runs/index.ts'
import type { Route } from '../index.ts'
import { queryNumber } from './schemas.ts'

const limit = z.int().min(1).nullable()
/** Null: none. Money in millionths of a US dollar; days are UTC's. */
const appLimits = z.strictObject({
  micro_usd_per_day: limit,
  tokens_per_day: limit,
  /** Calls of the model. */
  requests_per_minute: limit,
  runs_per_day: limit,
  micro_usd_per_run: limit,
  tokens_per_run: limit,
  requests_per_run: limit,
  /** Runs at the same time. */
  max_running: limit,
})
export type AppLimitsView = z.output<typeof appLimits>

export const APP_SCOPE_WORDS = ['run', 'files'] as const
const words = z.array(z.string().min(1).max(128)).max(64)
const terms = {
  cidrs: z.array(z.string().max(64)).max(64).optional(),
  scopes: z.array(z.enum(APP_SCOPE_WORDS)).min(1).max(2).optional(),
  /** Of Claude Code, that its runs may have. */
  tools: words.optional(),
  /** Ids, or beginnings that end in `*`; null: any. */
  models: words.nullable().optional(),
  provider: z.string().min(1).max(64).optional(),
  /** Those that are named; the others stay. */
  limits: appLimits.partial().optional(),
  keeps_prompts: z.boolean().optional(),
}

const appView = z.object({
  id: z.string(),
  name: z.string(),
  cidrs: z.array(z.string()),
  scopes: z.array(z.enum(APP_SCOPE_WORDS)),
  tools: z.array(z.string()),
  models: z.array(z.string()).nullable(),
  provider: z.string(),
  limits: appLimits,
  keeps_prompts: z.boolean(),
  created_at: z.int(),
  revoked_at: z.int().nullable(),
})
export type AppView = z.output<typeof appView>

/** Where apps reach the daemon; null while runs are off (CLAWDFORGE_PORT). */
const url = z.string().nullable()
const madeApp = z.object({ app: appView, token: z.string(), url })
export type MadeApp = z.output<typeof madeApp>

const runView = z.object({
  id: z.string(),
  app: z.string(),
  state: z.enum(RUN_STATES),
  code: z.enum(RUN_ENDING_CODES).nullable(),
  message: z.string().nullable(),
  model: z.string(),
  prompt_sha256: z.string(),
  prompt_chars: z.int(),
  result_chars: z.int().nullable(),
  detached: z.boolean(),
  session_id: z.string().nullable(),
  input_tokens: z.int(),
  output_tokens: z.int(),
  cache_read_tokens: z.int(),
  cache_write_tokens: z.int(),
  requests: z.int(),
  micro_usd: z.int().nullable(),
  created_at: z.int(),
  started_at: z.int().nullable(),
  finished_at: z.int().nullable(),
})
export type OwnersRunView = z.output<typeof runView>

const runDetail = runView.extend({
  /** What it said, as far as it came; null where that is not kept. */
  text: z.string().nullable(),
  /** Where the app keeps prompts. */
  prompt: z.string().nullable(),
})

/** Apps that have prompts run by Claude Code, and their runs: a part of ADMIN_ROUTES. */
export const APP_ROUTES = {
  listApps: {
    method: 'GET',
    path: '/v1/apps',
    summary: 'Apps, the newest last, and where they reach the daemon; never tokens.',
    scope: 'owner',
    action: 'app.list',
    answer: z.object({ apps: z.array(appView), url }),
    errors: [],
  },
  addApp: {
    method: 'POST',
    path: '/v1/apps',
    summary: 'Add an app; the answer alone holds its token.',
    scope: 'owner',
    action: 'app.manage',
    body: z.strictObject({ name: z.string().max(64), ...terms }),
    answer: madeApp,
    errors: ['invalid_request', 'conflict'],
  },
  changeApp: {
    method: 'PATCH',
    path: '/v1/apps/:name',
    summary: 'Change what an app may; what is left out stays.',
    scope: 'owner',
    action: 'app.manage',
    body: z.strictObject(terms),
    answer: appView,
    errors: ['invalid_request', 'not_found'],
  },
  rotateAppToken: {
    method: 'POST',
    path: '/v1/apps/:name/token',
    summary: 'A new token for an app; the old one is refused at once.',
    scope: 'owner',
    action: 'app.manage',
    answer: madeApp,
    errors: ['not_found'],
  },
  revokeApp: {
    method: 'DELETE',
    path: '/v1/apps/:name',
    summary: 'End the token of an app; what it has waiting or running ends.',
    scope: 'owner',
    action: 'app.manage',
    answer: appView,
    errors: ['not_found'],
  },
  listRuns: {
    method: 'GET',
    path: '/v1/runs',
    summary: 'Runs of apps, the newest first.',
    scope: 'owner',
    action: 'run.list',
    query: z.strictObject({
      /** Of this app, by its name. */
      app: z.string().max(64).optional(),
      limit: queryNumber.pipe(z.int().min(1).max(500)).optional(),
      /** The id of a run: older ones than it. */
      before: z.string().max(64).optional(),
    }),
    answer: z.object({ runs: z.array(runView) }),
    errors: ['invalid_request', 'not_found'],
  },
  readRun: {
    method: 'GET',
    path: '/v1/runs/:id',
    summary: 'One run, with what it said while that is kept.',
    scope: 'owner',
    action: 'run.read',
    answer: runDetail,
    errors: ['not_found', 'locked'],
  },
  cancelRun: {
    method: 'DELETE',
    path: '/v1/runs/:id',
    summary: 'End a run; answered when its container is gone.',
    scope: 'owner',
    action: 'run.cancel',
    answer: runView,
    errors: ['not_found', 'conflict'],
  },
} as const satisfies Readonly<Record<string, Route & { readonly action: string }>>
