export { type AgentPages, createAgentPages } from './agent-pages.ts'
