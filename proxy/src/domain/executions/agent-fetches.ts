import type { Agent } from '../agents/index.ts'
import type { CardReservation, WaitingLimit } from '../approvals/index.ts'
import type { AuditLog, Transactor } from '../audit/index.ts'
import type { FetchedHop, FetchedSkill, SkillFetcher } from '../code/index.ts'

/** What the daemon fetches for one request of an agent: paid for first, and each hop told to the audit. */
export interface AgentFetches extends Disposable {
  skill(url: string, signal: AbortSignal): Promise<FetchedSkill>
  /** Before imports are fetched. */
  payForImports(): void
  /** Whether the card of this request is paid for. */
  readonly paid: boolean
  /** Nobody is asked, and all that was fetched had been approved before. */
  refund(): void
  /** It waits as a row of its own now, which is counted in place of what was reserved for it. */
  stored(): void
}

/** What of an address stands in the audit: enough to see what was told by it, and a bound. */
const MAX_URL_CHARS = 500

export function createAgentFetches(
  deps: {
    readonly fetcher: SkillFetcher
    readonly limit: WaitingLimit
    readonly audit: AuditLog
    readonly transactor: Transactor
  },
  agent: Agent,
): AgentFetches {
  let reservation: CardReservation | undefined
  const pay = (): void => {
    reservation ??= deps.limit.reserve(agent.id)
  }

  const tell = (hop: FetchedHop): void => {
    deps.transactor.transact(
      () =>
        deps.audit.append(
          hop.refused === null ? 'egress.request' : 'egress.refused',
          `agent:${agent.id}`,
          null,
          {
            for: 'skill_url',
            method: 'GET',
            origin: hop.port === 443 ? `https://${hop.host}` : `https://${hop.host}:${hop.port}`,
            host: hop.host,
            port: hop.port,
            hop: hop.index,
            // The agent's own address is told whole, since its query can carry something out; a server's may hold a token.
            ...(hop.index === 0 ? { url: bounded(hop.url) } : {}),
            status: hop.status,
            response_bytes: hop.bytes,
            ...(hop.refused === null ? {} : { rule: hop.refused }),
            ...(hop.problem === null ? {} : { problem: hop.problem }),
          },
        ),
      'grouped',
    )
  }

  return {
    async skill(url, signal) {
      pay()
      return await deps.fetcher.fetch(url, signal, tell)
    },
    payForImports: pay,
    get paid() {
      return reservation !== undefined
    },
    refund: () => reservation?.refund(),
    stored: () => reservation?.[Symbol.dispose](),
    [Symbol.dispose]: () => reservation?.[Symbol.dispose](),
  }
}

const bounded = (url: string): string =>
  url.length <= MAX_URL_CHARS ? url : `${url.slice(0, MAX_URL_CHARS)}… (${url.length} characters)`
