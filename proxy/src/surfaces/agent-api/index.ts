export { type AgentApiDeps, createAgentApi, readBody } from './api.ts'
export { parseJsonBody } from './body.ts'
export {
  asAppError,
  callerGone,
  createEdge,
  createErrorAnswer,
  methodNotAllowed,
  routeName,
  sendError,
  withIssues,
} from './edge.ts'
export { type AgentGate, createAgentGate, type GateDeps } from './gate.ts'
export { createMetrics, createMetricsObserver, METRICS, type Metrics, type MetricSources } from './metrics.ts'
export { createOpenApi } from './openapi.ts'
export { executeBody, invalidBody } from './request-schema.ts'
export { submitExecution } from './submit.ts'
export { executionView, viewOf } from './views.ts'
