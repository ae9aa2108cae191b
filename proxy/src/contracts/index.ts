export { createRouteClient, type RouteClient, type RouteRequest } from './client.ts'
export { desktopName, HOST_DEFAULTS } from './host-defaults.ts'
export { type DescribedRoute, describeApi } from './openapi.ts'
export {
  pathOf,
  type Route,
  type RouteCall,
  type RouteHandlers,
  type RouteInput,
  type RouteTable,
  type SentFile,
  type Upload,
} from './route.ts'
export {
  SOCKET_PURPOSES,
  type SocketPurpose,
  type TicketPurpose,
} from './socket-purposes.ts'
