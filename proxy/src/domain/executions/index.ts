export { createChanges } from './changes.ts'
export {
  EXECUTION_STATES,
  type Execution,
  type ExecutionEvent,
  type ExecutionFilter,
  type ExecutionRepository,
  type ExecutionStatus,
  type ExecutionSummary,
  FAILURE_CODES,
  type FailureCode,
  isFinal,
  type RunResult,
  WAITING_STATES,
} from './execution.ts'
export { describeDecision } from './execution-approval.ts'
export { createExecutions, type Executions } from './executions.ts'
export type { Explanation } from './explain.ts'
export { createLedger } from './ledger.ts'
export { type ExecuteRequest, type RequestedSecret, RUN_DEFAULTS } from './request.ts'
export type { NetworkEntry } from './requested-hosts.ts'
export { createRuns } from './runs.ts'
export {
  type OutputStream,
  type RunHooks,
  type RunLimits,
  type RunOrder,
  type RunOutcome,
  type Sandbox,
  type SandboxStatus,
  SandboxUnavailable,
} from './sandbox-port.ts'
export { createAwaitedHosts } from './supply-secret.ts'
