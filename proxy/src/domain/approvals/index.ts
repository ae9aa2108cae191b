export type { ApprovalCard, TextLine, TextPart } from './approval-card.ts'
export { type Approvals, createApprovals } from './approvals.ts'
export { type Approver, actorOf, type Decider } from './approver.ts'
export { buildCard, type CardInput, type CardModel } from './card-model.ts'
export type { KnownNames } from './card-warnings.ts'
export {
  type Card,
  type CardRepository,
  type Cards,
  type CardVerdict,
  createCards,
} from './cards.ts'
export { type ClockGuard, type ClockRepository, createClockGuard } from './clock-guard.ts'
export { DECISIONS, type DecisionKind, type GrantLevel, isDecisionKind } from './decisions.ts'
export { isOver } from './expiry.ts'
export type { ApprovalKind, ApprovalSubject, DecisionOutcome, RefusalReason } from './kind.ts'
export type { CardReservation, WaitingLimit } from './waiting-limit.ts'
