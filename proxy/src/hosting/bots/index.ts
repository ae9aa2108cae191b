export { agentBotRoutes } from './agent-bot-routes.ts'
export { createAgentBotStore } from './agent-bot-store.ts'
export { type AgentBots, type BotView, createAgentBots, resealBotTokens } from './agent-bots.ts'
