export {
  type ApprovalCard,
  type ApprovalOutcome,
  plainLine,
  type TextLine,
  type TextPart,
} from './approval-card.ts'
export { type ApprovalChoice, type ApprovalChoices, buttonChoices } from './approval-choice.ts'
export { type ApprovalEvent, type ApprovalState, canSettle } from './approval-state.ts'
export { type Approvals, createApprovals, type KindApprovals } from './approvals.ts'
export { createCardStore } from './card-store.ts'
export {
  type Card,
  type Cards,
  type CardVerdict,
  createCards,
} from './cards.ts'
export { type ClockGuard, createClockGuard, hasTimeLeft } from './clock-guard.ts'
export { createClockStore } from './clock-store.ts'
export type { Decider } from './decider.ts'
export { DECISIONS, type DecisionKind, type GrantLevel, isDecisionKind, programChoices } from './decisions.ts'
export { isOver } from './expiry.ts'
export { describeTerms, type GrantTerms, MAX_GRANT_MS, readGrantTerms, readUntil } from './grant-terms.ts'
export type {
  AnswerDetails,
  ApprovalDetail,
  ApprovalKind,
  ApprovalSubject,
  ApprovalView,
  DecisionOutcome,
  FollowUp,
  RefusalReason,
  RemindSpan,
} from './kind.ts'
export { NO_FOLLOW_UP, REMINDED_AT_ONCE } from './kind.ts'
export type { CardModel } from './program-card.ts'
export { createWaiting } from './waiting.ts'
export type { CardForUnit, CardReservation, WaitingLimit } from './waiting-limit.ts'
