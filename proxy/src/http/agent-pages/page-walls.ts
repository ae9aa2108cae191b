/** What an agent's page may do in a browser. All of it is the agent's to say: it speaks to its own origin, and to nobody else. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { AppError } from '../../kernel/index.ts'
import { NO_FEATURES, setPageHeaders } from '../index.ts'

/** The owner's browser is no way outside past the gateway, nor into the owner's network (SSRF by a browser). */
const POLICY = [
  "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:",
  "connect-src 'self' data: blob:",
  "frame-ancestors 'none'",
  "base-uri 'self'",
  "form-action 'self'",
].join('; ')

/** Of the browsers that know it: WebRTC and navigations too, which no directive above forbids (WICG, Connection Allowlists). */
const ALLOWLIST = '(response-origin)'

export function setWalls(response: ServerResponse, isSecure: boolean): void {
  setPageHeaders(response, isSecure)
  response.setHeader('Content-Security-Policy', POLICY)
  response.setHeader('Connection-Allowlist', ALLOWLIST)
  response.setHeader('X-DNS-Prefetch-Control', 'off')
  response.setHeader('Origin-Agent-Cluster', '?1')
  response.setHeader('Permissions-Policy', NO_FEATURES)
}

/** Of a page that another one led to: with it nothing is asked, and nothing is said of what is here. */
const LED_HERE = `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Not opened</title>
<p>Another page led here, past the beginning. <a href="/">Open the agent's page</a>.
</html>
`

/** Goes on to the beginning by itself: what stands behind a `#` is told to no server, and stays on this page's address. */
const ANEW = `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta http-equiv="refresh" content="0; url=/"><title>Opening</title>
<p><a href="/">Open the agent's page</a>.
</html>
`

export const answerLedHere = (response: ServerResponse): void => answerPage(response, 403, LED_HERE)
export const answerAnew = (response: ServerResponse): void => answerPage(response, 200, ANEW)

function answerPage(response: ServerResponse, status: number, page: string): void {
  response.setHeader('Content-Type', 'text/html; charset=utf-8')
  response.setHeader('Content-Length', Buffer.byteLength(page))
  response.writeHead(status).end(page)
}

/**
 * Whether it is for more than the page's beginning and the page itself did not ask: a link elsewhere would choose what the agent's own page does,
 * with the cookie (CSRF by navigation). Browsers without Fetch Metadata show by Origin or Referer who asks, or do not.
 */
export function isLedHere({ headers }: IncomingMessage, origin: string, isBeginning: boolean): boolean {
  if (isBeginning) return false
  if (headers['sec-fetch-site'] !== undefined) return isForeign(headers)
  return headers.origin !== origin && headers.referer?.startsWith(`${origin}/`) !== true
}

const isForeign = ({ 'sec-fetch-site': site }: IncomingMessage['headers']): boolean =>
  site !== undefined && site !== 'same-origin' && site !== 'none'

/** Whether another page led to its beginning: OpenClaw's page takes settings from a fragment, which that page may have put there. */
export const isBegunElsewhere = (request: IncomingMessage): boolean =>
  isNavigation(request) && isForeign(request.headers)

export const isNavigation = ({ headers }: IncomingMessage): boolean =>
  headers['sec-fetch-mode'] === 'navigate' && headers['sec-fetch-dest'] === 'document'

/** Another agent's page is the same site, and its requests carry the cookie: only the origin tells (CSRF, cross-origin reads). */
export function assertOwnPage(request: IncomingMessage, origin: string): void {
  const { method = '', headers } = request
  if (method !== 'GET' && method !== 'HEAD')
    throw new AppError('method_not_allowed', "An agent's page is read, and speaks by its WebSocket.")
  const isOfOthers =
    (headers.origin !== undefined && headers.origin !== origin) ||
    (isForeign(headers) && !isNavigation(request))
  // One would outlive the visit, and answer in the place of the page.
  if (isOfOthers || headers['service-worker'] !== undefined)
    throw new AppError('origin_not_allowed', "Only the agent's own page may ask for this.")
}
