export { createClaudeRunStore } from './claude-run-store.ts'
export type { ModelAccess, ModelUsage, Run, RunBudget, RunFilter, RunModel } from './ports.ts'
