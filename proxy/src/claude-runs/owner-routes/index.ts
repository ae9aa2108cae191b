export { type ClaudeRunRoutesDeps, claudeRunRoutes } from './claude-run-routes.ts'
export { claudeRunsCheck } from './runs-check.ts'
