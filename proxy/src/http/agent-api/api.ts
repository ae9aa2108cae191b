import express, { type Request, type Response, type Router } from 'express'
import type { Logger } from 'pino'
import type { Approvals } from '../../approvals/index.ts'
import { AGENT_ROUTES } from '../../contracts/agent/index.ts'
import {
  createSeen,
  cursorOf,
  type ExecutionView,
  explainExecution,
  pageFilter,
  preferredWait,
  streamEvents,
  submitExecution,
  submitStatus,
  summaryOf,
  viewOf,
  viewWithApprovals,
} from '../../executions/agent-routes/index.ts'
import { type Execution, type Executions, isFinal } from '../../executions/index.ts'
import type { HealthReport } from '../../kernel/index.ts'
import { AppError, type Storage } from '../../kernel/index.ts'
import type { Vault } from '../../vault/index.ts'
import { callerGone } from '../index.ts'
import { MAX_BODY_BYTES, parseJsonBody } from './body.ts'
import { createEdge, createErrorAnswer, notFound } from './edge.ts'
import { type AgentCaller, createForAgent } from './for-agent.ts'
import type { AgentGate } from './gate.ts'
import type { Metrics } from './metrics.ts'
import { mountScopedRoutes, type ScopedHandlers } from './mount-scoped-routes.ts'
import { oauthProbes } from './oauth-probes.ts'
import { createOpenApi } from './openapi.ts'
import { secretsOf } from './secrets.ts'

/** The agents' HTTP API. Ends with the 404 of the one error shape, so whatever else the app serves comes before it. */
export interface AgentApiDeps {
  readonly gate: AgentGate
  readonly executions: Executions
  readonly approvals: Pick<Approvals, 'find'>
  readonly vault: Pick<Vault, 'list'>
  readonly storage: Pick<Storage, 'read' | 'tenant'>
  readonly health: () => Promise<HealthReport>
  readonly metrics: Metrics
  readonly version: string
  readonly log: Logger
}

export function createAgentApi(deps: AgentApiDeps): Router {
  const { metrics, log } = deps
  const router = express.Router()
  const forAgent = createForAgent(deps)
  router.use(createEdge(metrics))
  mountScopedRoutes<typeof SERVED, AgentCallers>(
    router,
    SERVED,
    handlersOf(deps),
    ({ scope, action }, handle) =>
      forAgent({ surface: 'http', limit: scope, ...(action && { action }) }, handle),
  )
  router.use(oauthProbes)
  router.use(notFound)
  router.use(createErrorAnswer(log))
  return router
}

/** Everything of the table but what another router answers. */
const { mcp: _, ...SERVED } = AGENT_ROUTES
type AgentCallers = Readonly<Record<'execute' | 'read', AgentCaller>>

function handlersOf(deps: AgentApiDeps): ScopedHandlers<typeof SERVED, AgentCallers> {
  const { executions, gate, storage, metrics } = deps
  let openApi: ReturnType<typeof createOpenApi> | undefined
  const seen = createSeen(deps)

  const answer = async (
    { response, send }: { response: Response; send(status: number, view: ExecutionView): void },
    status: number,
    execution: Execution,
  ): Promise<void> => {
    const view = await viewWithApprovals(deps, execution)
    seen.after(response, execution)
    send(status, view)
  }

  const read: ScopedHandlers<typeof SERVED, AgentCallers>['readExecution'] = async (call) => {
    const { agent, by, params, query, response } = call
    const preference = preferredWait(call.header('prefer'))
    const seconds = query.wait ?? preference?.seconds ?? 0
    const { requestId, status } = await storage.read((tx) =>
      executions.readFor(tx, by, 'execution.read', params.id),
    )
    using _held = seconds > 0 && !isFinal(status) ? gate.hold(agent.id) : undefined
    const execution = await executions.wait(requestId, seconds * 1_000, callerGone(response))
    if (preference && query.wait === undefined) {
      response.setHeader('Preference-Applied', preference.applied)
    }
    await answer(call, 200, execution)
  }

  return {
    async execute(call) {
      const { agent, response, send } = call
      const preference = preferredWait(call.header('prefer'))
      const body = parseJsonBody(await readBody(response.req, response))
      if (call.query.dry_run) {
        send(200, await explainExecution(executions, agent, body, callerGone(response)))
        return
      }
      const execution = await submitExecution(deps, {
        agent,
        body,
        idempotencyKey: call.header('idempotency-key'),
        waitSeconds: preference?.seconds,
        signal: callerGone(response),
      })
      if (preference) response.setHeader('Preference-Applied', preference.applied)
      const status = submitStatus(execution)
      if (status === 202) response.setHeader('Location', `/execute/${execution.requestId}`)
      await answer(call, status, execution)
    },
    async listExecutions({ agent, query, send }) {
      const { filter, limit } = pageFilter(agent.id, query)
      const rows = await storage.read((tx) => executions.list(tx, filter))
      await executions.flushed()
      const page = rows.slice(0, limit)
      const last = rows.length > limit ? page.at(-1) : undefined
      send(200, { executions: page.map(summaryOf), next: last ? cursorOf(last.rowId) : null })
    },
    readExecution: read,
    readExecutionStatus: read,
    async followExecution({ agent, by, params, response, header }) {
      const execution = await storage.read((tx) => executions.readFor(tx, by, 'execution.read', params.id))
      const lastEventId = header('last-event-id')
      if (isFinal(execution.status) && lastEventId === execution.status) {
        // 204 tells an EventSource not to come again.
        response.statusCode = 204
        response.end()
        return
      }
      using _held = gate.hold(agent.id)
      const signal = callerGone(response)
      const transitions = executions.follow(execution.requestId, signal)
      await streamEvents(response, transitions, { signal, lastEventId, onFinal: seen.now })
    },
    cancelExecution: async ({ by, params, send }) =>
      send(200, viewOf(await executions.cancel(by, params.id))),
    acknowledgeExecution: async ({ by, params, send }) =>
      send(200, viewOf(await executions.acknowledge(by, params.id))),
    listSecrets: async ({ send }) => send(200, await secretsOf(deps)),
    async health({ send }) {
      const report = await deps.health()
      send(report.database === 'ok' ? 200 : 503, { ...report, notes: [...report.notes] })
    },
    async metrics({ response }) {
      const { contentType, text } = await metrics.page()
      response.setHeader('Content-Type', contentType)
      response.end(text)
    },
    openapi({ send }) {
      openApi ??= createOpenApi(deps.version)
      send(200, openApi)
    },
  }
}

const readRaw = express.raw({ type: () => true, limit: MAX_BODY_BYTES, inflate: false })

/** The body's bytes; only uncompressed JSON is taken. */
export function readBody(request: Request, response: Response): Promise<Uint8Array> {
  const type = request.headers['content-type']?.split(';')[0]?.trim().toLowerCase()
  const charset = /;\s*charset="?([^";\s]+)/i.exec(request.headers['content-type'] ?? '')?.[1]?.toLowerCase()
  if (type !== 'application/json' || (charset !== undefined && charset !== 'utf-8' && charset !== 'utf8')) {
    throw new AppError('unsupported_media_type', 'Send Content-Type: application/json.')
  }
  if ((request.headers['content-encoding'] ?? 'identity') !== 'identity') {
    throw new AppError('unsupported_media_type', 'Send the body without Content-Encoding.')
  }
  return new Promise((resolve, reject) => {
    readRaw(request, response, (error?: unknown) => {
      if (error) reject(error)
      else resolve(Buffer.isBuffer(request.body) ? request.body : new Uint8Array())
    })
  })
}
