export { answered, CALL_TIMEOUT_MS, EngineTimeout, engineStatus, type Wait } from './engine-call.ts'
export { createEngineClient } from './engine-client.ts'
export {
  hardenedHostConfig,
  readOnlyMount,
  resourceLimits,
  SANDBOX_USER,
  SANDBOX_USER_ID,
} from './hardening.ts'
export { createHostPaths } from './host-path.ts'
export { LABEL_INSTANCE, LABEL_ROLE, ownLabels } from './labels.ts'
export type { SeccompChoice } from './seccomp-profile.ts'
