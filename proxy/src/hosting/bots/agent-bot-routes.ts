import type { BotView as BotAnswer } from '../../contracts/admin/index.ts'
import type { AdminHandlers, Owner } from '../../http/admin-routes/index.ts'
import { SecretValue } from '../../kernel/index.ts'
import { hostedHere } from '../agents/index.ts'
import type { AgentBots, BotView } from './agent-bots.ts'

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
    async makeBotCode({ params: { name } }) {
      const { code, link, until } = await bots().newCode(name, owner.principal)
      return { code, link, expires_at: until }
    },
    unpairBotChat: async ({ params: { name, id } }) => ({
      bot: viewBot(await bots().unpair(name, id, owner.principal)),
    }),
    async removeBot({ params: { name } }) {
      await bots().remove(name, owner.principal)
      return { bot: null }
    },
  } satisfies Partial<AdminHandlers>
}

const viewBot = ({ lastFour, createdAt, chats, ...bot }: BotView): BotAnswer => ({
  ...{ ...bot, last_four: lastFour, created_at: createdAt },
  chats: chats.map(({ chat, name, pairedAt }) => ({ id: chat, name, paired_at: pairedAt })),
})
