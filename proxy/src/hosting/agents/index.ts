export { type HostedAgentRoutesDeps, hostedAgentRoutes } from './hosted-agent-routes.ts'
export { createHostedAgents, type HostedAgent, type HostedAgents } from './hosted-agents.ts'
export { openMachineEgress } from './machine-egress.ts'
