export { type Changes, createChanges } from './changes.ts'
export {
  EXECUTION_STATES,
  type Execution,
  type ExecutionFilter,
  type ExecutionObserver,
  type ExecutionRepository,
  type ExecutionStatus,
  type ExecutionSummary,
  FAILURE_CODES,
  type FailureCode,
  type IdempotencyEntry,
  isFinal,
  type RunResult,
} from './execution.ts'
export { createExecutions, type DecisionOutcome, type Executions, type ExecutionsDeps } from './executions.ts'
export { createLedger, type Ledger } from './ledger.ts'
export { type ExecuteRequest, type RequestedSecret, RUN_DEFAULTS } from './request.ts'
export { createRuns, type Runs, type RunsDeps } from './runs.ts'
export {
  type OutputStream,
  type RunEnd,
  type RunHooks,
  type RunLimits,
  type RunOrder,
  type RunOutcome,
  type RuntimeInfo,
  type Sandbox,
  type SandboxStatus,
  SandboxUnavailable,
} from './sandbox-port.ts'
