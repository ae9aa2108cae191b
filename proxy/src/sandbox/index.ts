export {
  type OutputStream,
  RUN_DEFAULTS,
  type RunHooks,
  type RunKind,
  type RunLimits,
  type RunOrder,
  type RunOutcome,
  type RuntimeInfo,
  type Sandbox,
  type SandboxClaim,
  type SandboxStatus,
  SandboxUnavailable,
} from './sandbox-port.ts'
