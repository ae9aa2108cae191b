export {
  type Approver,
  type AskId,
  actorOf,
  type Card,
  type CardRepository,
  type CardSubject,
  type Cards,
  type CardVerdict,
  createCards,
  DECISIONS,
  type DecisionKind,
  isAskCard,
  isDecisionKind,
  isRequestCard,
} from './approvals.ts'
export { buildCard, type CardInput, type CardModel } from './card-model.ts'
export type { KnownNames } from './card-warnings.ts'
