import type { TicketPurpose } from '../../contracts/index.ts'
import {
  type AgentId,
  type Clock,
  isToken,
  newToken,
  sha256Hex,
  type TenantId,
  type UnixMs,
} from '../../kernel/index.ts'
import type { SessionId } from '../index.ts'

/** By what its holder was signed in when they asked for it: whoever takes a ticket asks whether that is still good. */
export type TicketHolder =
  | { readonly kind: 'session'; readonly tenant: TenantId; readonly session: SessionId }
  | { readonly kind: 'access_key'; readonly tenant: TenantId; readonly accessKey: string }
  /** By the SHA-256 of the token that it asked with. */
  | {
      readonly kind: 'agent'
      readonly tenant: TenantId
      readonly agent: AgentId
      readonly token: string
    }

/** The one connection that it opens. */
export interface TicketUse {
  readonly machine: string
  readonly purpose: TicketPurpose | 'cdp' | 'page'
}

/**
 * One-use tickets for WebSockets, whose openings carry no header that a browser's script could set: an address is written to logs and
 * histories, and what stands there is worth nothing by then (RFC 6750, 2.3). In memory: a daemon that starts anew takes none of before.
 */
export interface Tickets {
  /** For at once: it is over within 30 seconds. */
  issue(holder: TicketHolder, use: TicketUse): { readonly ticket: string; readonly expiresAt: UnixMs }
  /** Whoever shows it first has it, for whatever: shown for another machine or purpose it opens nothing, and is burnt too. */
  take(ticket: string, use: TicketUse): TicketHolder | undefined
}

const GOOD_FOR_MS = 30_000
/** Of one holder, and of all: the oldest goes. */
const MAX_OF_HOLDER = 32
const MAX_TICKETS = 10_000

interface Issued {
  readonly holder: TicketHolder
  readonly use: TicketUse
  readonly issuedAt: UnixMs
}

const nameOf = (holder: TicketHolder): string =>
  `${holder.tenant} ${holder.kind === 'session' ? holder.session : holder.kind === 'agent' ? holder.agent : holder.accessKey}`

export function createTickets({ clock }: { readonly clock: Clock }): Tickets {
  /** By their hashes, the oldest first: a time of comparison tells nothing of one. */
  const issued = new Map<string, Issued>()
  /** A clock that was put back makes none good again. */
  const isGood = ({ issuedAt }: Issued, now: UnixMs): boolean =>
    now < issuedAt + GOOD_FOR_MS && now >= issuedAt

  function makeRoom(holder: TicketHolder, now: UnixMs): void {
    const own: string[] = []
    for (const [hash, one] of issued) {
      if (!isGood(one, now)) issued.delete(hash)
      else if (nameOf(one.holder) === nameOf(holder)) own.push(hash)
    }
    const [oldest] = own.length >= MAX_OF_HOLDER ? own : issued.size >= MAX_TICKETS ? issued.keys() : []
    if (oldest !== undefined) issued.delete(oldest)
  }

  return {
    issue(holder, use) {
      const now = clock.now()
      makeRoom(holder, now)
      const ticket = newToken('ticket')
      issued.set(sha256Hex(ticket), { holder, use, issuedAt: now })
      return { ticket, expiresAt: now + GOOD_FOR_MS }
    },
    take(ticket, { machine, purpose }) {
      if (!isToken('ticket', ticket)) return undefined
      const hash = sha256Hex(ticket)
      const one = issued.get(hash)
      issued.delete(hash)
      if (one === undefined || !isGood(one, clock.now())) return undefined
      return one.use.machine === machine && one.use.purpose === purpose ? one.holder : undefined
    },
  }
}
