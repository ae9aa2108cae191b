import type { AgentId, ConsentHash, UnixMs } from '../../kernel/index.ts'
import type { ProviderKeys } from '../provider-keys/index.ts'
import type { EndpointGroup, Providers } from '../providers/index.ts'
import type { SpendingLimits, Usage } from '../usage/index.ts'
import type { LimitPreset } from './limits.ts'

/** What an agent may use of a provider; a row of `provider_grants`. */
export interface ProviderGrant {
  readonly id: number
  readonly agentId: AgentId
  readonly provider: string
  /** What may be done there; never empty, and each once. */
  readonly groups: readonly EndpointGroup[]
  /** Exact names, or beginnings that end in `*`; null: every model. */
  readonly models: readonly string[] | null
  /** Beginnings of the path behind the provider's root, such as `/chat/completions`; null: every path. */
  readonly paths: readonly string[] | null
  readonly limits: SpendingLimits
  readonly grantedBy: string
  readonly grantedAt: UnixMs
  /** Null: until it is revoked. */
  readonly expiresAt: UnixMs | null
  readonly endedAt: UnixMs | null
  readonly endedWhy: 'expired' | 'revoked' | 'replaced' | null
}

type AskStatus = 'pending' | 'granted' | 'denied' | 'expired'

/** A first use that waits for the owner; a row of `provider_asks`. */
export interface ProviderAsk {
  /** `ask_` and 32 hex digits. */
  readonly id: string
  readonly agentId: AgentId
  readonly provider: string
  /** That the request named; null when it named none. */
  readonly model: string | null
  /** What the request does; the grant is for this alone. */
  readonly group: EndpointGroup
  /** Of the request, without query. */
  readonly path: string
  readonly status: AskStatus
  readonly createdAt: UnixMs
  readonly expiresAt: UnixMs
  readonly decidedAt: UnixMs | null
  readonly decidedBy: string | null
  readonly decidedByName: string | null
}

export interface Use {
  readonly agentId: AgentId
  readonly provider: string
  readonly model: string | null
  readonly group: EndpointGroup
  readonly path: string
}

type AccessVerdict =
  | { readonly verdict: 'granted'; readonly grant: ProviderGrant }
  /** Nobody has said anything yet, or what was granted does not cover this group, model or path. */
  | { readonly verdict: 'ask' }
  /** The owner said no a short while ago. */
  | { readonly verdict: 'denied'; readonly retryAfterSeconds: number }

/** `1h`, `24h` and `always` are for how long; `scope` is what for. */
export interface AccessAnswer {
  readonly decision: '1h' | '24h' | 'always' | 'deny'
  /** `model`: only the one that was asked for; not possible for an ask without one. */
  readonly scope: 'provider' | 'model'
  /** In place of the scope's. */
  readonly models?: readonly string[] | undefined
  readonly paths?: readonly string[] | undefined
  readonly limits?: Partial<SpendingLimits> | undefined
}

/** The card of an ask as data: every text in it is visible already, whoever draws it. */
export interface AccessCard {
  readonly askId: string
  readonly agent: string
  readonly provider: string
  /** Where the requests go. */
  readonly origin: string
  /** `gpt-5`, or that the request names none. */
  readonly model: string
  readonly path: string
  /** What a grant gives and what it does not: `files: upload, read and delete files …`. */
  readonly gives: string
  /** What a grant costs or covers that a person should know: keys there are, an active grant that is narrower. */
  readonly notes: readonly string[]
  readonly expiresAt: UnixMs
  /** Rows of buttons. */
  readonly choices: readonly (readonly {
    /** The word by which a channel answers so. */
    readonly choice: string
    readonly decision: AccessAnswer['decision']
    readonly scope: AccessAnswer['scope']
    /** Of the limits that are offered with it. */
    readonly limit: LimitPreset | null
    readonly label: string
  }[])[]
}

export interface ProviderAccessRepository {
  activeGrants(): readonly ProviderGrant[]
  insertGrant(grant: Omit<ProviderGrant, 'id'>): ProviderGrant
  endGrant(id: number, at: UnixMs, why: NonNullable<ProviderGrant['endedWhy']>): void
  setGrant(id: number, change: Pick<ProviderGrant, 'groups' | 'models' | 'paths' | 'limits'>): void
  insertAsk(ask: ProviderAsk): void
  askById(id: string): ProviderAsk | undefined
  /** The first two whose ids begin so. */
  asksByPrefix(prefix: string): readonly ProviderAsk[]
  /** The one that waits for this agent, provider, model and group. */
  pendingDuplicate(use: Omit<Use, 'path'>): ProviderAsk | undefined
  /** Of the agent, what is pending and not over. */
  countPending(agentId: AgentId, now: UnixMs): number
  asks(status: AskStatus, limit: number): readonly ProviderAsk[]
  settleAsk(ask: ProviderAsk): void
  /** The newest denial for an agent and provider. */
  deniedAt(agentId: AgentId, provider: string): UnixMs | undefined
}

