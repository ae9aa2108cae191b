export { agentBotRoutes } from './agent-bot-routes.ts'
export { createAgentBotStore } from './agent-bot-store.ts'
export { type AgentBots, createAgentBots, resealBotTokens } from './agent-bots.ts'
export { viewBot, viewBotCode } from './bot-views.ts'
