export {
  type Agent,
  type AgentRepository,
  type Agents,
  canonicalTags,
  createAgents,
  type NewAgent,
  type WakeTarget,
} from './agents.ts'
