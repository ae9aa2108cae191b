import type { AuditSubject, SubjectOf } from '../audit/index.ts'
import { AppError, type RequestId } from '../kernel/index.ts'
import type { Executions } from './executions.ts'

/** For searches of the audit: what each execution is about, read once. Null where it is not kept any more. */
export function createAuditSubjects(executions: Pick<Executions, 'find' | 'consentOf'>): SubjectOf {
  const known = new Map<string, AuditSubject | null>()
  const read: SubjectOf = async (tx, requestId) => {
    const execution = await executions.find(tx, requestId as RequestId)
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
  return async (tx, requestId) => {
    const before = known.get(requestId)
    if (before !== undefined) return before
    const subject = await read(tx, requestId)
    known.set(requestId, subject)
    return subject
  }
}
