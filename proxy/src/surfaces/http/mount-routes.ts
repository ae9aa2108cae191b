import type { IRouter, Response } from 'express'
import type { Route, RouteHandlers, RouteTable } from '../../contracts/index.ts'
import { readRouteInput } from './route-input.ts'

const LINES_A_TURN = 500

/** Answers every route of a table with its handler; what a handler throws goes to the router's error handler. */
export function mountRoutes<T extends RouteTable>(
  router: IRouter,
  table: T,
  handlers: RouteHandlers<T>,
): void {
  for (const [name, route] of Object.entries<Route>(table)) {
    const handle = handlers[name] as (input: unknown) => unknown
    const verb = route.method.toLowerCase() as Lowercase<Route['method']>
    router[verb](route.path, async (request, response) => {
      const answer = await handle(readRouteInput(route, request))
      if (route.isLines) await sendLines(response, answer as Iterable<unknown>)
      else response.json(answer)
    })
  }
}

/** JSON Lines, read in batches, so that a long answer neither fills memory nor holds up the daemon. */
async function sendLines(response: Response, lines: Iterable<unknown>): Promise<void> {
  response.type('application/x-ndjson')
  let batch: string[] = []
  const send = async (): Promise<void> => {
    const isFlushed = response.write(batch.join(''))
    batch = []
    await new Promise<void>((resolve) => {
      if (isFlushed || response.destroyed) setImmediate(resolve)
      else response.once('drain', resolve).once('close', resolve)
    })
  }
  for (const line of lines) {
    if (response.destroyed) return
    batch.push(`${JSON.stringify(line)}\n`)
    if (batch.length >= LINES_A_TURN) await send()
  }
  if (batch.length > 0) await send()
  response.end()
}
