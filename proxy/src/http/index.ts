export {
  answerApiError,
  answerError,
  createErrorHandler,
  dropRest,
  type ErrorAnswer,
  knownError,
  writeError,
} from './error-answer.ts'
export { forwardedFor } from './forwarded-for.ts'
export { mountRoutes, type RouteCaller } from './mount-routes.ts'
export { isWebSocketUpgrade } from './upgrade.ts'
