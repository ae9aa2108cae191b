import type { IncomingMessage, ServerResponse } from 'node:http'
import { AppError, isLoopbackAddress, plainAddress } from '../../kernel/index.ts'
import { cookieHeader, type Origins, readCookie } from '../console/index.ts'
import { assertBodyType } from '../index.ts'

/** Where a call came in: by the console's name, or at this machine's own address, where no browser has a session. */
export interface ApiPlace {
  readonly address: string
  readonly hasCookies: boolean
  readonly cookie: string | undefined
  /** '' removes it. */
  setCookie(response: ServerResponse, value: string): void
}

const READS: ReadonlySet<string> = new Set(['GET', 'HEAD'])

/**
 * Against CSRF, sign-in CSRF too: a browser says where a script is from, and only the console's own origin is answered, with cookies or
 * without. A program says nothing of it and has no cookie. DNS rebinding: the Host is the console's, or this machine's address.
 */
export function apiPlaceOf(origins: Origins, request: IncomingMessage): ApiPlace {
  const place = origins.placeOf(request)
  if (place.kind === 'refused') throw new AppError('origin_not_allowed', place.why)
  const { origin, 'sec-fetch-site': site } = request.headers
  const peer = plainAddress(request.socket.remoteAddress)
  // Over the public name without TLS a password would have been read on its way.
  if (
    place.kind === 'elsewhere' &&
    (!isLoopbackAddress(peer) || request.headers['x-forwarded-for'] !== undefined)
  )
    throw new AppError('origin_not_allowed', `Call ${place.origin}.`)
  const isForeign =
    (origin !== undefined && origin !== place.origin) || (site !== undefined && site !== 'same-origin')
  if (isForeign)
    throw new AppError('origin_not_allowed', `Only ${place.origin} may call this from a browser.`)
  if (!READS.has(request.method ?? '')) assertBodyType(request)
  if (place.kind === 'elsewhere')
    return { address: peer, hasCookies: false, cookie: undefined, setCookie: () => undefined }
  const cookie = readCookie(request, place)
  // A form or a script of an old browser sends cookies and says nothing: a change by cookie needs the Origin.
  const isProven = origin !== undefined || site !== undefined || READS.has(request.method ?? '')
  return {
    address: place.address,
    hasCookies: true,
    cookie: isProven ? cookie : undefined,
    setCookie(response, value) {
      for (const path of ['/console', '/api'])
        response.appendHeader('Set-Cookie', cookieHeader(place, value, path))
    },
  }
}
