import type { IncomingMessage, ServerResponse } from 'node:http'
import express, { type Request } from 'express'
import type { Approvals } from '../../approvals/index.ts'
import { type Quorum, quorumCheck } from '../../approvals/quorum/index.ts'
import type { Trust } from '../../approvals/trust/index.ts'
import type { AuditArchiver, AuditLog, Receipts } from '../../audit/index.ts'
import type { Apps } from '../../claude-runs/apps/index.ts'
import type { RunRunner } from '../../claude-runs/index.ts'
import {
  type ClaudeRunRoutesDeps,
  claudeRunRoutes,
  claudeRunsCheck,
} from '../../claude-runs/owner-routes/index.ts'
import { ADMIN_ROUTES } from '../../contracts/admin/index.ts'
import type { Route } from '../../contracts/index.ts'
import type { Executions } from '../../executions/index.ts'
import { requestRoutes } from '../../executions/owner-routes/index.ts'
import { registryRoutes, type SkillRegistries } from '../../executions/registry/index.ts'
import { type HostedAgentRoutesDeps, hostedAgentRoutes } from '../../hosting/agents/index.ts'
import { type AgentBots, agentBotRoutes } from '../../hosting/bots/index.ts'
import { type AccountDirectory, type AccountTenant, accountRoutes } from '../../identity/accounts/index.ts'
import type { Agents } from '../../identity/agents/index.ts'
import { agentRoutes } from '../../identity/agents/index.ts'
import {
  type Action,
  type Actor,
  assertAuthorized,
  type Requesters,
  resourceOf,
} from '../../identity/index.ts'
import { type Passkeys, passkeyRoutes } from '../../identity/passkeys/index.ts'
import { type ConsoleAddress, type Sessions, sessionRoutes } from '../../identity/sessions/index.ts'
import {
  type Members,
  type QuotaAdmin,
  quotaRoutes,
  type TenantAdmin,
  tenantRoutes,
} from '../../identity/tenants/index.ts'
import type { DoctorCheck, HealthReport } from '../../kernel/index.ts'
import { AppError, type Clock, type ReadTx, type Storage } from '../../kernel/index.ts'
import type { LlmModules } from '../../llm/provider-access/index.ts'
import { keyFinder, keySharers, llmRoutes, providersCheck, viewUsage } from '../../llm/routes/index.ts'
import type { PushSubscriptions } from '../../notify/web-push/index.ts'
import type { Retention } from '../../retention/index.ts'
import type { Lockdown, Vault } from '../../vault/index.ts'
import type { AdminHandlers, Owner } from '../admin-routes/index.ts'
import { createErrorHandler, mountRoutes, type RouteCaller } from '../index.ts'
import { approvalRoutes } from './approval-routes.ts'
import { auditRoutes } from './audit-routes.ts'
import { runDoctor } from './doctor.ts'
import { lockdownCheck, lockdownRoutes } from './lockdown-routes.ts'
import { pushRoutes } from './push-routes.ts'
import { quorumRoutes } from './quorum-routes.ts'
import { receiptCheck, receiptRoutes } from './receipt-routes.ts'
import { secretRoutes } from './secret-routes.ts'
import { storageRoutes } from './storage-routes.ts'

/** What persons may do, as HTTP: one table of routes, whichever way they came by. */
export interface AdminApiDeps {
  readonly executions: Executions
  readonly approvals: Approvals
  readonly requesters: Requesters
  readonly quorum: Quorum
  readonly registries: SkillRegistries
  readonly agents: Agents
  readonly apps: Apps
  /** Null: they are off. */
  readonly claudeRuns: ClaudeRunRoutesDeps['claudeRuns']
  /** Null: of another tenant than the installation's own. */
  readonly hosting: (HostedAgentRoutesDeps['hosting'] & { readonly bots: AgentBots }) | null
  /** Where apps reach the daemon, once it listens; null while runs are off. */
  readonly appsUrl: () => string | null
  /** Networks that may call there, beside loopback. */
  readonly appsAllowedFrom: readonly string[]
  /** What carries out runs of apps; null while they are off. */
  readonly runner: Pick<RunRunner, 'status'> | null
  readonly vault: Vault
  readonly lockdown: Lockdown
  readonly hasOwnersPasskey: (tx: ReadTx) => Promise<boolean>
  readonly trust: Trust
  readonly audit: AuditLog
  readonly archiver: AuditArchiver
  readonly archiveFolder: string
  readonly receipts: Receipts
  readonly push: PushSubscriptions
  readonly retention: Pick<Retention, 'count' | 'prune' | 'size'>
  readonly keys: {
    /** Resolves to how many secrets were sealed anew. */
    rotateData(actor: Actor): Promise<number>
    rotateMaster(actor: Actor): Promise<unknown>
  }
  readonly llm: LlmModules
  readonly tenants: TenantAdmin
  readonly memberships: Pick<Members, 'list' | 'approversOf' | 'hasAccount'>
  readonly passkeys: Passkeys
  readonly sessions: Sessions
  readonly quotas: QuotaAdmin
  /** Known once all parts are joined. */
  readonly directory: () => AccountDirectory<AccountTenant>
  /** Known once the daemon listens. */
  readonly consoleAddress: () => ConsoleAddress
  /** Where agents reach the daemon; known once it listens. */
  readonly url: () => string
  /** Asked for at each visit: agents and their targets come and go. */
  readonly doctorChecks: () => readonly DoctorCheck[]
  /** Whether agents without a wake target of their own are woken at all. */
  readonly hasDefaultWake: boolean
  readonly health: () => Promise<HealthReport>
  readonly storage: Storage
  readonly clock: Clock
  readonly log: { error(details: object, message: string): void }
}

