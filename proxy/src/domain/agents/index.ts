export {
  type Agent,
  type AgentEvent,
  type AgentRepository,
  type Agents,
  canonicalTags,
  createAgents,
  type NewAgent,
  type WakeTarget,
} from './agents.ts'
