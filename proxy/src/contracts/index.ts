export { createRouteClient, type RouteClient, type RouteRequest } from './client.ts'
export { pathOf, type Route, type RouteCall, type RouteHandlers, type RouteTable } from './route.ts'
