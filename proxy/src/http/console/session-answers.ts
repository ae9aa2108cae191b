import type { ServerResponse } from 'node:http'
import type { SessionView } from '../../contracts/console/index.ts'
import { personActor, type SessionId } from '../../identity/index.ts'
import type { OpenedSession, Session } from '../../identity/sessions/index.ts'
import { AppError, type Clock } from '../../kernel/index.ts'
import type { Caller } from './caller.ts'
import { cookieHeader } from './cookies.ts'
import type { Place } from './origins.ts'
import type { PageTicketDeps } from './page-ticket.ts'
import type { ConsoleTenant } from './tenant.ts'

/** One request at the console's own routes. */
export interface ConsoleCall {
  readonly place: Extract<Place, { kind: 'console' }>
  readonly caller: Caller<ConsoleTenant> | undefined
  readonly response: ServerResponse
}

export interface SessionDeps extends PageTicketDeps {
  readonly tenants: () => readonly ConsoleTenant[]
  readonly clock: Clock
  readonly version: string
}

const SIGNED_OUT = 'Nobody is signed in; run `oauth3 console` for a link.'

export function assertSignedIn(caller: ConsoleCall['caller']): Caller<ConsoleTenant> {
  if (caller === undefined) throw new AppError('unauthenticated', SIGNED_OUT)
  return caller
}

/** What every way of signing in ends with. */
export interface SessionAnswers {
  view(of: ConsoleTenant, session: Session): Promise<SessionView>
  /** Sets the cookie of the session that `open` makes, in the place of the one that the browser had; undefined where it makes none. */
  opened(
    of: ConsoleTenant,
    open: (replaces: SessionId | null) => Promise<OpenedSession | undefined>,
  ): Promise<SessionView | undefined>
  /** What whoever gave a wrong proof is told: `why`, or after many of them rate_limited. */
  refused(why: string): Promise<AppError>
}

export function sessionAnswers(
  { tenants, clock, version, pages }: SessionDeps,
  { place, caller, response }: ConsoleCall,
): SessionAnswers {
  const view: SessionAnswers['view'] = async (of, session) => ({
    id: session.id,
    who: session.person.name,
    role: session.person.kind,
    method: session.method,
    signed_in_at: session.signedInAt,
    expires_at: of.sessions.endOf(session),
    stepped_up_until: of.sessions.steppedUpUntil(session),
    has_passkey: (await of.passkeys.list(personActor(session.person))).length > 0,
    host_pages: pages.isOn,
    now: clock.now(),
    tenant: of.name,
    version,
  })
  return {
    view,
    async opened(of, open) {
      // Signing in again as somebody of another tenant ends the session there.
      const isSame = caller !== undefined && caller.of === of
      const made = await open(isSame ? caller.session.id : null)
      if (made === undefined) return undefined
      if (caller && !isSame) await caller.of.sessions.end(caller.session.id, caller.by.actor, 'signed_out')
      response.setHeader('Set-Cookie', cookieHeader(place, made.cookie))
      return await view(of, made.session)
    },
    refused: (why) => refusedSignIn(tenants(), place.address, why),
  }
}

/** What whoever gave a wrong proof is told. Only failures count, so that nobody can keep the owner out by guessing. */
async function refusedSignIn(
  tenants: readonly ConsoleTenant[],
  address: string,
  why: string,
): Promise<AppError> {
  const error = new AppError('unauthenticated', why)
  // Of no tenant: the installation's own tells it.
  const gate = tenants[0]?.gate
  if (gate === undefined) return error
  const peer = { socket: { remoteAddress: address } }
  const told = await gate.failedLogin(peer, error)
  await gate.refused(peer, told, { surface: 'console', toRun: false })
  return told
}
