export {
  type Approver,
  actorOf,
  type Card,
  type CardRepository,
  type Cards,
  type CardVerdict,
  createCards,
  DECISIONS,
  type DecisionKind,
  isDecisionKind,
} from './approvals.ts'
export { buildCard, type CardInput, type CardModel } from './card-model.ts'
