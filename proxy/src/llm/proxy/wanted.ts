import type { KeySharing } from '../provider-access/index.ts'
import type { KeyUse, PickedKey, ProviderKeys } from '../provider-keys/index.ts'
import type { Admission, SpendingLimits, Usage } from '../usage/index.ts'
import type { AllowedBy } from './allowed-revision.ts'
import type { AccessRules, Caller } from './caller.ts'
import type { GrantCriteria } from './grant-criteria.ts'
import type { Patience } from './patience.ts'
import type { LlmRefusal } from './refusal.ts'
import type { Spending } from './spending.ts'

/** All that admission asks of a request. */
export interface Wanted extends GrantCriteria {
  /** As the agent is by now: it may change while its owner is asked. */
  agent: Caller
  /** What it is of a key that its vendor may refuse. */
  readonly keyUse: KeyUse
  /** The one key that what it goes on with was begun with; null: any. */
  readonly onlyKey: number | null
  readonly estimate: { readonly inputTokens: number; readonly outputTokens: number }
  /**
   * The most that it may use; asked only where tokens or money are limited. `isLowered`: with less left than it declares, it may be
   * admitted with a smaller maximum.
   */
  spending(limits: SpendingLimits, isLowered: boolean): Spending | LlmRefusal
  /** Whether its body may speak of something that is kept at the vendor. Looked for when others use the same key. */
  refersToStored(): boolean
  /** How long it waits for the owner; asked only when it has to. */
  patience(): Patience
  /** Aborted when the client leaves. */
  gone(): AbortSignal
  /** The agent as it is by now; null when its token holds no longer, or not from this address. */
  revalidateToken(): Caller | null
  /** Whether the provider's name still means the upstream that it meant when the request came. */
  isSameUpstream(): boolean
}

/** A request that goes out. */
export interface Admitted {
  readonly key: PickedKey | null
  /** It reads or writes what is kept at the vendor: it goes on only while no other agent may use the key. */
  readonly needsOwnKey: boolean
  readonly place: Admission
  /** Grants that it has taken a request of. */
  readonly counted: readonly number[]
  /** What was reserved for it; null where neither tokens nor money are limited. */
  readonly spending: Spending | null
  /** Of all that it was evaluated from: it goes out only while that stands. */
  readonly revision: number
}

export interface AdmissionDeps extends AllowedBy {
  readonly access: AccessRules
  readonly keys: ProviderKeys
  readonly sharing: KeySharing
  readonly usage: Usage
  /** Aborted when the daemon stops: nobody waits for the owner any longer. */
  readonly closing: AbortSignal
  /** Whether the owner is asked in a chat, or on the daemon's machine alone. */
  readonly asksInChat: boolean
}
