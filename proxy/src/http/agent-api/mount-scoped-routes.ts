import type { Request, RequestHandler, Response, Router } from 'express'
import type { z } from 'zod'
import type { Route, RouteInput } from '../../contracts/index.ts'
import type { Action } from '../../identity/index.ts'
import { AppError } from '../../kernel/index.ts'
import { methodNotAllowed, routeName, sendJson } from './edge.ts'

type ScopedRoute = Route & { readonly scope: string; readonly action?: Action }
type ScopedRouteTable = Readonly<Record<string, ScopedRoute>>

/** A call whose path and query are those of its route; the body is the handler's to read. */
type ScopedCall<R extends ScopedRoute, Callers> = Omit<RouteInput<R>, 'body'> & {
  readonly response: Response
  header(name: string): string | undefined
  /** Answers with a form of the route's. */
  send(status: number, answer: z.output<R['answer']>): void
} & (R['scope'] extends keyof Callers ? Callers[R['scope']] : unknown)

/** `Callers`: what is known of who calls, by scope; of a scope that is not there, nothing is. */
export type ScopedHandlers<T extends ScopedRouteTable, Callers> = {
  readonly [Name in keyof T]: (call: ScopedCall<T[Name], Callers>) => Promise<void> | void
}

type Wrap<Callers> = (
  of: { readonly scope: keyof Callers; readonly action: Action | undefined },
  handle: (caller: Callers[keyof Callers], request: Request, response: Response) => Promise<void>,
) => RequestHandler

/** Answers every route of a table, those of scope `open` for whoever comes; any other method of its paths is told which there are. */
export function mountScopedRoutes<T extends ScopedRouteTable, Callers>(
  router: Router,
  table: T,
  handlers: ScopedHandlers<T, Callers>,
  wrap: Wrap<Callers>,
): void {
  const routes = Object.entries<ScopedRoute>(table)
  for (const [path, those] of Map.groupBy(routes, ([, route]) => route.path)) {
    const mounted = router.route(path).all(routeName(path))
    for (const [name, route] of those) {
      const handle = handlers[name] as (call: object) => Promise<void> | void
      const answer = async (caller: object | undefined, request: Request, response: Response) =>
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
          : wrap({ scope: scope as keyof Callers, action }, (caller, request, response) =>
              answer(caller as object, request, response),
            ),
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
