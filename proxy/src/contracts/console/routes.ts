import { z } from 'zod'
import type { Route } from '../index.ts'
import { ticketBody, ticketParts } from '../ticket-schemas.ts'
import { ACCOUNT_CEREMONIES } from './account-routes.ts'
import { PASSKEY_CEREMONIES } from './passkey-routes.ts'
import { sessionView } from './session-view.ts'

const hostTicketView = z.object({
  ...ticketParts,
  /** Half a minute on. */
  expires_at: z.int(),
})

/** Below it stand these routes, the owner's (`/v1/…`), and `/events`. */
export const CONSOLE_PREFIX = '/console/api'

const signInBody = z.strictObject({ code: z.string().max(128) })

/** What a browser asks about its own session; paths below `/console/api`. Cookies go with it by themselves. */
export const CONSOLE_ROUTES = {
  readSession: {
    method: 'GET',
    path: '/session',
    summary: 'Who is signed in, until when, and what the daemon’s clock says.',
    scope: 'session',
    answer: sessionView,
    errors: ['unauthenticated'],
  },
  signIn: {
    method: 'POST',
    path: '/session/code',
    summary: 'Sign in by the code of a link of `oauth3 console`, which is burnt; sets the cookie.',
    scope: 'anyone',
    body: signInBody,
    answer: sessionView,
    errors: ['invalid_request', 'unauthenticated', 'rate_limited'],
  },
  signOut: {
    method: 'POST',
    path: '/session/logout',
    summary: 'End the session; its cookie is nothing from now on, and its event streams are cut.',
    scope: 'session',
    answer: z.object({ ok: z.literal(true) }),
    errors: ['unauthenticated'],
  },
  openHostPage: {
    method: 'POST',
    path: '/hosts/:name/page',
    summary:
      "An address at which this browser opens the page of the agent's own OpenClaw, once, within half a minute.",
    scope: 'session',
    answer: z.object({ url: z.string(), expires_at: z.int() }),
    errors: ['not_found', 'unauthenticated', 'refused'],
  },
  issueTicket: {
    method: 'POST',
    path: '/hosts/:name/tickets',
    summary:
      'A ticket that opens one WebSocket to a hosted agent for this session, once, within half a minute. Wakes none.',
    scope: 'session',
    body: ticketBody,
    answer: hostTicketView,
    errors: ['invalid_request', 'not_found', 'unauthenticated', 'refused'],
  },
  ...PASSKEY_CEREMONIES,
  ...ACCOUNT_CEREMONIES,
} as const satisfies Readonly<Record<string, Route>>
export type ConsoleRoutes = typeof CONSOLE_ROUTES
