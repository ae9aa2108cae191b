export { createAgentApi, readBody } from './api.ts'
export { parseJsonBody } from './body.ts'
export {
  appErrorOf,
  callerGone,
  createEdge,
  createErrorAnswer,
  methodNotAllowed,
  routeName,
  sendError,
  sendJson,
  withIssues,
} from './edge.ts'
export { explainExecution, explanationView } from './explain.ts'
export { type AgentGate, createAgentGate } from './gate.ts'
export { createMetrics, createMetricsObserver, METRICS, type Metrics } from './metrics.ts'
export { createOpenApi } from './openapi.ts'
export { executeBody, invalidBody } from './request-schema.ts'
export { secretsOf, secretsView } from './secrets.ts'
export { createSeen } from './seen.ts'
export { submitExecution } from './submit.ts'
export { executionView, viewOf } from './views.ts'
