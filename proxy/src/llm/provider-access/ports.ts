import type { ApprovalState, FollowUp, RemindSpan } from '../../approvals/index.ts'
import type { Actor, Principal } from '../../identity/index.ts'
import type { AgentId, CallerId, ConsentHash, ReadTx, Tx, UnixMs } from '../../kernel/index.ts'
import type { ProviderKeys } from '../provider-keys/index.ts'
import type { EndpointGroup, Providers } from '../providers/index.ts'
import type { Usage } from '../usage/index.ts'
import type { GrantLimits, LimitPreset } from './limits.ts'

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
  readonly limits: GrantLimits
  /** Of `limits.requests`: how many went out so far. */
  readonly requestsUsed: number
  readonly grantedBy: string
  readonly grantedAt: UnixMs
  /** Null: until it is revoked. */
  readonly expiresAt: UnixMs | null
  readonly endedAt: UnixMs | null
  readonly endedWhy: 'used' | 'expired' | 'revoked' | 'replaced' | null
}

/** A first use that waits for the owner; a row of `provider_asks`. */
export interface ProviderAsk extends FollowUp {
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
  /** Cancelled: its agent was revoked, or its provider removed. */
  readonly status: ApprovalState
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

/** `1h`, `24h`, `until` and `always` are for how long; `scope` is what for. */
export interface AccessAnswer {
  readonly decision: '1h' | '24h' | 'until' | 'always' | 'deny'
  /** Of `until`: when it ends. */
  readonly until?: UnixMs
  /** `model`: only the one that was asked for; not possible for an ask without one. */
  readonly scope: 'provider' | 'model'
  /** In place of the scope's. */
  readonly models?: readonly string[] | undefined
  readonly paths?: readonly string[] | undefined
  readonly limits?: Partial<GrantLimits> | undefined
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

interface ProviderAccessReader {
  activeGrants(): Promise<readonly ProviderGrant[]>
  askById(id: string): Promise<ProviderAsk | undefined>
  /** The first two whose ids begin so. */
  asksByPrefix(prefix: string): Promise<readonly ProviderAsk[]>
  /** The one that waits for this agent, provider, model and group. */
  pendingDuplicate(use: Omit<Use, 'path'>): Promise<ProviderAsk | undefined>
  /** Of the agent, what is pending and not over. */
  countPending(agentId: AgentId, now: UnixMs): Promise<number>
  /** The oldest first. */
  pendingAsks(agentId: AgentId | null, limit: number): Promise<readonly ProviderAsk[]>
  /** What waits, has no reminder and ends in this span, the soonest first; at most so many. */
  unreminded(span: RemindSpan, limit: number): Promise<readonly ProviderAsk[]>
  /** Decided, expired or cancelled; the newest settled first. */
  settledAsks(agentId: AgentId | null, limit: number): Promise<readonly ProviderAsk[]>
  /** The newest denial of each agent and provider, of those that were decided at `since` or later. */
  denials(
    since: UnixMs,
  ): Promise<readonly { readonly agentId: AgentId; readonly provider: string; readonly at: UnixMs }[]>
}

export interface ProviderAccessStore extends ProviderAccessReader {
  insertGrant(grant: Omit<ProviderGrant, 'id'>): Promise<ProviderGrant>
  endGrant(id: number, at: UnixMs, why: NonNullable<ProviderGrant['endedWhy']>): Promise<void>
  setGrant(id: number, change: Pick<ProviderGrant, 'groups' | 'models' | 'paths' | 'limits'>): Promise<void>
  /** One request more; false where it has none left, has ended or counts none. Compare and set: the last one is taken once. */
  takeRequest(id: number): Promise<boolean>
  insertAsk(ask: ProviderAsk): Promise<void>
  settleAsk(ask: ProviderAsk): Promise<void>
  followUpAsk(id: string, followUp: FollowUp): Promise<void>
}

declare module '../../kernel/unit-of-work.ts' {
  interface StorePorts {
    readonly providerAccess: StorePort<ProviderAccessReader, ProviderAccessStore>
  }
}

export interface ProviderAccess {
  /** Once, before anything is asked. */
  load(tx: ReadTx): Promise<void>
  /** From memory: no disk on the way of a request. `counted` has taken its request of these grants: they hold for it, used up or not. */
  evaluate(use: Use, counted?: readonly number[]): AccessVerdict
  /**
   * Before a request goes out that is counted by these grants: one of each of them, on disk when it resolves; false where one has none
   * left, and then none was taken. Whatever becomes of the request, none is given back, and `requestOver` is called once.
   */
  takeRequest(counted: readonly number[]): Promise<boolean>
  requestOver(counted: readonly number[]): void
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
  ask(use: Use): Promise<ProviderAsk>
  /** Resolves when the ask is settled, the time is over or the signal is aborted, with its state at that time. */
  wait(askId: string, ms: number, signal: AbortSignal): Promise<ProviderAsk>
  find(askId: string): Promise<ProviderAsk | undefined>
  /** By its id or the beginning of it, whatever its state; throws not_found, or invalid_request where it fits two. */
  resolve(idOrBeginning: string): Promise<ProviderAsk>
  pending(tx: ReadTx): Promise<readonly ProviderAsk[]>
  card(askId: string): Promise<AccessCard | undefined>
  /** Of what its card shows; a decision names the one that was shown. */
  contentHash(ask: ProviderAsk): ConsentHash
  /** Throws not_found, or refused when it is settled, has expired, or is by now another than was shown. */
  decide(askId: string, shownHash: string, answer: AccessAnswer, by: Principal): Promise<ProviderAsk>
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
      readonly limits: GrantLimits
    },
    actor: Actor,
  ): Promise<ProviderGrant>
  grants(): readonly ProviderGrant[]
  limit(
    id: number,
    change: Partial<Pick<ProviderGrant, 'models' | 'paths'>> & {
      readonly groups?: readonly string[]
      readonly limits?: Partial<GrantLimits>
    },
    actor: Actor,
  ): Promise<ProviderGrant>
  revoke(id: number, actor: Actor): Promise<ProviderGrant>
  /** In the unit that revokes the agent. */
  agentRevoked(tx: Tx, agentId: AgentId, actor: Actor): Promise<void>
  /** In the unit of what ends them all. */
  revokeAll(tx: Tx, actor: Actor): Promise<void>
  /**
   * In the unit that removes the provider: what was granted or asked for it is over, so that another of
   * its name begins with nothing.
   */
  providerRemoved(tx: Tx, name: string, actor: Actor): Promise<void>
  /** A limit was passed: the audit is told, and the owner once in each window. */
  limitPassed(grant: ProviderGrant, limit: string): Promise<void>
  /** Ends what has expired. */
  tick(): Promise<void>
}

