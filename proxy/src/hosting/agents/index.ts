export { type HostedAgentRoutesDeps, hostedAgentRoutes } from './hosted-agent-routes.ts'
export { createHostedAgents, type HostedAgent, type HostedAgents, type MachineCare } from './hosted-agents.ts'
export { openMachineEgress } from './machine-egress.ts'
