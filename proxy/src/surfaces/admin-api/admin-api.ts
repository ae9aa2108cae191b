import { userInfo } from 'node:os'
import express, { type Express, type Request } from 'express'
import { ADMIN_ROUTES } from '../../contracts/admin/index.ts'
import type { Agents } from '../../domain/agents/index.ts'
import type { AuditArchiver, AuditLog } from '../../domain/audit/index.ts'
import type { Executions } from '../../domain/executions/index.ts'
import type { DoctorCheck, HealthReport } from '../../domain/health/index.ts'
import type { LlmModules } from '../../domain/provider-access/index.ts'
import type { Retention } from '../../domain/retention/index.ts'
import type { Trust } from '../../domain/trust/index.ts'
import type { Vault } from '../../domain/vault/index.ts'
import { AppError, type Clock, SecretValue } from '../../kernel/index.ts'
import { createErrorHandler, mountRoutes } from '../http/index.ts'
import { agentRoutes } from './agent-routes.ts'
import { auditRoutes } from './audit-routes.ts'
import { runDoctor } from './doctor.ts'
import type { AdminHandlers, Owner } from './handlers.ts'
import { llmRoutes } from './llm-routes.ts'
import { providersCheck } from './providers-check.ts'
import { requestRoutes, waitingRequests } from './request-routes.ts'
import { storageRoutes } from './storage-routes.ts'
import { viewSecret } from './views.ts'

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
  readonly llm: LlmModules
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
const MAX_BODY_BYTES = 512 * 1_024

export function createAdminApi(deps: AdminApiDeps): Express {
  const owner = ownerOfThisProcess()
  const app = express()
  app.disable('x-powered-by')
  app.disable('etag')
  for (const route of Object.values(ADMIN_ROUTES)) {
    if ('maxBodyBytes' in route) {
      app.use(route.path, express.json({ limit: route.maxBodyBytes, inflate: false }))
    }
  }
  app.use(express.json({ limit: MAX_BODY_BYTES, inflate: false }))
  mountRoutes(app, ADMIN_ROUTES, adminHandlers(deps, owner))
  app.use((request: Request) => {
    throw new AppError('not_found', `No admin route ${request.method} ${request.path}.`)
  })
  app.use(createErrorHandler(deps.log))
  return app
}

function adminHandlers(deps: AdminApiDeps, owner: Owner): AdminHandlers {
  const withOwner = { ...deps, owner }
  return {
    ...generalRoutes(withOwner),
    ...agentRoutes(withOwner),
    ...requestRoutes(withOwner),
    ...auditRoutes(deps),
    ...storageRoutes(withOwner),
    ...llmRoutes(withOwner),
  }
}

/** The daemon's state, the vault and its keys. */
function generalRoutes(deps: AdminApiDeps & { readonly owner: Owner }) {
  const { executions, agents, vault, owner } = deps
  return {
    async readStatus() {
      const waiting = waitingRequests(executions).length + deps.llm.access.pending().length
      return { ...(await deps.health()), url: deps.url(), pid: process.pid, waiting }
    },

    listSecrets: () => ({ secrets: vault.list().map(viewSecret) }),
    putSecret({ params, body: { value, hosts } }) {
      return viewSecret(vault.put(params.name, new SecretValue(value), { hosts, actor: owner.actor }))
    },
    removeSecret({ params }) {
      vault.remove(params.name, owner.actor)
      return { ok: true }
    },
    renameSecret: ({ params, body }) => viewSecret(vault.rename(params.name, body.to, owner.actor)),

    async rotateKeys({ body: { what } }) {
      if (what === 'master') await deps.keys.rotateMaster(owner.actor)
      return { what, secrets: what === 'data' ? deps.keys.rotateData(owner.actor) : null }
    },

    async runDoctor() {
      const { telegram } = await deps.health()
      return await runDoctor([
        ...deps.doctorChecks(),
        providersCheck(deps.llm, agents),
        ...(telegram === 'disabled' ? [TELEGRAM_OFF] : []),
      ])
    },
  } satisfies Partial<AdminHandlers>
}

/** Telegram's own check exists only where it is set up; its absence is told, not left to be guessed. */
const TELEGRAM_OFF: DoctorCheck = { name: 'telegram', run: async () => ({ ok: true, said: 'not set up' }) }

/** Node has no SO_PEERCRED; the socket's mode admits this process's own user (and root), so that is who asks. */
function ownerOfThisProcess(): Owner {
  const uid = String(process.getuid?.() ?? 0)
  let name = `uid ${uid}`
  try {
    name = userInfo().username
  } catch {
    // A uid without a passwd entry is usual in containers.
  }
  return { uid, name, actor: `cli:${uid}` }
}
