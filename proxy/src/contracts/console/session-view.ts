import { z } from 'zod'

export const sessionView = z.object({
  id: z.string(),
  /** The person's name, as the channel tells it that vouched for them. */
  who: z.string(),
  role: z.enum(['owner', 'approver', 'account']),
  method: z.enum(['link', 'passkey', 'password', 'key']),
  signed_in_at: z.int(),
  /** When it ends, unless it is used before. */
  expires_at: z.int(),
  /** Until then acts that ask for a fresh proof are allowed; in the past: prove again. */
  stepped_up_until: z.int(),
  /** The daemon's clock, which all times here are of. */
  now: z.int(),
  has_passkey: z.boolean(),
  /** Whether the pages of agents’ own OpenClaws are served. */
  host_pages: z.boolean(),
  tenant: z.string(),
  version: z.string(),
})
export type SessionView = z.output<typeof sessionView>
