import {
  AUDIT_EVENTS,
  type AuditFilter,
  type AuditLog,
  agentOfRow,
  type StoredAuditRow,
} from '../../audit/index.ts'
import { createAuditSubjects, type Executions } from '../../executions/index.ts'
import type { Agents } from '../../identity/agents/index.ts'
import { describeActor } from '../../identity/index.ts'
import { type AgentId, AppError, type ReadTx, type Storage } from '../../kernel/index.ts'
import type { AdminHandlers } from '../admin-routes/index.ts'
import { viewAuditRow } from './views.ts'

export interface AuditRoutesDeps {
  readonly audit: Pick<AuditLog, 'search' | 'export'>
  readonly agents: Pick<Agents, 'list' | 'byId'>
  readonly executions: Pick<Executions, 'find' | 'consentOf'>
  readonly storage: Pick<Storage, 'read'>
}

/** The audit by agent, event, secret, host and time, with the names of agents in the place of their ids. */
export function auditRoutes({ audit, agents, executions, storage }: AuditRoutesDeps) {
  const nameOf = (id: string): string => agents.byId(id as AgentId)?.name ?? id
  return {
    async searchAudit({ query }) {
      const { limit, before, agent, event = null, secret = null, host = null } = query
      const { since = null, until = null, request: requestId = null } = query
      if (event !== null) assertEvent(event)
      const agentIds = agent === undefined ? null : idsOf(agent, agents)
      const filter: AuditFilter = { agentIds, event, secret, host, requestId, since, until }
      const subjectOf = createAuditSubjects(executions)
      const page = { before: before ?? Number.MAX_SAFE_INTEGER, limit }
      const { rows, next } = await audit.search(filter, page, subjectOf)
      const view = async (tx: ReadTx, row: StoredAuditRow) => {
        const about = agentOfRow(row, row.requestId === null ? null : await subjectOf(tx, row.requestId))
        return {
          ...viewAuditRow(row),
          who: describeActor(row.actor, nameOf),
          agent: about === null ? null : nameOf(about),
        }
      }
      return await storage.read(async (tx) => {
        const viewed: Awaited<ReturnType<typeof view>>[] = []
        for (const row of rows) viewed.push(await view(tx, row))
        return { rows: viewed, next }
      })
    },
    async *exportAudit() {
      for await (const row of audit.export()) yield viewAuditRow(row)
    },
  } satisfies Partial<AdminHandlers>
}

/** A filter that fits nothing is told, rather than answered with nothing: nobody takes a typing error for innocence. */
function assertEvent(event: string): void {
  const isKnown = Object.keys(AUDIT_EVENTS).some((name) => name === event || name.startsWith(`${event}.`))
  if (!isKnown)
    throw new AppError('invalid_request', `There is no event "${event}"; see docs/reference/audit-events.md.`)
}

function idsOf(nameOrId: string, agents: AuditRoutesDeps['agents']): ReadonlySet<string> {
  const ids = agents.list().flatMap(({ id, name }) => (name === nameOrId || id === nameOrId ? [id] : []))
  if (ids.length === 0) throw new AppError('not_found', `No agent is or was named ${nameOrId}.`)
  return new Set(ids)
}
