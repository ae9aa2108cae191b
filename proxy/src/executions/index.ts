export { createAuditSubjects } from './audit-subjects.ts'
export { createChanges } from './changes.ts'
export {
  approvalStateOf,
  EXECUTION_STATES,
  type Execution,
  type ExecutionEvent,
  type ExecutionFilter,
  type ExecutionStatus,
  type ExecutionSummary,
  FAILURE_CODES,
  type FailureCode,
  isFinal,
  type RunResult,
  WAITING_STATES,
} from './execution.ts'
export { describeDecision } from './execution-outcome.ts'
export { createExecutionStore } from './execution-store.ts'
export { createExecutions, type Executions } from './executions.ts'
export type { Explanation } from './explain.ts'
export { createLedger } from './ledger.ts'
export type { ExecuteRequest, RequestedSecret } from './request.ts'
export type { NetworkEntry } from './requested-hosts.ts'
export { createRunPlaces, type RunPlaces } from './run-places.ts'
export { createRuns, type Runs } from './runs.ts'
export { createAwaitedHosts } from './supply-secret.ts'
