import express, { type Request, type Response, type Router } from 'express'
import type { Logger } from 'pino'
import { AGENT_ROUTES } from '../../contracts/agent/index.ts'
import { type Execution, type Executions, isFinal } from '../../domain/executions/index.ts'
import type { HealthReport } from '../../domain/health/index.ts'
import type { Vault } from '../../domain/vault/index.ts'
import { AppError } from '../../kernel/index.ts'
import { MAX_BODY_BYTES, parseJsonBody } from './body.ts'
import { callerGone, createEdge, createErrorAnswer, notFound } from './edge.ts'
import { streamEvents } from './events.ts'
import { explainExecution } from './explain.ts'
import { createForAgent } from './for-agent.ts'
import type { AgentGate } from './gate.ts'
import type { Metrics } from './metrics.ts'
import { type AgentHandlers, mountAgentRoutes } from './mount-agent-routes.ts'
import { oauthProbes } from './oauth-probes.ts'
import { createOpenApi } from './openapi.ts'
import { cursorOf, pageFilter } from './paging.ts'
import { preferredWait } from './prefer.ts'
import { secretsOf } from './secrets.ts'
import { createSeen } from './seen.ts'
import { submitExecution } from './submit.ts'
import { type ExecutionView, submitStatus, summaryOf, viewOf } from './views.ts'

/** The agents' HTTP API. Ends with the 404 of the one error shape, so whatever else the app serves comes before it. */
export interface AgentApiDeps {
  readonly gate: AgentGate
  readonly executions: Executions
  readonly vault: Pick<Vault, 'list'>
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
  mountAgentRoutes(router, SERVED, handlersOf(deps), (limit, handle) =>
    forAgent({ surface: 'http', limit }, handle),
  )
  router.use(oauthProbes)
  router.use(notFound)
  router.use(createErrorAnswer(log))
  return router
}

/** Everything of the table but what another router answers. */
const { mcp: _, ...SERVED } = AGENT_ROUTES

function handlersOf(deps: AgentApiDeps): AgentHandlers<typeof SERVED> {
  const { executions, gate, metrics } = deps
  let openApi: ReturnType<typeof createOpenApi> | undefined
  const seen = createSeen(deps)

  const answer = (
    { response, send }: { response: Response; send(status: number, view: ExecutionView): void },
    status: number,
    execution: Execution,
  ): void => {
    seen.after(response, execution)
    send(status, viewOf(execution))
  }

  const read: AgentHandlers<typeof SERVED>['readExecution'] = async (call) => {
    const { agent, params, query, response } = call
    const preference = preferredWait(call.header('prefer'))
    const seconds = query.wait ?? preference?.seconds ?? 0
    const { requestId, status } = executions.ofAgent(agent.id, params.id)
    using _held = seconds > 0 && !isFinal(status) ? gate.hold(agent.id) : undefined
    const execution = await executions.wait(requestId, seconds * 1_000, callerGone(response))
    if (preference && query.wait === undefined) {
      response.setHeader('Preference-Applied', preference.applied)
    }
    answer(call, 200, execution)
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
      answer(call, status, execution)
    },
    async listExecutions({ agent, query, send }) {
      const { filter, limit } = pageFilter(agent.id, query)
      const rows = executions.list(filter)
      await executions.flushed()
      const page = rows.slice(0, limit)
      const last = rows.length > limit ? page.at(-1) : undefined
      send(200, { executions: page.map(summaryOf), next: last ? cursorOf(last.rowId) : null })
    },
    readExecution: read,
    readExecutionStatus: read,
    async followExecution({ agent, params, response, header }) {
      const execution = executions.ofAgent(agent.id, params.id)
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
    cancelExecution: ({ agent, params, send }) => send(200, viewOf(executions.cancel(agent.id, params.id))),
    acknowledgeExecution: ({ agent, params, send }) =>
      send(200, viewOf(executions.acknowledge(agent.id, params.id))),
    listSecrets: ({ send }) => send(200, secretsOf(deps.vault)),
    async health({ send }) {
      const report = await deps.health()
      send(report.database === 'ok' ? 200 : 503, { ...report, notes: [...report.notes] })
    },
    async metrics({ response }) {
      const page = await metrics.page()
      response.setHeader('Content-Type', metrics.contentType)
      response.end(page)
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
