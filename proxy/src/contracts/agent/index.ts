export { executeBody, executeBodyWith } from './execute-body.ts'
export { explanationView } from './explanation.ts'
export { MAX_WAIT_SECONDS, waitProblem, wholeNumberIn } from './queries.ts'
export { AGENT_ROUTES, type AgentRoutes, ALWAYS_REFUSED } from './routes.ts'
export {
  type askEntry,
  executionView,
  healthView,
  listView,
  type networkView,
  requestsView,
  requestView,
  secretsView,
  summaryView,
} from './views.ts'
