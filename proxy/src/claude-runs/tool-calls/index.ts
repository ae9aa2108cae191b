export type { RunToolCalls, ToolCalls } from './ports.ts'
export { createToolCallStore } from './tool-call-store.ts'
export { createToolCalls } from './tool-calls.ts'
export { beginWalled, mayOpenWall } from './walls.ts'
