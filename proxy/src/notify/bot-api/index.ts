export {
  type BotApi,
  type BotChat,
  type BotMessage,
  type BotPress,
  type BotUpdate,
  type BotUser,
  createBotApi,
  MESSAGE_LIMIT,
  nameOfUser,
  type OutgoingDocument,
} from './bot-api.ts'
export { type BotClaims, botOf, createBotClaims } from './bot-claims.ts'
export { BotApiError, isOfContent, isTransient, type Trouble, troubleOf } from './bot-errors.ts'
export { type Claim, createPace, type Pace, type PaceLimits, paceOf } from './pace.ts'
export { createPolling } from './polling.ts'
export type { Receiver } from './receiver.ts'
