import type { AdminHandlers, Owner } from '../../http/admin-routes/index.ts'
import { SecretValue } from '../../kernel/index.ts'
import { hostedHere } from '../agents/index.ts'
import type { AgentBots } from './agent-bots.ts'
import { viewBot, viewBotCode } from './bot-views.ts'

export function agentBotRoutes(deps: {
  /** Null: where no agents are hosted. */
  readonly hosting: { readonly bots: AgentBots } | null
  readonly owner: Owner
}) {
  const { owner } = deps
  const bots = (): AgentBots => hostedHere(deps.hosting).bots
  return {
    async readBot({ params: { name } }) {
      const bot = await bots().show(name)
      return { bot: bot && viewBot(bot) }
    },
    addBot: async ({ params: { name }, body: { token } }) => ({
      bot: viewBot(await bots().add(name, new SecretValue(token), owner.principal)),
    }),
    makeBotCode: async ({ params: { name } }) => viewBotCode(await bots().newCode(name, owner.principal)),
    unpairBotChat: async ({ params: { name, id } }) => ({
      bot: viewBot(await bots().unpair(name, id, owner.principal)),
    }),
    async removeBot({ params: { name } }) {
      await bots().remove(name, owner.principal)
      return { bot: null }
    },
  } satisfies Partial<AdminHandlers>
}
