export type { RunToolCalls, ToolCalls, ToolRun } from './ports.ts'
export { createToolCallStore } from './tool-call-store.ts'
export { createToolCalls } from './tool-calls.ts'
