export { answered, CALL_TIMEOUT_MS, EngineTimeout } from './engine-call.ts'
export { createEngineClient } from './engine-client.ts'
export { type SeccompChoice, seccompOption } from './seccomp-profile.ts'
