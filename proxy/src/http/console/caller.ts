import type { IncomingMessage } from 'node:http'
import { sessionOfCookie } from '../../identity/authentication.ts'
import { actorOf, type Memberships } from '../../identity/index.ts'
import type { Session, Sessions } from '../../identity/sessions/index.ts'
import { sha256Hex, type TenantId } from '../../kernel/index.ts'
import type { Owner } from '../admin-routes/index.ts'
import { readCookie } from './cookies.ts'

interface SessionsOfTenant {
  readonly tenant: TenantId
  readonly sessions: Sessions
  readonly memberships: Memberships
}

export interface Caller<T> {
  readonly of: T
  readonly session: Session
  readonly by: Owner
}

/** Who a request is from; undefined for anybody else. A cookie is found by its hash, so that the time tells nothing of one. */
export function callerOfCookie<T extends SessionsOfTenant>(
  tenants: readonly T[],
  request: IncomingMessage,
  place: Parameters<typeof readCookie>[1],
): Caller<T> | undefined {
  const cookie = readCookie(request, place)
  if (cookie === undefined) return undefined
  const hash = sha256Hex(cookie)
  for (const of of tenants) {
    const session = of.sessions.find(hash)
    if (session !== undefined) return callerNow({ of, session }, place.origin)
  }
  return undefined
}

/** Whose session it is by now; undefined for nobody's, whoever's it was. */
export function callerNow<T extends SessionsOfTenant>(
  { of, session: { cookieHash } }: Pick<Caller<T>, 'of' | 'session'>,
  origin: string | null,
): Caller<T> | undefined {
  const session = of.sessions.find(cookieHash)
  const by = session && ownerOf(of, session, origin)
  return session && by && { of, session, by }
}

/** Whether the session is still somebody's. */
export const isSomebodys = (of: SessionsOfTenant, session: Session): boolean =>
  callerNow({ of, session }, null) !== undefined

function ownerOf(
  { tenant, sessions, memberships }: SessionsOfTenant,
  session: Session,
  origin: string | null,
): Owner | undefined {
  const principal = sessionOfCookie(memberships, tenant, {
    ...session,
    steppedUpBy: sessions.steppedUpBy(session),
  })
  return principal && { principal, actor: actorOf(principal), origin }
}
