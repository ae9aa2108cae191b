import type { BotView as BotAnswer, BotCodeView } from '../../contracts/admin/index.ts'
import type { AgentBots, BotView } from './agent-bots.ts'

const iso = (at: number): string => new Date(at).toISOString()

export const viewBot = ({ lastFour, createdAt, chats, ...bot }: BotView): BotAnswer => ({
  ...{ ...bot, last4: lastFour, created_at: iso(createdAt) },
  chats: chats.map(({ chat, name, pairedAt }) => ({ id: chat, name, paired_at: iso(pairedAt) })),
})

export const viewBotCode = ({
  code,
  link,
  until,
}: Awaited<ReturnType<AgentBots['newCode']>>): BotCodeView => ({
  ...{ code, link, expires_at: iso(until) },
})
