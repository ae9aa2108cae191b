import { userInfo } from 'node:os'
import express, { type ErrorRequestHandler, type Express, type Request, type Response } from 'express'
import type { z } from 'zod'
import type { Agents, WakeTarget } from '../../domain/agents/index.ts'
import type { AuditArchiver, AuditLog } from '../../domain/audit/index.ts'
import { type DecisionOutcome, type Executions, WAITING_STATES } from '../../domain/executions/index.ts'
import type { DoctorCheck, HealthReport } from '../../domain/health/index.ts'
import type { LlmRooms } from '../../domain/provider-access/index.ts'
import type { Retention } from '../../domain/retention/index.ts'
import type { Trust } from '../../domain/trust/index.ts'
import type { Vault } from '../../domain/vault/index.ts'
import { type AgentId, AppError, asAppError, type Clock, oneLine, SecretValue } from '../../kernel/index.ts'
import { addAuditRoutes } from './audit-routes.ts'
import { runDoctor } from './doctor.ts'
import { explainProgram } from './explain.ts'
import { addLlmRoutes } from './llm-routes.ts'
import { parse, wholeNumber } from './parse.ts'
import { providersCheck } from './providers-check.ts'
import { addStorageRoutes } from './storage-routes.ts'
import {
  viewAgent,
  viewAuditRow,
  viewCard,
  viewGrant,
  viewRequest,
  viewSecret,
  viewSummary,
} from './views.ts'
import {
  addAgentBody,
  agentTagsBody,
  decisionBody,
  explainBody,
  MAX_REASON_CHARS,
  putSecretBody,
  renameSecretBody,
  rotateAgentBody,
  rotateKeysBody,
} from './wire.ts'

/**
 * What the owner of this host may do, as HTTP on a unix socket. There is no token: whoever may open the socket
 * (mode 0600, so the daemon's own user and root) is the owner, and nobody else gets this far.
 */
export interface AdminApiDeps {
  readonly executions: Executions
  readonly agents: Agents
  readonly vault: Vault
  readonly trust: Trust
  readonly audit: AuditLog
  readonly archiver: AuditArchiver
  readonly archiveFolder: string
  readonly retention: Pick<Retention, 'count' | 'prune' | 'size'>
  readonly keys: {
    /** Resolves to how many secrets were sealed anew. */
    rotateData(actor: string): number
    rotateMaster(actor: string): Promise<unknown>
  }
  readonly llm: LlmRooms
  /** Where agents reach the daemon; known once it listens. */
  readonly url: () => string
  /** Asked for at each visit: agents and their targets come and go. */
  readonly doctorChecks: () => readonly DoctorCheck[]
  /** Whether agents without a wake target of their own are woken at all. */
  readonly hasDefaultWake: boolean
  readonly health: () => Promise<HealthReport>
  readonly clock: Clock
  readonly log: { error(details: object, message: string): void }
}

/** A 64 KiB secret of control characters takes six times its size as JSON. */
const BODY_LIMIT = '512kb'
/** 1 MiB of code, every character of it escaped. */
const CODE_LIMIT = '8mb'
const LIST_LIMIT = 200
const EXPLAIN_MS = 30_000
const EXPORT_BATCH_ROWS = 500

