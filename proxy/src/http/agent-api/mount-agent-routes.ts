import type { Request, RequestHandler, Response, Router } from 'express'
import type { z } from 'zod'
import type { AgentScope } from '../../contracts/agent/index.ts'
import type { Route, RouteInput } from '../../contracts/index.ts'
import type { Action } from '../../identity/index.ts'
import { AppError } from '../../kernel/index.ts'
import { methodNotAllowed, routeName, sendJson } from './edge.ts'
import type { AgentCaller } from './for-agent.ts'

type AgentRoute = Route & { readonly scope: AgentScope; readonly action?: Action }
type AgentRouteTable = Readonly<Record<string, AgentRoute>>

/** A call whose path and query are those of its route; the body is the handler's to read. */
type AgentCall<R extends AgentRoute> = Omit<RouteInput<R>, 'body'> & {
  readonly response: Response
  header(name: string): string | undefined
  /** Answers with a form of the route's. */
  send(status: number, answer: z.output<R['answer']>): void
} & (R['scope'] extends 'open' ? unknown : AgentCaller)

export type AgentHandlers<T extends AgentRouteTable> = {
  readonly [Name in keyof T]: (call: AgentCall<T[Name]>) => Promise<void> | void
}

type Wrap = (
  of: { readonly limit: Exclude<AgentScope, 'open'>; readonly action: Action | undefined },
  handle: (caller: AgentCaller, request: Request, response: Response) => Promise<void>,
) => RequestHandler

/** Answers every route of a table; any other method of its paths is told which there are. */
export function mountAgentRoutes<T extends AgentRouteTable>(
  router: Router,
  table: T,
  handlers: AgentHandlers<T>,
  forAgent: Wrap,
): void {
  const routes = Object.entries<AgentRoute>(table)
  for (const [path, those] of Map.groupBy(routes, ([, route]) => route.path)) {
    const mounted = router.route(path).all(routeName(path))
    for (const [name, route] of those) {
      const handle = handlers[name] as (call: object) => Promise<void> | void
      const answer = async (caller: AgentCaller | undefined, request: Request, response: Response) =>
        await handle({
          ...caller,
          response,
          params: request.params,
          query: route.query === undefined ? {} : checkedQuery(route.query, request.query),
          header(field: string) {
            const value = request.headers[field]
            return Array.isArray(value) ? value.join(', ') : value
          },
          send: (status: number, body: unknown) => sendJson(response, status, body),
        })
      const verb = route.method.toLowerCase() as Lowercase<Route['method']>
      const { scope, action } = route
      mounted[verb](
        scope === 'open'
          ? (request, response) => answer(undefined, request, response)
          : forAgent({ limit: scope, action }, answer),
      )
    }
    mounted.all(methodNotAllowed(...those.map(([, { method }]) => method).sort(byUse)))
  }
}

const ORDER = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']
const byUse = (one: string, other: string): number => ORDER.indexOf(one) - ORDER.indexOf(other)

function checkedQuery(schema: z.ZodType, query: unknown): unknown {
  const parsed = schema.safeParse(query)
  if (parsed.success) return parsed.data
  const details = parsed.error.issues.map(({ path, message }) => ({ path, message }))
  throw new AppError('invalid_request', details[0]?.message ?? 'The query is not valid.', { details })
}
