export type { SharedGate } from './identity.ts'
export type { HoldTimes } from './patience.ts'
export { createLlmProxy, type LlmProxy } from './proxy.ts'
export { LLM_ERRORS } from './refusal.ts'