export function createAdminApi(deps: AdminApiDeps): Express {
  const { executions, agents, vault, trust, audit } = deps
  const owner = ownerOfThisProcess()
  const app = express()
  app.disable('x-powered-by')
  app.disable('etag')
  // A program is larger than anything else that is sent here.
  app.use('/v1/explain', express.json({ limit: CODE_LIMIT, inflate: false }))
  app.use(express.json({ limit: BODY_LIMIT, inflate: false }))

  app.get('/v1/status', async (_request, response) => {
    const waiting = waitingRequests(executions).length + deps.llm.access.pending().length
    response.json({ ...(await deps.health()), url: deps.url(), pid: process.pid, waiting })
  })

  app.get('/v1/secrets', (_request, response) => {
    response.json({ secrets: vault.list().map(viewSecret) })
  })
  app.put('/v1/secrets/:name', (request, response) => {
    const { value, hosts } = parse(putSecretBody, request.body)
    const record = vault.put(request.params.name, new SecretValue(value), { hosts, actor: owner.actor })
    response.json(viewSecret(record))
  })
  app.delete('/v1/secrets/:name', (request, response) => {
    vault.remove(request.params.name, owner.actor)
    response.json({ ok: true })
  })
  app.post('/v1/secrets/:name/rename', (request, response) => {
    const { to } = parse(renameSecretBody, request.body)
    response.json(viewSecret(vault.rename(request.params.name, to, owner.actor)))
  })

  app.get('/v1/agents', (_request, response) => {
    response.json({ agents: agents.list().map(viewAgent), has_default_wake: deps.hasDefaultWake })
  })
  app.post('/v1/agents', (request, response) => {
    const { name, cidrs, tags, wake } = parse(addAgentBody, request.body)
    if (wake) assertWake(wake)
    const wakeOf = (id: AgentId): WakeTarget | null =>
      wake
        ? {
            kind: wake.kind,
            target: wake.target,
            sessionKey: wake.session_key ?? null,
            sealedToken:
              wake.token === undefined
                ? null
                : vault.sealFor(`agent-wake:${id}`, new SecretValue(wake.token)),
          }
        : null
    const added = agents.add({ name, cidrs, tags, wake: wakeOf }, owner.actor)
    response.json({ agent: viewAgent(added.agent), token: added.token, url: deps.url() })
  })
  app.put('/v1/agents/:name/tags', (request, response) => {
    const { tags } = parse(agentTagsBody, request.body)
    assertNotRevoked(agents, request.params.name)
    response.json(viewAgent(agents.setTags(request.params.name, tags, owner.actor)))
  })
  app.post('/v1/agents/:name/token', (request, response) => {
    const { overlap_ms } = parse(rotateAgentBody, request.body)
    assertNotRevoked(agents, request.params.name)
    const rotated = agents.rotate(request.params.name, overlap_ms, owner.actor)
    response.json({ agent: viewAgent(rotated.agent), token: rotated.token, url: deps.url() })
  })
  app.delete('/v1/agents/:name', (request, response) => {
    assertNotRevoked(agents, request.params.name)
    agents.revoke(request.params.name, owner.actor)
    response.json({ ok: true })
  })

  app.get('/v1/requests', (request, response) => {
    const all = request.query.all === '1'
    const rows = all ? executions.list({ limit: LIST_LIMIT }) : waitingRequests(executions)
    const nameOf = (id: AgentId): string => agents.byId(id)?.name ?? id
    response.json({ requests: rows.map((row) => viewSummary(row, nameOf(row.agentId))) })
  })
  app.post('/v1/explain', async (request, response) => {
    const body = parse(explainBody, request.body)
    const { card, trusted } = await explainProgram(executions, body, AbortSignal.timeout(EXPLAIN_MS))
    response.json({ card: viewCard(card), trusted })
  })
  app.get('/v1/requests/:id', (request, response) => {
    response.json(viewRequest(executions, executions.resolve(request.params.id)))
  })
  app.post('/v1/requests/:id/decision', (request, response) => {
    const { decision, consent_hash, reason } = parse(decisionBody, request.body)
    if (reason !== undefined && decision !== 'deny') {
      throw new AppError('invalid_request', 'A reason goes with a denial.')
    }
    const execution = executions.resolve(request.params.id)
    if (decision.endsWith('_any') && executions.consentOf(execution).args === null) {
      throw new AppError('invalid_request', 'The request has no args, so there are none to allow any of.')
    }
    const approver = { via: 'cli', userId: owner.uid, name: owner.name } as const
    const words = reason === undefined ? null : oneLine(reason, MAX_REASON_CHARS)
    const outcome = executions.decide(execution.requestId, consent_hash, decision, approver, words)
    if (!outcome.accepted) {
      throw new AppError('refused', refusalText(outcome.reason, outcome.execution.status), {
        details: { reason: outcome.reason, status: outcome.execution.status },
      })
    }
    response.json(viewRequest(executions, outcome.execution))
  })

  app.get('/v1/trust', (_request, response) => {
    response.json({ grants: trust.list().map(viewGrant) })
  })
  app.delete('/v1/trust/:id', (request, response) => {
    response.json(viewGrant(trust.revoke(wholeNumber(request.params.id, 'A grant'), owner.actor)))
  })

  addAuditRoutes(app, deps)
  app.get('/v1/audit/export', (_request, response) => streamAudit(audit, response))

  addStorageRoutes(app, { ...deps, owner })

  app.post('/v1/keys/rotate', async (request, response) => {
    const { what } = parse(rotateKeysBody, request.body)
    if (what === 'master') await deps.keys.rotateMaster(owner.actor)
    const secrets = what === 'data' ? deps.keys.rotateData(owner.actor) : null
    response.json({ what, secrets })
  })

  app.post('/v1/doctor', async (_request, response) => {
    const { telegram } = await deps.health()
    response.json(
      await runDoctor([
        ...deps.doctorChecks(),
        providersCheck(deps.llm, agents),
        ...(telegram === 'disabled' ? [TELEGRAM_OFF] : []),
      ]),
    )
  })

  addLlmRoutes(app, { llm: deps.llm, agents, clock: deps.clock, owner })

  app.use((request: Request) => {
    throw new AppError('not_found', `No admin route ${request.method} ${request.path}.`)
  })
  app.use(errorAnswer(deps.log))
  return app
}

