export { type ClaudeRunRoutesDeps, claudeRunRoutes } from './claude-run-routes.ts'
