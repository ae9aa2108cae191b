import { ADMIN_ROUTES, CONSOLE_ROUTES } from 'virtual:routes'
import type { AdminRoutes } from '../../../src/contracts/admin/index.ts'
import { createRouteClient } from '../../../src/contracts/client.ts'
import type { ConsoleRoutes } from '../../../src/contracts/console/index.ts'
import { pathOf, type RouteTable } from '../../../src/contracts/route.ts'
import { API, httpTransport } from './transport.ts'

/** The page is served by the daemon that answers it: its answers are taken as the table's types say. */
const asSent = { safeParse: (data: unknown) => ({ success: true, data }) }

const withoutSchemas = <T extends RouteTable>(routes: unknown): T =>
  Object.fromEntries(
    Object.entries(routes as Record<string, object>).map(([name, route]) => [
      name,
      { ...route, answer: asSent },
    ]),
  ) as unknown as T

/** Every route of the owner's API by its name: `await api.call('listApprovals', { query: { all: '1' } })`. */
export const api = createRouteClient(withoutSchemas<AdminRoutes>(ADMIN_ROUTES), httpTransport)

/** The routes of the session itself. */
export const session = createRouteClient(withoutSchemas<ConsoleRoutes>(CONSOLE_ROUTES), httpTransport)

/** Where an EventSource reads a route whose answer is a stream. */
export const addressOf = (
  name: keyof AdminRoutes,
  params: Readonly<Record<string, string | number>>,
): string => API + pathOf((ADMIN_ROUTES as AdminRoutes)[name].path, params)