/** Telegram's own check exists only where it is set up; its absence is told, not left to be guessed. */
const TELEGRAM_OFF: DoctorCheck = { name: 'telegram', run: async () => ({ ok: true, said: 'not set up' }) }

/** A clearer refusal than that nobody has the name. */
function assertNotRevoked(agents: Agents, name: string): void {
  const named = agents.list().filter((agent) => agent.name === name)
  if (named.length > 0 && named.every((agent) => agent.revokedAt !== null)) {
    throw new AppError('not_found', `${name} was already revoked.`)
  }
}

/** Node has no SO_PEERCRED; the socket's mode admits this process's own user (and root), so that is who asks. */
function ownerOfThisProcess(): { uid: string; name: string; actor: string } {
  const uid = String(process.getuid?.() ?? 0)
  let name = `uid ${uid}`
  try {
    name = userInfo().username
  } catch {
    // A uid without a passwd entry is usual in containers.
  }
  return { uid, name, actor: `cli:${uid}` }
}

const waitingRequests = (executions: Executions) =>
  executions.list({ statuses: WAITING_STATES, limit: LIST_LIMIT })

function assertWake(wake: z.output<typeof addAgentBody>['wake'] & object): void {
  if (wake.kind === 'openclaw-cli') {
    if (wake.token !== undefined) throw new AppError('invalid_request', 'openclaw-cli takes no wake token.')
    return
  }
  const url = URL.canParse(wake.target) ? new URL(wake.target) : undefined
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:') {
    throw new AppError('invalid_request', `The wake target of ${wake.kind} is an http(s) address.`)
  }
  if (url.username !== '' || url.password !== '') {
    throw new AppError('invalid_request', 'The wake target holds credentials; give them as the wake token.')
  }
  if (wake.token === undefined) throw new AppError('invalid_request', `${wake.kind} needs a wake token.`)
}

function refusalText(
  reason: Extract<DecisionOutcome, { accepted: false }>['reason'],
  status: string,
): string {
  if (reason === 'expired') return 'The request has expired.'
  if (reason === 'not_offered') return 'The request has no args, so there are no other args to approve.'
  if (reason === 'other_consent')
    return 'The consent is not the one that was shown; look at the request again.'
  return `The request is not waiting for a decision: it is ${status}.`
}

/** JSON Lines, read in batches, so that a long audit neither fills memory nor holds up the daemon. */
async function streamAudit(audit: AuditLog, response: Response): Promise<void> {
  response.type('application/x-ndjson')
  let batch: string[] = []
  const send = async (): Promise<void> => {
    const isFlushed = response.write(batch.join(''))
    batch = []
    await new Promise<void>((resolve) => {
      if (isFlushed || response.destroyed) setImmediate(resolve)
      else response.once('drain', resolve).once('close', resolve)
    })
  }
  for (const row of audit.export()) {
    if (response.destroyed) return
    batch.push(`${JSON.stringify(viewAuditRow(row))}\n`)
    if (batch.length >= EXPORT_BATCH_ROWS) await send()
  }
  if (batch.length > 0) await send()
  response.end()
}

/** The one error shape; what is not an AppError is a defect, told to the log and not to the caller. */
function errorAnswer(log: AdminApiDeps['log']): ErrorRequestHandler {
  return (error: unknown, request, response, next) => {
    if (response.headersSent) return next(error)
    const known = asAppError(error, BODY_LIMIT)
    if (known.code === 'internal') log.error({ err: error, path: request.path }, 'an admin request failed')
    response.status(known.status).json(known.toBody())
  }
}
