export { createAgentApi, readBody } from './api.ts'
export { parseJsonBody } from './body.ts'
export {
  createEdge,
  createErrorAnswer,
  methodNotAllowed,
  routeName,
  sendJson,
  withIssues,
} from './edge.ts'
export { type AgentCaller, createForAgent } from './for-agent.ts'
export { type AgentGate, createAgentGate } from './gate.ts'
export { createLimits, type Limits } from './limits.ts'
export { countTransition, createMetrics, METRICS, type Metrics } from './metrics.ts'
export { mountScopedRoutes, type ScopedHandlers } from './mount-scoped-routes.ts'
export { createOpenApi } from './openapi.ts'
export { secretsOf } from './secrets.ts'
