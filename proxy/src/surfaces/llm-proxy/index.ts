export type { SharedGate } from './identity.ts'
export { createLlmProxy, type LlmProxy } from './proxy.ts'
export { LLM_ERRORS } from './refusal.ts'
