import type { CallerId } from '../../kernel/index.ts'
import type {
  GrantLimits,
  ProviderAccess,
  ProviderAsk,
  ProviderGrant,
  Use,
} from '../provider-access/index.ts'
import type { Budget, SpendingLimits } from '../usage/index.ts'
import type { LlmRefusal } from './refusal.ts'

/** Whose a request is, as far as its way to a vendor asks: an agent, or an app in one of its runs. */
export interface Caller {
  readonly id: CallerId
  readonly name: string
  /** Which keys it may be served with: those that ask for no other tag. */
  readonly tags: readonly string[]
  /** It is served with a seat of its tenant's and no key; left out: with keys and no seat. */
  readonly usesSeat?: boolean
}

/** What lets a request through, and within what. */
export interface Permission extends Pick<ProviderGrant, 'id'> {
  readonly limits: SpendingLimits & Partial<Pick<GrantLimits, 'requests'>>
  /** Of the run that the request is a part of; agents have none. */
  readonly budget?: Budget
  /** The grants that count their requests, where it took several grants; else what its own limits say. */
  readonly counted?: readonly number[]
}

/** Of which grants one request is taken when it goes out. */
export const countedBy = ({ id, limits, counted }: Permission): readonly number[] =>
  counted ?? (limits.requests == null ? NOT_COUNTED : [id])
export const NOT_COUNTED: readonly number[] = []

export interface CallerUse extends Omit<Use, 'agentId'> {
  readonly agentId: CallerId
}

type Verdict =
  | { readonly verdict: 'granted'; readonly grant: Permission }
  | { readonly verdict: 'ask' }
  | { readonly verdict: 'denied'; readonly retryAfterSeconds: number }
  /** Nobody can be asked for it. */
  | { readonly verdict: 'refused'; readonly refusal: LlmRefusal }

/** By what requests of one entrance are let through: for agents, what their owner has granted them (`ProviderAccess`). */
export interface AccessRules
  extends Pick<ProviderAccess, 'revision' | 'grants' | 'takeRequest' | 'requestOver'> {
  evaluate(use: CallerUse, counted?: readonly number[]): Verdict
  holdsGrant(callerId: CallerId, provider: string | null): boolean
  limitsSpending(callerId: CallerId, provider: string | null): boolean
  ask(use: CallerUse): Promise<Pick<ProviderAsk, 'id' | 'status'>>
  wait(askId: string, ms: number, signal: AbortSignal): Promise<Pick<ProviderAsk, 'status'>>
  limitPassed(grant: Permission, limit: string): Promise<void>
}
