import type { AuditSubject, SubjectOf } from '../audit/index.ts'
import { AppError, type RequestId } from '../kernel/index.ts'
import { namesOf } from './audit-facts.ts'
import type { Executions } from './executions.ts'

/** For searches of the audit: what each execution is about, read once. Null where nothing says so any more. */
export function createAuditSubjects(executions: Pick<Executions, 'find' | 'consentOf'>): SubjectOf {
  const known = new Map<string, AuditSubject | null>()
  const read: SubjectOf = async (tx, requestId) => {
    const execution = await executions.find(tx, requestId as RequestId)
    if (!execution) return subjectIn((await tx.audit.firstOf(requestId))?.data)
    const { agentId } = execution
    try {
      return { agentId, ...namesOf(executions.consentOf(execution)) }
    } catch (error) {
      // A consent that cannot be read hides no row of its agent.
      if (error instanceof AppError)
        return subjectIn((await tx.audit.firstOf(requestId))?.data) ?? { agentId, secrets: [], hosts: [] }
      throw error
    }
  }
  return async (tx, requestId) => {
    const before = known.get(requestId)
    if (before !== undefined) return before
    const subject = await read(tx, requestId)
    known.set(requestId, subject)
    return subject
  }
}

/** Of the row of `auditFactsOf`; null for one of a version that did not write them. */
function subjectIn(data: string | undefined): AuditSubject | null {
  if (data === undefined) return null
  const { agent_id: agentId, secrets, hosts } = JSON.parse(data) as Readonly<Record<string, unknown>>
  return typeof agentId === 'string' && isTexts(secrets) && isTexts(hosts)
    ? { agentId, secrets, hosts }
    : null
}

const isTexts = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every((one) => typeof one === 'string')
