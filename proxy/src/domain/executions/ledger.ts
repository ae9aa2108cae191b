import { AppError, type EventPublisher, type Json, type RequestId } from '../../kernel/index.ts'
import type { AuditEventName, AuditLog } from '../audit/index.ts'
import type { StoredContent } from '../retention/index.ts'
import {
  canBecome,
  type Execution,
  type ExecutionEvent,
  type ExecutionRepository,
  type ExecutionStatus,
  isFinal,
} from './execution.ts'

/**
 * The one way an execution's row comes to be and changes. Each call belongs inside a transaction: row, audit
 * and whatever the subscribers of `execution.changed` enqueue are then one.
 */
export interface Ledger {
  open(execution: Execution, actor: string, data: Json): Execution
  move(
    execution: Execution,
    to: ExecutionStatus,
    change: Partial<Execution>,
    note: { event: AuditEventName; actor: string; data: Json },
  ): Execution
  read(requestId: RequestId): Execution
}

export function createLedger(deps: {
  readonly repository: ExecutionRepository
  readonly audit: AuditLog
  readonly content: Pick<StoredContent, 'ended'>
  readonly events: EventPublisher<ExecutionEvent>
}): Ledger {
  const { repository, audit, content, events } = deps
  return {
    open(execution, actor, data) {
      repository.insert(execution)
      audit.append('request.received', actor, execution.requestId, data)
      events.publish({ type: 'execution.changed', execution, from: null })
      return execution
    },
    move(execution, to, change, note) {
      if (!canBecome(execution.status, to)) {
        throw new AppError('conflict', `The execution is ${execution.status} and cannot become ${to}.`)
      }
      const moved: Execution = { ...execution, ...change, status: to }
      repository.update(moved)
      const how = { ran: moved.startedAt !== null, byGrant: moved.trusted }
      if (isFinal(to)) content.ended(moved.agentId, moved.codeHash, how)
      audit.append(note.event, note.actor, execution.requestId, note.data)
      events.publish({ type: 'execution.changed', execution: moved, from: execution.status })
      return moved
    },
    read(requestId) {
      const execution = repository.byRequestId(requestId)
      if (!execution) throw new AppError('not_found', 'No such execution.')
      return execution
    },
  }
}
