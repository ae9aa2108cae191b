export { agentRoutes } from './agent-routes.ts'
export { createAgentStore } from './agent-store.ts'
export {
  type Agent,
  type AgentEvent,
  type Agents,
  assertNotRevoked,
  bearerToken,
  canonicalTags,
  createAgents,
  isRevoked,
  type NewAgent,
  ownKeyCommands,
  type WakeTarget,
} from './agents.ts'
