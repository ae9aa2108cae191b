import express, { type Request, type RequestHandler, type Response, type Router } from 'express'
import type { Logger } from 'pino'
import type { Agent } from '../../domain/agents/index.ts'
import { type Execution, type Executions, isFinal } from '../../domain/executions/index.ts'
import type { HealthReport } from '../../domain/health/index.ts'
import type { Vault } from '../../domain/vault/index.ts'
import { AppError } from '../../kernel/index.ts'
import { MAX_BODY_BYTES, parseJsonBody } from './body.ts'
import {
  appErrorOf,
  callerGone,
  createEdge,
  createErrorAnswer,
  methodNotAllowed,
  notFound,
  queryText,
  routeName,
  sendError,
  sendJson,
} from './edge.ts'
import { streamEvents } from './events.ts'
import { explainExecution } from './explain.ts'
import type { AgentGate } from './gate.ts'
import type { Metrics } from './metrics.ts'
import { oauthProbes } from './oauth-probes.ts'
import { createOpenApi } from './openapi.ts'
import { cursorOf, pageFilter } from './paging.ts'
import { preferredWait, waitSeconds } from './prefer.ts'
import { secretsOf } from './secrets.ts'
import { createSeen } from './seen.ts'
import { submitExecution } from './submit.ts'
import { submitStatus, summaryOf, viewOf } from './views.ts'

/** The agents' HTTP door. Ends with the 404 of the one error shape, so whatever else the app serves comes before it. */
export interface AgentApiDeps {
  readonly gate: AgentGate
  readonly executions: Executions
  readonly vault: Pick<Vault, 'list'>
  readonly health: () => Promise<HealthReport>
  readonly metrics: Metrics
  readonly version: string
  readonly log: Logger
}

type Handler = (agent: Agent, request: Request, response: Response) => Promise<void>

