import { createHmac, randomBytes } from 'node:crypto'
import { type Clock, equalInConstantTime, type UnixMs } from '../../kernel/index.ts'
import type { SessionId } from '../index.ts'

/** How long an access token is good, in milliseconds, whatever becomes of its session: that is asked about too, at each use. */
const ACCESS_TOKEN_MS = 15 * 60_000

/**
 * Short-lived access tokens: JWT (RFC 7519) signed with HMAC-SHA256. The key is of this process and nowhere else: a daemon that starts
 * anew takes none of before, and clients refresh.
 */
export interface AccessTokens {
  sign(of: { readonly session: SessionId; readonly subject: string }): {
    readonly token: string
    /** How long it is good. */
    readonly seconds: number
  }
  /** Undefined for whatever was not signed here just so, or is over. That its session is still good is the caller's to ask. */
  verify(token: string): SessionId | undefined
}

/** The one header there is: a token that says another algorithm, or none (RFC 8725, 2.1), is not looked at. */
const HEADER = Buffer.from('{"alg":"HS256","typ":"JWT"}').toString('base64url')
const FORM = /^[A-Za-z0-9_-]{10,100}\.[A-Za-z0-9_-]{10,600}\.[A-Za-z0-9_-]{43}$/

export function createAccessTokens({ clock }: { readonly clock: Clock }): AccessTokens {
  const key = randomBytes(32)
  const signed = (text: string): string => createHmac('sha256', key).update(text).digest('base64url')
  return {
    sign({ session, subject }) {
      const now = clock.now()
      const expiresAt = now + ACCESS_TOKEN_MS
      const claims = { iss: 'oauth3', sub: subject, sid: session, ...seconds(now, expiresAt) }
      const text = `${HEADER}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}`
      return { token: `${text}.${signed(text)}`, seconds: ACCESS_TOKEN_MS / 1_000 }
    },
    verify(token) {
      if (!FORM.test(token)) return undefined
      const [header, claims = '', signature = ''] = token.split('.')
      if (header !== HEADER || !equalInConstantTime(signature, signed(`${header}.${claims}`)))
        return undefined
      const { sid, iat, exp } = JSON.parse(Buffer.from(claims, 'base64url').toString()) as {
        sid: SessionId
        iat: number
        exp: number
      }
      const now = clock.now() / 1_000
      // A clock that was put back makes nothing good again.
      return now < exp && now >= iat - 1 ? sid : undefined
    },
  }
}

const seconds = (now: UnixMs, expiresAt: UnixMs) => ({
  iat: Math.floor(now / 1_000),
  exp: Math.floor(expiresAt / 1_000),
})
