import type { IncomingMessage } from 'node:http'

/** RFC 6265; without `HttpOnly` a script could read it, with `SameSite=Strict` no other site's request carries it. */
interface CookiePlace {
  /** Over TLS: the name's prefix keeps subdomains and plain HTTP from setting it (RFC 6265bis, 4.1.3.2). */
  readonly isSecure: boolean
  /** Cookies of one host are shared by all its ports: two daemons of one machine have two names. */
  readonly origin: string
}

const MAX_AGE_SECONDS = 7 * 24 * 3_600

const nameOf = ({ isSecure, origin }: CookiePlace): string =>
  isSecure ? '__Host-oauth3_session' : `oauth3_session_${new URL(origin).port || '80'}`

/** Undefined where there is none, or where there are several: one of them was put there by somebody else (cookie tossing). */
export function readCookie({ headers }: IncomingMessage, place: CookiePlace): string | undefined {
  const prefix = `${nameOf(place)}=`
  const values = (headers.cookie ?? '')
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(prefix))
    .map((pair) => pair.slice(prefix.length))
  return values.length === 1 && /^[A-Za-z0-9_-]{43}$/.test(values[0] ?? '') ? values[0] : undefined
}

/** `path`: where it is sent, on a host without TLS; with TLS the prefix asks for the whole of it. */
export const cookieHeader = (place: CookiePlace, value: string, path = '/console'): string =>
  [
    `${nameOf(place)}=${value}`,
    'HttpOnly',
    'SameSite=Strict',
    ...(place.isSecure ? ['Secure', 'Path=/'] : [`Path=${path}`]),
    `Max-Age=${value === '' ? 0 : MAX_AGE_SECONDS}`,
  ].join('; ')
