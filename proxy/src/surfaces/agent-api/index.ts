export { createAgentApi, readBody } from './api.ts'
export { parseJsonBody } from './body.ts'
export {
  callerGone,
  createEdge,
  createErrorAnswer,
  methodNotAllowed,
  routeName,
  sendJson,
  withIssues,
} from './edge.ts'
export { explainExecution } from './explain.ts'
export { createForAgent } from './for-agent.ts'
export { type AgentGate, createAgentGate } from './gate.ts'
export { countTransition, createMetrics, METRICS, type Metrics } from './metrics.ts'
export { createOpenApi } from './openapi.ts'
export { invalidBody } from './request-schema.ts'
export { secretsOf } from './secrets.ts'
export { createSeen } from './seen.ts'
export { submitExecution } from './submit.ts'
export { viewOf } from './views.ts'
