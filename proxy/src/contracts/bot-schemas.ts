/** The bot in Telegram of a hosted agent, for its owner and for the account's API. Times are ISO 8601 in UTC. */
import { z } from 'zod'

/** A token of @BotFather, of a bot that nothing else uses. */
export const botBody = z.strictObject({ token: z.string().min(1).max(200) })
/** The bot in Telegram by which paired chats talk to a hosted agent; never its token. */
export const botView = z.object({
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
      paired_at: z.string(),
    }),
  ),
  created_at: z.string(),
})
export type BotView = z.output<typeof botView>
export const botAnswer = z.object({ bot: botView.nullable() })
/** Pairs one private chat, once: `/start CODE`, or the link. */
export const botCode = z.object({ code: z.string(), link: z.string(), expires_at: z.string() })
export type BotCodeView = z.output<typeof botCode>
