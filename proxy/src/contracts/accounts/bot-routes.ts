import { z } from 'zod'
import type { DescribedRoute } from '../index.ts'

/** The bot in Telegram by which paired chats talk to a hosted agent; never its token. */
export const instanceBotView = z.object({
  /** Its name in Telegram, without `@`. */
  username: z.string(),
  /** Of its token. */
  last4: z.string(),
  connected: z.boolean(),
  /** Why no messages come; null while they do, or are about to. */
  problem: z.string().nullable(),
  /** Messages of whoever is not paired, since the daemon started: none was answered. */
  refused: z.int(),
  chats: z.array(
    z.object({
      /** The person's id in Telegram. */
      id: z.string(),
      /** As they call themselves: untrusted text. */
      name: z.string(),
      /** ISO 8601, in UTC. */
      paired_at: z.string(),
    }),
  ),
  created_at: z.string(),
})
const botAnswer = z.object({ bot: instanceBotView.nullable() })

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
    body: z.strictObject({ token: z.string().min(1).max(200) }),
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
    answer: z.object({ code: z.string(), link: z.string(), expires_at: z.string() }),
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
