export { assertBodyType, hasOwnPace } from './bytes.ts'
export { callerGone } from './caller-gone.ts'
export { drained } from './drained.ts'
export {
  answerApiError,
  answerError,
  createErrorHandler,
  dropRest,
  type ErrorAnswer,
  knownError,
  refuseUpgrade,
  writeError,
} from './error-answer.ts'
export { END_ID, lastSeen, type SentEvent, sendEvents } from './event-stream.ts'
export { forwardedFor } from './forwarded-for.ts'
export { mountRoutes, type RouteCaller } from './mount-routes.ts'
export { NO_FEATURES, setPageHeaders } from './page-headers.ts'
export { createPageOrigins, type PageOrigins } from './page-origins.ts'
export { passes } from './passes.ts'
export { isWebSocketUpgrade } from './upgrade.ts'