export function createAgentApi(deps: AgentApiDeps): Router {
  const { executions, gate, metrics, log } = deps
  const router = express.Router()
  const openApi = createOpenApi(deps.version)
  const seen = createSeen(deps)

  /** Who asks is settled before anything that was sent is read. */
  const forAgent =
    (limit: 'execute' | 'read', handle: Handler): RequestHandler =>
    async (request, response) => {
      let who: Agent | Request = request
      try {
        if (limit === 'execute') gate.assertAccepting()
        const agent = await gate.admit(request)
        who = agent
        await gate.take(limit, agent.id)
        await handle(agent, request, response)
      } catch (caught) {
        if (callerLeft(caught, response)) return
        const error = appErrorOf(caught, log)
        gate.refused(who, error, { surface: 'http', toRun: limit === 'execute' })
        if (response.headersSent) response.destroy()
        else sendError(response, error)
      }
    }

  const answer = (response: Response, status: number, execution: Execution): void => {
    seen.after(response, execution)
    sendJson(response, status, viewOf(execution))
  }

  const submit = forAgent('execute', async (agent, request, response) => {
    const preference = preferredWait(headerText(request, 'prefer'))
    assertKnownQuery(request)
    const dryRun = isDryRun(queryText(request, 'dry_run'))
    const body = parseJsonBody(await readBody(request, response))
    if (dryRun) {
      sendJson(response, 200, await explainExecution(executions, agent, body, callerGone(response)))
      return
    }
    const execution = await submitExecution(deps, {
      agent,
      body,
      idempotencyKey: headerText(request, 'idempotency-key'),
      waitSeconds: preference?.seconds,
      signal: callerGone(response),
    })
    if (preference) response.setHeader('Preference-Applied', preference.applied)
    const status = submitStatus(execution)
    if (status === 202) response.setHeader('Location', `/execute/${execution.requestId}`)
    answer(response, status, execution)
  })

  const list = forAgent('read', async (agent, request, response) => {
    const { filter, limit } = pageFilter(agent.id, {
      status: queryText(request, 'status'),
      limit: queryText(request, 'limit'),
      before: queryText(request, 'before'),
    })
    const rows = executions.list(filter)
    const page = rows.slice(0, limit)
    const last = rows.length > limit ? page.at(-1) : undefined
    sendJson(response, 200, { executions: page.map(summaryOf), next: last ? cursorOf(last.rowId) : null })
  })

  const read = forAgent('read', async (agent, request, response) => {
    const preference = preferredWait(headerText(request, 'prefer'))
    const asked = queryText(request, 'wait')
    const seconds = asked === undefined ? (preference?.seconds ?? 0) : waitSeconds(asked, 'wait')
    let execution = executions.ofAgent(agent.id, idOf(request))
    if (seconds > 0 && !isFinal(execution.status)) {
      using _held = gate.hold(agent.id)
      execution = await executions.wait(execution.requestId, seconds * 1_000, callerGone(response))
    }
    if (preference && asked === undefined) response.setHeader('Preference-Applied', preference.applied)
    answer(response, 200, execution)
  })

  const events = forAgent('read', async (agent, request, response) => {
    const execution = executions.ofAgent(agent.id, idOf(request))
    const lastEventId = headerText(request, 'last-event-id')
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
  })

  const cancel = forAgent('read', async (agent, request, response) => {
    sendJson(response, 200, viewOf(executions.cancel(agent.id, idOf(request))))
  })

  const acknowledge = forAgent('read', async (agent, request, response) => {
    sendJson(response, 200, viewOf(executions.acknowledge(agent.id, idOf(request))))
  })

  const secrets = forAgent('read', async (_agent, _request, response) => {
    sendJson(response, 200, secretsOf(deps.vault))
  })

  router.use(createEdge(metrics))
  router
    .route('/execute')
    .all(routeName('/execute'))
    .post(submit)
    .get(list)
    .all(methodNotAllowed('GET', 'POST'))
  router
    .route('/execute/:id')
    .all(routeName('/execute/:id'))
    .get(read)
    .delete(cancel)
    .all(methodNotAllowed('GET', 'DELETE'))
  router
    .route('/execute/:id/status')
    .all(routeName('/execute/:id/status'))
    .get(read)
    .all(methodNotAllowed('GET'))
  router
    .route('/execute/:id/events')
    .all(routeName('/execute/:id/events'))
    .get(events)
    .all(methodNotAllowed('GET'))
  router
    .route('/execute/:id/ack')
    .all(routeName('/execute/:id/ack'))
    .post(acknowledge)
    .all(methodNotAllowed('POST'))
  router.route('/secrets').all(routeName('/secrets')).get(secrets).all(methodNotAllowed('GET'))
  router
    .route('/health')
    .all(routeName('/health'))
    .get(async (_request, response) => {
      const report = await deps.health()
      sendJson(response, report.database === 'ok' ? 200 : 503, report)
    })
    .all(methodNotAllowed('GET'))
  router
    .route('/metrics')
    .all(routeName('/metrics'))
    .get(async (_request, response) => {
      const page = await metrics.page()
      response.setHeader('Content-Type', metrics.contentType)
      response.end(page)
    })
    .all(methodNotAllowed('GET'))
  router
    .route('/openapi.json')
    .all(routeName('/openapi.json'))
    .get((_request, response) => sendJson(response, 200, openApi))
    .all(methodNotAllowed('GET'))
  router.use(oauthProbes)
  router.use(notFound)
  router.use(createErrorAnswer(log))
  return router
}

/** An abort that the caller's own leaving caused is nobody's error. */
const callerLeft = (error: unknown, response: Response): boolean =>
  response.destroyed && !(error instanceof AppError)

/** A dry run that is misspelt must not ask a person. */
function assertKnownQuery(request: Request): void {
  const unknown = Object.keys(request.query).find((name) => name !== 'dry_run')
  if (unknown === undefined) return
  throw new AppError(
    'invalid_request',
    `POST /execute has no parameter "${unknown.slice(0, 64)}"; it takes dry_run=1.`,
  )
}

function isDryRun(text: string | undefined): boolean {
  if (text === undefined || text === '0' || text === 'false') return false
  if (text === '1' || text === 'true') return true
  throw new AppError('invalid_request', 'dry_run takes 1 or 0.')
}

const idOf = (request: Request): string => String(request.params.id)

function headerText(request: Request, name: string): string | undefined {
  const value = request.headers[name]
  return Array.isArray(value) ? value.join(', ') : value
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
