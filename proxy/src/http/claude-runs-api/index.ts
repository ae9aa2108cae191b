export { type ClaudeRunsApiDeps, createClaudeRunsApi } from './api.ts'
export { createClaudeRunsOpenApi } from './openapi.ts'