export interface ProviderAccess {
  /** From memory: no disk on the way of a request. */
  evaluate(use: Use): AccessVerdict
  /** Whether anything stands for the agent at the provider; at any provider when that is null. */
  holdsGrant(agentId: AgentId, provider: string | null): boolean
  /** Whether one of them limits tokens or money. */
  limitsSpending(agentId: AgentId, provider: string | null): boolean
  /** Grows whenever a grant may have begun, changed or ended. */
  readonly revision: number
  /**
   * Stores the ask with its message to the owner, or finds its duplicate; throws rate_limited when too many wait, and
   * refused for a group that no card grants.
   */
  ask(use: Use): ProviderAsk
  /** Resolves when the ask is settled, the time is over or the signal is aborted, with its state at that time. */
  wait(askId: string, ms: number, signal: AbortSignal): Promise<ProviderAsk>
  find(askId: string): ProviderAsk | undefined
  /** By its id or the beginning of it, whatever its state; throws not_found, or invalid_request where it fits two. */
  resolve(idOrBeginning: string): ProviderAsk
  pending(): readonly ProviderAsk[]
  card(askId: string): AccessCard | undefined
  /** Of what its card shows; a decision names the one that was shown. */
  contentHash(ask: ProviderAsk): ConsentHash
  /** Throws not_found, or refused when it is settled, has expired, or is by now another than was shown. */
  decide(
    askId: string,
    shownHash: string,
    answer: AccessAnswer,
    by: { actor: string; name: string | null },
  ): ProviderAsk
  /** A grant without an ask, by the owner. */
  grant(
    input: {
      readonly agentId: AgentId
      readonly provider: string
      readonly forMs: number | null
      /** Names of groups; left out: `inference`. */
      readonly groups?: readonly string[] | undefined
      readonly models: readonly string[] | null
      readonly paths: readonly string[] | null
      readonly limits: SpendingLimits
    },
    actor: string,
  ): ProviderGrant
  grants(): readonly ProviderGrant[]
  limit(
    id: number,
    change: Partial<Pick<ProviderGrant, 'models' | 'paths'>> & {
      readonly groups?: readonly string[]
      readonly limits?: Partial<SpendingLimits>
    },
    actor: string,
  ): ProviderGrant
  revoke(id: number, actor: string): ProviderGrant
  /** Inside the transaction that revoked the agent. */
  agentRevoked(agentId: AgentId, actor: string): void
  /**
   * Inside the transaction that removed the provider: what was granted or asked for it is over, so that another of
   * its name begins with nothing.
   */
  providerRemoved(name: string, actor: string): void
  /** A limit was passed: the audit is told, and the owner once in each window. */
  limitPassed(grant: ProviderGrant, limit: string): void
  /** Ends what has expired. */
  tick(): void
}

/** An agent has used a key, or a provider that takes none (then `keyId` is 0); a row of `provider_key_users`. */
interface KeyUser {
  readonly provider: string
  readonly keyId: number
  readonly agentId: AgentId
  readonly firstUsedAt: UnixMs
}

export interface KeyUserRepository {
  keyUsers(): readonly KeyUser[]
  addKeyUser(user: KeyUser): void
}

export interface KeySharing {
  /** Before a request goes out; on disk when it is the agent's first with this key. */
  used(provider: string, keyId: number, agentId: AgentId): void
  /** No other agent with an active grant may use the key by its tags, and none has ever used it. */
  isOwn(provider: string, keyId: number, agentId: AgentId): boolean
}

export type AccessEvent =
  /** The owner is to be asked. */
  | { readonly type: 'access.requested'; readonly ask: ProviderAsk }
  /** Granted, denied or expired. */
  | { readonly type: 'access.settled'; readonly ask: ProviderAsk }
  /** An agent passed a limit of its grant; once in each window. */
  | { readonly type: 'access.limit_passed'; readonly grant: ProviderGrant; readonly limit: string }

/** All that surfaces need to speak of providers, their keys, grants and usage. */
export interface LlmModules {
  readonly providers: Providers
  readonly keys: ProviderKeys
  readonly access: ProviderAccess
  readonly usage: Usage
}
