export { botView } from '../bot-schemas.ts'
export { CDP_ROUTES } from './cdp-routes.ts'
export {
  CHAT_ROUTES,
  type CompletionChunk,
  type CompletionView,
  completionBody,
  completionChunk,
  completionView,
} from './chat-routes.ts'
export { debugLogView, debugProcessesView, debugVersionView } from './debug-routes.ts'
export {
  type DesktopView,
  desktopView,
  type InstanceView,
  instanceFilesView,
  instanceView,
  pageView,
  ticketView,
} from './instance-routes.ts'
export { ACCOUNT_ROUTES, type AccountRoutes, type AccountScope, ALWAYS_REFUSED } from './routes.ts'
export { keyView, logInView, meView, tokensView, userView } from './schemas.ts'
export { SOCKET_ROUTES } from './socket-routes.ts'
