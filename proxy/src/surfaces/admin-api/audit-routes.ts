import type { Agents } from '../../domain/agents/index.ts'
import {
  AUDIT_EVENTS,
  type AuditFilter,
  type AuditLog,
  type AuditPage,
  type AuditSubject,
  agentOfRow,
} from '../../domain/audit/index.ts'
import type { Executions } from '../../domain/executions/index.ts'
import { type AgentId, AppError, type RequestId } from '../../kernel/index.ts'
import type { AdminHandlers } from './handlers.ts'
import { viewAuditRow } from './views.ts'

export interface AuditRoutesDeps {
  readonly audit: Pick<AuditLog, 'searchSteps' | 'export'>
  readonly agents: Pick<Agents, 'list' | 'byId'>
  readonly executions: Pick<Executions, 'find' | 'consentOf'>
}

/** The audit by agent, event, secret, host and time, with the names of agents in the place of their ids. */
export function auditRoutes({ audit, agents, executions }: AuditRoutesDeps) {
  const nameOf = (id: string): string => agents.byId(id as AgentId)?.name ?? id
  return {
    async searchAudit({ query }) {
      const { limit, before, agent, event = null, secret = null, host = null } = query
      const { since = null, until = null } = query
      if (event !== null) assertEvent(event)
      const agentIds = agent === undefined ? null : idsOf(agent, agents)
      const filter: AuditFilter = { agentIds, event, secret, host, since, until }
      const subjectOf = createSubjects(executions)
      const { rows, next } = await stepped(
        audit.searchSteps(filter, { before: before ?? Number.MAX_SAFE_INTEGER, limit }, subjectOf),
      )
      return {
        rows: rows.map((row) => {
          const about = agentOfRow(row, row.requestId === null ? null : subjectOf(row.requestId))
          return {
            ...viewAuditRow(row),
            who: row.actor.startsWith('agent:')
              ? `agent:${nameOf(row.actor.slice('agent:'.length))}`
              : row.actor,
            agent: about === null ? null : nameOf(about),
          }
        }),
        next,
      }
    },
    *exportAudit() {
      for (const row of audit.export()) yield viewAuditRow(row)
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

/** Each execution is read once an answer; null where it is not kept any more. */
function createSubjects(
  executions: AuditRoutesDeps['executions'],
): (requestId: string) => AuditSubject | null {
  const known = new Map<string, AuditSubject | null>()
  const read = (requestId: string): AuditSubject | null => {
    const execution = executions.find(requestId as RequestId)
    if (!execution) return null
    const { agentId } = execution
    try {
      const { secrets, network } = executions.consentOf(execution)
      return { agentId, secrets: secrets.map(({ name }) => name), hosts: network.map(({ host }) => host) }
    } catch (error) {
      // A consent that cannot be read hides no row of its agent.
      if (error instanceof AppError) return { agentId, secrets: [], hosts: [] }
      throw error
    }
  }
  return (requestId) => {
    const before = known.get(requestId)
    if (before !== undefined) return before
    const subject = read(requestId)
    known.set(requestId, subject)
    return subject
  }
}

async function stepped(steps: Generator<void, AuditPage>): Promise<AuditPage> {
  for (let step = steps.next(); ; step = steps.next()) {
    if (step.done) return step.value
    await new Promise((resolve) => setImmediate(resolve))
  }
}
