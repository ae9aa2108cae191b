import type { AuditEventName, AuditLog } from '../audit/index.ts'
import type { Actor } from '../identity/index.ts'
import {
  AppError,
  type EventPublisher,
  type Json,
  type ReadTx,
  type RequestId,
  type Tx,
} from '../kernel/index.ts'
import type { StoredContent } from '../retention/index.ts'
import { canBecome, type Execution, type ExecutionEvent, type ExecutionStatus, isFinal } from './execution.ts'

/**
 * The one way an execution's row comes to be and changes: row, audit and whatever the subscribers of
 * `execution.changed` enqueue are one with all else that `tx` writes.
 */
export interface Ledger {
  open(tx: Tx, execution: Execution, actor: Actor, data: Json): Promise<Execution>
  transition(
    tx: Tx,
    execution: Execution,
    to: ExecutionStatus,
    change: Partial<Execution>,
    note: { event: AuditEventName; actor: Actor; data: Json },
  ): Promise<Execution>
  read(tx: ReadTx, requestId: RequestId): Promise<Execution>
}

export function createLedger(deps: {
  readonly audit: AuditLog
  readonly content: Pick<StoredContent, 'ended'>
  readonly events: EventPublisher<ExecutionEvent>
}): Ledger {
  const { audit, content, events } = deps
  return {
    async open(tx: Tx, execution, actor, data) {
      await tx.executions.insert(execution)
      await audit.append(tx, 'request.received', actor, execution.requestId, data)
      await events.publish(tx, { type: 'execution.changed', execution, from: null })
      return execution
    },
    async transition(tx: Tx, execution, to, change, note) {
      if (!canBecome(execution.status, to)) {
        throw new AppError('conflict', `The execution is ${execution.status} and cannot become ${to}.`)
      }
      const changed: Execution = { ...execution, ...change, status: to }
      await tx.executions.update(changed)
      const how = { ran: changed.startedAt !== null, byGrant: changed.trusted }
      if (isFinal(to)) await content.ended(tx, changed.agentId, changed.codeHash, how)
      await audit.append(tx, note.event, note.actor, execution.requestId, note.data)
      await events.publish(tx, { type: 'execution.changed', execution: changed, from: execution.status })
      return changed
    },
    async read(tx: ReadTx, requestId) {
      const execution = await tx.executions.byRequestId(requestId)
      if (!execution) throw new AppError('not_found', 'No such execution.')
      return execution
    },
  }
}
