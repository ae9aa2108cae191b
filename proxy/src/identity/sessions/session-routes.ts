import type { SessionRow } from '../../contracts/admin/index.ts'
import type { AdminHandlers, Owner } from '../../http/admin-routes/index.ts'
import { AppError } from '../../kernel/index.ts'
import {
  isMember,
  type Memberships,
  type Principal,
  personActor,
  type SessionId,
  type SessionPerson,
} from '../index.ts'
import type { Session } from './ports.ts'
import type { Sessions } from './sessions.ts'

/** Where browsers reach the console. */
export interface ConsoleAddress {
  readonly origin: string
  /** Why they will not; null where nothing is in the way. */
  readonly problem: string | null
}

export function sessionRoutes({
  sessions,
  consoleAddress,
  memberships,
  owner,
}: {
  readonly sessions: Sessions
  readonly memberships: Memberships
  readonly consoleAddress: () => ConsoleAddress
  readonly owner: Owner
}) {
  /**
   * For the owner to hand over: Telegram vouches for an account in a chat, not in a browser. Who has the host can be anybody of it
   * anyway; a session of the owner's, which may be stolen, is no second person by it.
   */
  const memberBy = (asking: Principal, approver: string): SessionPerson => {
    if (asking.kind !== 'owner')
      throw new AppError('refused', 'A link for somebody else is made on the machine of the daemon alone.')
    const person = { kind: 'approver', id: approver, name: approver } as const
    if (!isMember(memberships, asking.tenant, personActor(person)))
      throw new AppError('not_found', `No approver ${approver}.`)
    return person
  }

  return {
    async makeConsoleLink({ body: { approver } }) {
      const { origin, problem } = consoleAddress()
      const person = approver === undefined ? personOf(owner.principal) : memberBy(owner.principal, approver)
      const { code, expiresAt } = await sessions.invite(person, owner.actor)
      // Behind the `#`, which no browser sends: in no log, no Referer.
      return { url: `${origin}/console/#code=${code}`, expires_at: expiresAt, problem }
    },
    listSessions: () => ({ sessions: sessions.list().map((session) => viewSession(session, sessions)) }),
    async revokeSession({ params: { id } }) {
      if (!(await sessions.end(id as SessionId, owner.actor, 'revoked')))
        throw new AppError('not_found', `No session ${id}.`)
      return { ok: true as const }
    },
  } satisfies Partial<AdminHandlers>
}

/** Whoever asks. */
function personOf(principal: Principal): SessionPerson {
  switch (principal.kind) {
    case 'owner':
      return { kind: 'owner', uid: principal.uid, name: principal.name }
    case 'approver':
      return { kind: 'approver', id: principal.approverId, name: principal.name }
    case 'account':
      return { kind: 'account', id: principal.accountId, name: principal.name }
    case 'session':
      return personOf(principal.of)
    default:
      throw new AppError('refused', 'Only a person signs in at the console.')
  }
}

const viewSession = (session: Session, sessions: Sessions): SessionRow => ({
  id: session.id,
  who: session.person.name,
  role: session.person.kind,
  method: session.method,
  signed_in_at: session.signedInAt,
  seen_at: sessions.lastSeen(session),
  expires_at: sessions.endOf(session),
})
