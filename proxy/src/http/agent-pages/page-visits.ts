/** Who visits which agent's page: a ticket that was shown once becomes a cookie of that page's origin alone. */
import type { TicketHolder } from '../../identity/tickets/index.ts'
import { type Clock, randomToken, sha256Hex, type UnixMs } from '../../kernel/index.ts'

export interface Visit {
  readonly holder: TicketHolder
  readonly machine: string
  readonly since: UnixMs
  /** A page that somebody has just opened wakes its agent; one that was left open, and dials by itself, does not. */
  mayWakeUntil: UnixMs
}

export interface PageVisits {
  /** The value of the cookie. */
  begin(holder: TicketHolder, machine: string): string
  /** Undefined for none, for another machine's, and for one that is over. */
  find(cookie: string | undefined, machine: string): Visit | undefined
}

const LIFETIME_MS = 12 * 3_600_000
/** The oldest goes. */
const MAX_VISITS = 4_096

/** In memory: a daemon that starts anew knows none, and their pages are opened anew from the console. */
export function createPageVisits(clock: Pick<Clock, 'now'>): PageVisits {
  const visits = new Map<string, Visit>()
  return {
    begin(holder, machine) {
      const now = clock.now()
      for (const [hash, { since }] of visits) if (now >= since + LIFETIME_MS) visits.delete(hash)
      const [oldest] = visits.size >= MAX_VISITS ? visits.keys() : []
      if (oldest !== undefined) visits.delete(oldest)
      const cookie = randomToken(256)
      visits.set(sha256Hex(cookie), { holder, machine, since: now, mayWakeUntil: 0 })
      return cookie
    },
    find(cookie, machine) {
      const visit = cookie === undefined ? undefined : visits.get(sha256Hex(cookie))
      const now = clock.now()
      const isGood = visit?.machine === machine && now >= visit.since && now < visit.since + LIFETIME_MS
      return isGood ? visit : undefined
    },
  }
}
