import type { IncomingMessage, ServerResponse } from 'node:http'
import { AppError } from '../../kernel/index.ts'
import { assertBodyType, NO_FEATURES, setPageHeaders } from '../index.ts'

const METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'])
const READS: ReadonlySet<string> = new Set(['GET', 'HEAD'])

const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self' data:",
  "manifest-src 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
  "form-action 'none'",
  "require-trusted-types-for 'script'",
].join('; ')

const PERMISSIONS = [
  NO_FEATURES,
  'publickey-credentials-get=(self)',
  'publickey-credentials-create=(self)',
  'clipboard-write=(self)',
].join(', ')

/** On whatever the console answers (XSS, clickjacking, leaks across windows and by Referer). */
export function setSecurityHeaders(response: ServerResponse, isSecure: boolean): void {
  setPageHeaders(response, isSecure)
  response.setHeader('Content-Security-Policy', POLICY)
  response.setHeader('Permissions-Policy', PERMISSIONS)
  response.setHeader('Cache-Control', 'no-store')
}

function assertMethod({ method }: IncomingMessage, allowed: ReadonlySet<string> = METHODS): void {
  if (!allowed.has(method ?? ''))
    throw new AppError('method_not_allowed', `This path takes ${[...allowed].join(', ')}.`)
}

export const assertRead = (request: IncomingMessage): void => assertMethod(request, READS)

/**
 * Against CSRF: a call of the API is one of the console's own script. Another port of this machine is the same site and gets its
 * cookies sent with, so only the origin tells. Browsers send fetch metadata with each request to a page that is trustworthy (localhost,
 * https), and `Origin` with each that is no GET.
 */
export function assertOwnScript(request: IncomingMessage, origin: string): void {
  const { method = '', headers } = request
  assertMethod(request)
  const site = headers['sec-fetch-site']
  const destination = headers['sec-fetch-dest']
  const given = headers.origin
  const isForeign =
    (given === undefined ? !READS.has(method) : given !== origin) ||
    (site !== undefined && site !== 'same-origin') ||
    (destination !== undefined && destination !== 'empty')
  if (isForeign)
    throw new AppError('origin_not_allowed', `Only the console's own page may call this, from ${origin}.`)
  if (READS.has(method)) return
  assertBodyType(request)
}
