import { z } from 'zod'
import type { Route } from '../index.ts'

const sessionRow = z.object({
  id: z.string(),
  who: z.string(),
  role: z.enum(['owner', 'approver', 'account']),
  method: z.enum(['link', 'passkey', 'password', 'key']),
  signed_in_at: z.int(),
  seen_at: z.int(),
  expires_at: z.int(),
})
export type SessionRow = z.output<typeof sessionRow>

/** Who is signed in at the console: a part of ADMIN_ROUTES. */
export const SESSION_ROUTES = {
  makeConsoleLink: {
    method: 'POST',
    path: '/v1/console/link',
    summary:
      'A link that signs whoever asks for it in at the console: once, within two minutes. At the admin socket also one for an approver.',
    scope: 'owner',
    action: 'session.invite',
    /** `approver`: for this member, by the id of their Telegram account, in the place of oneself. */
    body: z.strictObject({ approver: z.string().min(1).max(32).optional() }).default({}),
    answer: z.object({
      url: z.string(),
      expires_at: z.int(),
      /** Why a browser will not get there; null where nothing is in the way. */
      problem: z.string().nullable(),
    }),
    errors: ['invalid_request', 'not_found', 'refused'],
  },
  listSessions: {
    method: 'GET',
    path: '/v1/sessions',
    summary: 'Browsers that are signed in at the console.',
    scope: 'owner',
    action: 'session.list',
    answer: z.object({ sessions: z.array(sessionRow) }),
    errors: [],
  },
  revokeSession: {
    method: 'DELETE',
    path: '/v1/sessions/:id',
    summary: 'Sign a browser out, at once.',
    scope: 'owner',
    action: 'session.revoke',
    answer: z.object({ ok: z.literal(true) }),
    errors: ['not_found'],
  },
} as const satisfies Readonly<Record<string, Route & { readonly action: string }>>
