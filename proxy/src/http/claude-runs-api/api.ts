import express, { type Express } from 'express'
import type { Logger } from 'pino'
import type { App, Apps } from '../../claude-runs/apps/index.ts'
import type { AppFiles } from '../../claude-runs/files/index.ts'
import type { RunnerStatus } from '../../claude-runs/index.ts'
import type { ClaudeRuns } from '../../claude-runs/runs/index.ts'
import type { RunSessions } from '../../claude-runs/sessions/index.ts'
import { CLAUDE_RUNS_ROUTES, mintBody } from '../../contracts/claude-runs/index.ts'
import { invalidBody } from '../../executions/agent-routes/index.ts'
import { AppError, type Clock, type SecretValue, type Storage } from '../../kernel/index.ts'
import {
  type AgentGate,
  createEdge,
  type Metrics,
  mountScopedRoutes,
  parseJsonBody,
  readBody,
  type ScopedHandlers,
} from '../agent-api/index.ts'
import { type AddressRules, clientAddress } from './client-address.ts'
import { fileHandlers } from './file-handlers.ts'
import { type Callers, createForApp } from './for-app.ts'
import { createClaudeRunsOpenApi } from './openapi.ts'
import { createRefusalAnswer } from './refusal.ts'
import { runHandlers } from './run-handlers.ts'
import { time } from './views.ts'

export interface ClaudeRunsApiDeps {
  readonly apps: Apps
  readonly runs: ClaudeRuns
  readonly files: AppFiles
  readonly sessions: RunSessions
  readonly gate: AgentGate
  readonly addresses: AddressRules
  readonly bootstrapToken: SecretValue | null
  /** Of the whole installation. */
  readonly status: () => Promise<RunnerStatus>
  readonly queue: () => { readonly running: number; readonly waiting: number }
  readonly storage: Storage
  readonly clock: Clock
  readonly metrics: Metrics
  readonly log: Logger
  readonly version: string
  /** How long a run whose stream broke waits for its client; left out: ten seconds. */
  readonly reconnectMs: number | undefined
}

const RECONNECT_MS = 10_000

/** The port of apps, as one tenant's apps reach it. */
export function createClaudeRunsApi(deps: ClaudeRunsApiDeps): Express {
  const { metrics, log, addresses } = deps
  const app = express()
  app.disable('x-powered-by')
  app.disable('etag')
  app.use(createEdge(metrics))
  // Also of what anybody may ask: the port is for the networks of ALLOW_CIDRS.
  app.use((request, _response, next) => {
    clientAddress(request, addresses)
    next()
  })
  const handlers: ScopedHandlers<typeof CLAUDE_RUNS_ROUTES, Callers> = {
    ...runHandlers({ ...deps, reconnectMs: deps.reconnectMs ?? RECONNECT_MS }),
    ...fileHandlers(deps),
    ...tokenHandlers(deps),
    ...openHandlers(deps),
  }
  mountScopedRoutes<typeof CLAUDE_RUNS_ROUTES, Callers>(app, CLAUDE_RUNS_ROUTES, handlers, createForApp(deps))
  app.use(() => {
    throw new AppError('not_found', 'No such path; see /openapi.json.')
  })
  app.use(createRefusalAnswer(log))
  return app
}

function openHandlers(
  deps: ClaudeRunsApiDeps,
): ScopedHandlers<Pick<typeof CLAUDE_RUNS_ROUTES, 'health' | 'openapi'>, Callers> {
  let openApi: Record<string, unknown> | undefined
  return {
    async health({ send }) {
      const { available, version, notes } = await deps.status()
      send(200, {
        ...{ ok: available, claude_present: version !== null, version },
        ...{ daemon_version: deps.version, queue: { ...deps.queue() }, notes: [...notes] },
      })
    },
    openapi({ send }) {
      openApi ??= createClaudeRunsOpenApi(deps.version)
      send(200, openApi)
    },
  }
}

/** Tokens by HTTP, for whoever has ADMIN_BOOTSTRAP_TOKEN: apps with all scopes, no tools, and no limits of their own. */
function tokenHandlers({
  apps,
}: ClaudeRunsApiDeps): ScopedHandlers<
  Pick<typeof CLAUDE_RUNS_ROUTES, 'mintToken' | 'listTokens' | 'revokeToken'>,
  Callers
> {
  const view = (app: App) => ({
    ...{ name: app.name, app_id: app.id, ip_cidrs: [...app.cidrs], scopes: [...app.scopes] },
    created_at: time(app.createdAt),
  })
  return {
    async mintToken({ actor, response, send }) {
      const parsed = mintBody.safeParse(parseJsonBody(await readBody(response.req, response)))
      if (!parsed.success) throw invalidBody(parsed.error)
      const { name, ip_cidrs: cidrs } = parsed.data
      const { app, token } = await apps.add(name, { cidrs: cidrs ?? [] }, actor)
      send(200, { ...view(app), token })
    },
    listTokens({ send }) {
      send(200, {
        tokens: apps
          .list()
          .filter(({ revokedAt }) => revokedAt === null)
          .map(view),
      })
    },
    async revokeToken({ actor, params, send }) {
      await apps.revoke(params.name, actor)
      send(200, { ok: true })
    },
  }
}