/** An agent has used a key, or a provider that takes none (then `keyId` is 0); a row of `provider_key_users`. */
interface KeyUser {
  readonly provider: string
  readonly keyId: number
  readonly agentId: CallerId
  readonly firstUsedAt: UnixMs
}

interface KeyUserReader {
  keyUsers(): Promise<readonly KeyUser[]>
}

export interface KeyUserStore extends KeyUserReader {
  addKeyUser(user: KeyUser): Promise<void>
}

declare module '../../kernel/unit-of-work.ts' {
  interface StorePorts {
    readonly keyUsers: StorePort<KeyUserReader, KeyUserStore>
  }
}

export interface KeySharing {
  /** Once, before anything is asked. */
  load(tx: ReadTx): Promise<void>
  /**
   * Before a request goes out: undefined, or what the request waits for when it is the agent's first with this key, which has to
   * be on disk.
   */
  used(provider: string, keyId: number, agentId: CallerId): Promise<void> | undefined
  /** No other agent with an active grant may use the key by its tags, and none has ever used it. */
  isOwn(provider: string, keyId: number, agentId: CallerId): boolean
}

/** An agent passed a limit of its grant; once in each window. */
export type AccessEvent = {
  readonly type: 'access.limit_passed'
  readonly grant: ProviderGrant
  readonly limit: string
}

/** All that surfaces need to speak of providers, their keys, grants and usage. */
export interface LlmModules {
  readonly providers: Providers
  readonly keys: ProviderKeys
  readonly access: ProviderAccess
  readonly usage: Usage
}
