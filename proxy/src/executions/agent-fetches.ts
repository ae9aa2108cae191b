import type { CardForUnit, CardReservation, WaitingLimit } from '../approvals/index.ts'
import type { AuditLog } from '../audit/index.ts'
import type { Agent } from '../identity/agents/index.ts'
import { agentActor, agentRequester } from '../identity/index.ts'
import type { Storage } from '../kernel/index.ts'
import type { FetchedHop, FetchedSkill, SkillFetcher } from './code/index.ts'
import type { ResolvedSkill, ResolveSkill } from './registry/index.ts'

/** What one request of an agent costs: its card, and what the daemon fetches for it, paid for first, with each hop told to the audit. */
export interface AgentFetches extends Disposable {
  skill(url: string, signal: AbortSignal): Promise<FetchedSkill>
  /** Of a registry, by `name@version`; paid for where its code has to be fetched. */
  signed(reference: string, signal: AbortSignal): Promise<ResolvedSkill>
  /** Before imports are fetched. */
  payForImports(): Promise<void>
  /** Whether the card of this request is paid for. */
  readonly paid: boolean
  /** Where nothing is fetched. */
  readonly card: Pick<CardForUnit, 'spend'>
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
    readonly registries: { readonly resolve: ResolveSkill }
    readonly limit: WaitingLimit
    readonly audit: AuditLog
    readonly storage: Storage
  },
  agent: Agent,
): AgentFetches {
  const requester = agentRequester(agent.id)
  let reservation: CardReservation | undefined
  const pay = async (): Promise<void> => {
    reservation ??= await deps.limit.reserve(requester)
  }

  const card = deps.limit.card(requester)

  const tell = async (hop: FetchedHop, what: 'skill_url' | 'skill'): Promise<void> => {
    await deps.storage.transaction(
      (tx) =>
        deps.audit.append(
          tx,
          hop.refused === null ? 'egress.request' : 'egress.refused',
          agentActor(agent.id),
          null,
          {
            for: what,
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
      await pay()
      return await deps.fetcher.fetch(url, signal, (hop) => tell(hop, 'skill_url'))
    },
    signed: (reference, signal) =>
      deps.registries.resolve(reference, { pay, signal, onHop: (hop) => tell(hop, 'skill') }),
    payForImports: pay,
    get paid() {
      return reservation !== undefined
    },
    card,
    refund: () => reservation?.refund(),
    stored: () => reservation?.[Symbol.dispose](),
    [Symbol.dispose]() {
      reservation?.[Symbol.dispose]()
      card[Symbol.dispose]()
    },
  }
}

const bounded = (url: string): string =>
  url.length <= MAX_URL_CHARS ? url : `${url.slice(0, MAX_URL_CHARS)}… (${url.length} characters)`
