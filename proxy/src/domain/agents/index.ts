export {
  type Agent,
  type AgentRepository,
  type Agents,
  createAgents,
  type NewAgent,
  type WakeTarget,
} from './agents.ts'
