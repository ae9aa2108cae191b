import type { Requester } from '../identity/index.ts'
import type { UnixMs } from '../kernel/index.ts'
import type { Decider } from './decider.ts'

/** Where a request for approval stands, whatever it is for. */
export type ApprovalState = 'pending' | 'approved' | 'denied' | 'expired' | 'cancelled'

type SettledState = Exclude<ApprovalState, 'pending'>

/** The one state machine: from where to where. An approval that is not in effect yet can be taken back, as while a secret is missing. */
const NEXT_STATES = {
  pending: ['approved', 'denied', 'expired', 'cancelled'],
  approved: ['denied', 'expired', 'cancelled'],
  denied: [],
  expired: [],
  cancelled: [],
} as const satisfies Record<ApprovalState, readonly SettledState[]>

export const canSettle = (from: ApprovalState, to: string): boolean =>
  (NEXT_STATES[from] as readonly string[]).includes(to)

/** Ends without an answer of its own: over, taken back, or covered by another answer. */
export interface Ending {
  readonly to: SettledState
  /** Null: the daemon by itself. */
  readonly by: Decider | null
  /** For the audit. */
  readonly why?: string
}

export type ApprovalEvent =
  /** A person is to be asked. */
  | { readonly type: 'approval.requested'; readonly id: string; readonly requester: Requester }
  /** A person has said yes, and others have to; its card says so. */
  | { readonly type: 'approval.voted'; readonly id: string; readonly requester: Requester }
  /** Its state is another, and its card says so. */
  | {
      readonly type: 'approval.settled'
      readonly id: string
      readonly requester: Requester
      readonly state: SettledState
    }
  /** Nobody has answered, and little time is left. Once for each. */
  | {
      readonly type: 'approval.reminded'
      readonly id: string
      readonly requester: Requester
      readonly expiresAt: UnixMs
    }
  /** What expired is asked once more, by another request, for which `approval.requested` follows. */
  | {
      readonly type: 'approval.asked_again'
      readonly id: string
      readonly requester: Requester
      readonly again: string
    }
