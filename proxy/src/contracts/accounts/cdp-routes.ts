import { z } from 'zod'
import type { DescribedRoute } from '../index.ts'

const instance = z
  .string()
  .optional()
  .describe("id or name of one of the account's hosted agents, where it has several")

const opens = z.string().describe('opens one WebSocket, once, within half a minute, without a token')
const target = z.looseObject({
  ...{ id: z.string(), type: z.string(), title: z.string(), url: z.string() },
  webSocketDebuggerUrl: opens,
})

const USE = {
  method: 'GET',
  scope: 'machines',
  action: 'browser.use',
  query: z.object({ instance }),
} as const
const errors = ['invalid_request', 'not_found', 'sandbox_unavailable', 'locked'] as const

/**
 * The DevTools Protocol of the browser of a hosted agent, or of its desktop's Chromium, in Chromium's own forms, for the reference: agents
 * have the same paths by their tokens.
 */
export const CDP_ROUTES = {
  readBrowserVersion: {
    ...USE,
    path: '/cdp/json/version',
    summary:
      'What the browser is, and where a new session of it opens; wakes it. For Playwright and Puppeteer: `http://HOST/cdp`.',
    answer: z.looseObject({ Browser: z.string(), webSocketDebuggerUrl: opens }),
    errors,
  },
  listBrowserPages: {
    ...USE,
    path: '/cdp/json/list',
    summary: "Pages of the account's own sessions, never of the agent's.",
    answer: z.array(target),
    errors,
  },
  openBrowserPage: {
    ...USE,
    path: '/cdp/json/new',
    summary:
      'A new session with a page; behind `?`, or behind `?instance=…&`, stands its address. PUT does the same.',
    answer: target,
    errors,
  },
  putBrowserPage: {
    ...USE,
    method: 'PUT',
    path: '/cdp/json/new',
    summary: 'The same, as Chromium takes it.',
    answer: target,
    errors,
  },
  joinBrowser: {
    method: 'GET',
    path: '/cdp/devtools/browser/:session',
    summary:
      'WebSocket: the DevTools Protocol of a session, at an address that was told; ends within a second of what that was asked for by.',
    scope: 'machines',
    action: 'browser.use',
    query: z.object({ ticket: z.string().describe('stands in the address that was told') }),
    answer: z.unknown(),
    answers: { 101: { description: 'It is open.' } },
    errors: ['not_found'],
  },
} as const satisfies Readonly<Record<string, DescribedRoute>>
