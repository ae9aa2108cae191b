import { botAnswer, botBody, botCode } from '../bot-schemas.ts'
import type { DescribedRoute } from '../index.ts'

const READ = { scope: 'machines', action: 'instance.list' } as const
const CHANGE = { scope: 'machines', action: 'instance.manage' } as const

/** Bots in Telegram of the account's hosted agents: a part of ACCOUNT_ROUTES. */
export const INSTANCE_BOT_ROUTES = {
  readInstanceBot: {
    ...READ,
    method: 'GET',
    path: '/api/instances/:id/telegram',
    summary: 'The bot in Telegram of a hosted agent, and the chats that are paired with it; wakes it not.',
    answer: botAnswer,
    errors: ['not_found'],
  },
  putInstanceBot: {
    ...CHANGE,
    method: 'PUT',
    path: '/api/instances/:id/telegram',
    summary:
      'Give a hosted agent a bot in Telegram, whose token is kept here and never told again; nobody is paired at first. One that it has is taken away first.',
    body: botBody,
    answer: botAnswer,
    errors: ['invalid_request', 'not_found', 'conflict', 'locked'],
  },
  deleteInstanceBot: {
    ...CHANGE,
    method: 'DELETE',
    path: '/api/instances/:id/telegram',
    summary: 'Take the bot of a hosted agent away, with its token and its pairings.',
    answer: botAnswer,
    errors: ['not_found'],
  },
  pairInstanceBot: {
    ...CHANGE,
    method: 'POST',
    path: '/api/instances/:id/telegram/pair',
    summary:
      'Make the code that pairs one private chat with the bot, once, in an hour: `/start CODE`, or the link. One made before is good no more.',
    answer: botCode,
    errors: ['not_found', 'conflict', 'locked'],
  },
  unpairInstanceBot: {
    ...CHANGE,
    method: 'DELETE',
    path: '/api/instances/:id/telegram/chats/:chat',
    summary: 'Take a paired chat away: from then on the bot answers it nothing.',
    answer: botAnswer,
    errors: ['not_found'],
  },
} as const satisfies Readonly<Record<string, DescribedRoute & { readonly scope: 'machines' }>>