/** A 64 KiB secret of control characters takes six times its size as JSON. */
const MAX_BODY_BYTES = 512 * 1_024
/** More code than that is not under way at once. */
const RUNNING_COUNTED = 1_000

/** Every route names what its caller must be allowed to do. */
const ROUTES = ADMIN_ROUTES satisfies Readonly<Record<string, Route & { readonly action: Action }>>

export interface AdminApi {
  /**
   * Answers a caller whom the surface has authenticated; each route asks `authorize` whether they may. TOCTOU: a body may come long
   * after its head, so `by` is asked when all of it is there, and throws for whom it names no more.
   */
  handle(request: IncomingMessage, response: ServerResponse, by: () => Owner): void
}

export function createAdminApi(deps: AdminApiDeps): AdminApi {
  const { tenant } = deps.storage
  const callers = new WeakMap<IncomingMessage, () => Owner>()
  const made = new WeakMap<Owner, RouteCaller<typeof ROUTES>>()
  const callerOf = (by: Owner): RouteCaller<typeof ROUTES> => {
    const caller = made.get(by) ?? {
      handlers: adminHandlers(deps, by),
      assertAllowed: ({ action }) => assertAuthorized(by.principal, action, resourceOf(tenant, action)),
    }
    made.set(by, caller)
    return caller
  }
  const app = express()
  app.disable('x-powered-by')
  app.disable('etag')
  for (const route of Object.values(ADMIN_ROUTES)) {
    if ('maxBodyBytes' in route && !('takesBytes' in route)) {
      app.use(route.path, express.json({ limit: route.maxBodyBytes, inflate: false }))
    }
  }
  app.use(express.json({ limit: MAX_BODY_BYTES, inflate: false }))
  mountRoutes(app, ROUTES, (request) => {
    const by = callers.get(request)
    if (by === undefined) throw new AppError('unauthenticated', 'Nobody has established who asks.')
    return callerOf(by())
  })
  app.use((request: Request) => {
    throw new AppError(
      'not_found',
      `No admin route ${request.method} ${request.path}; is the daemon of the same version as what asks?`,
    )
  })
  app.use(createErrorHandler(deps.log))
  return {
    handle(request, response, by) {
      callers.set(request, by)
      app(request, response)
    },
  }
}

function adminHandlers(deps: AdminApiDeps, owner: Owner): AdminHandlers {
  const withOwner = { ...deps, owner }
  const requests = requestRoutes(withOwner)
  const llm = llmRoutes(withOwner)
  const details = {
    execution: (id: string) => requests.readRequest({ params: { id } }),
    provider_access: (id: string) => llm.readAsk({ params: { id } }),
  }
  return {
    ...generalRoutes(withOwner),
    ...secretRoutes(withOwner),
    ...quorumRoutes(withOwner),
    ...agentRoutes(withOwner),
    ...requests,
    ...approvalRoutes({ ...withOwner, details }),
    ...auditRoutes(deps),
    ...lockdownRoutes(withOwner),
    ...receiptRoutes(deps),
    ...pushRoutes(withOwner),
    ...storageRoutes(withOwner),
    ...llm,
    ...tenantRoutes(withOwner),
    ...quotaRoutes(withOwner),
    ...accountRoutes(withOwner),
    ...passkeyRoutes(withOwner),
    ...sessionRoutes(withOwner),
    ...registryRoutes(withOwner),
    ...claudeRunRoutes({
      ...withOwner,
      notesOfApps: {
        ...{ allowedFrom: deps.appsAllowedFrom, agentsSharingKey: keySharers(deps.llm, deps.agents) },
        secretNames: async () =>
          new Set((await deps.storage.read((tx) => deps.vault.list(tx))).map(({ name }) => name)),
      },
    }),
    ...agentBotRoutes(withOwner),
    ...hostedAgentRoutes({
      ...withOwner,
      async modelUsage(agent, sinceDay) {
        const [group] = await deps.llm.usage.report('agent', sinceDay, agent)
        return group && viewUsage(group)
      },
    }),
  }
}

/** The daemon's state, and its keys. */
function generalRoutes(deps: AdminApiDeps & { readonly owner: Owner }) {
  const { agents, storage, owner } = deps
  return {
    async readStatus() {
      const counts = await storage.read(async (tx) => ({
        waiting: (await deps.approvals.list(tx, { which: 'waiting' })).length,
        running: (await deps.executions.list(tx, { statuses: ['running'], limit: RUNNING_COUNTED })).length,
      }))
      return { ...(await deps.health()), url: deps.url(), pid: process.pid, ...counts }
    },

    async rotateKeys({ body: { what } }) {
      if (what === 'master') await deps.keys.rotateMaster(owner.actor)
      return { what, secrets: what === 'data' ? await deps.keys.rotateData(owner.actor) : null }
    },

    async runDoctor() {
      const { telegram } = await deps.health()
      return await runDoctor([
        ...deps.doctorChecks(),
        receiptCheck(deps.receipts),
        lockdownCheck(deps.lockdown),
        providersCheck(deps.llm, agents),
        claudeRunsCheck({ ...deps, hasKey: keyFinder(deps.llm) }),
        quorumCheck(deps),
        ...(telegram === 'disabled' ? [TELEGRAM_OFF] : []),
      ])
    },
  } satisfies Partial<AdminHandlers>
}

/** Telegram's own check exists only where it is set up; its absence is told, not left to be guessed. */
const TELEGRAM_OFF: DoctorCheck = { name: 'telegram', run: async () => ({ ok: true, said: 'not set up' }) }
