import { setImmediate as nextTurn } from 'node:timers/promises'
import type { IRouter, Request, Response } from 'express'
import type { Route, RouteHandlers, RouteTable, SentFile } from '../contracts/index.ts'
import { assertBodyOf, sendFile, uploadOf } from './bytes.ts'
import { callerGone } from './caller-gone.ts'
import { drained } from './drained.ts'
import { lastSeen, type SentEvent, sendEvents } from './event-stream.ts'
import { readRouteInput } from './route-input.ts'

const LINES_A_TURN = 500

/** Whoever calls: what answers them, and whether they may. */
export interface RouteCaller<T extends RouteTable> {
  readonly handlers: RouteHandlers<T>
  /** Throws for a caller who may not use the route, or not with the action that it names. */
  readonly assertAllowed: (route: T[keyof T]) => void
}

/**
 * Answers every route of a table with its caller's handler. Whether the caller may is settled before anything that was sent is
 * read, and what some of it takes besides before the handler has it; what is thrown goes to the router's error handler.
 */
export function mountRoutes<T extends RouteTable>(
  router: IRouter,
  table: T,
  callerOf: (request: Request) => RouteCaller<T>,
): void {
  for (const [name, route] of Object.entries<T[keyof T] & Route>(table as never)) {
    const verb = route.method.toLowerCase() as Lowercase<Route['method']>
    router[verb](route.path, async (request, response, next) => {
      // Express answers HEAD by GET: a file would be fetched, and noted as given, and no byte of it sent.
      if (route.isBytes && request.method === 'HEAD') return next()
      const { handlers, assertAllowed } = callerOf(request)
      assertAllowed(route)
      assertBodyOf(route, request)
      const handle = handlers[name] as (input: unknown) => unknown
      const input = readRouteInput(route, request)
      const also = route.alsoTakes
      if (also?.when(input)) assertAllowed({ ...route, action: also.action })
      if (route.isEvents) {
        await answerEvents(request, response, {
          start: (listener) => handle({ ...input, ...listener }) as AsyncIterable<SentEvent>,
          // A session or a membership may end while its stream is open.
          assertAllowed: () => callerOf(request).assertAllowed(route),
        })
        return
      }
      // A body may take its time, and so may whoever reads an answer.
      const assertStill = (): void => callerOf(request).assertAllowed(route)
      const ofFile = {
        ...(route.takesBytes && { upload: uploadOf(route, request, assertStill) }),
        ...((route.takesBytes || route.isBytes) && { signal: callerGone(response) }),
      }
      const answer = await handle({ ...input, ...ofFile })
      if (route.isBytes) await sendFile(response, answer as SentFile, assertStill)
      else if (route.isLines) await sendLines(response, answer as AsyncIterable<unknown>)
      else response.json(answer)
    })
  }
}

/** What refuses before the first event is an error answer as of any route. */
async function answerEvents(
  request: Request,
  response: Response,
  of: {
    readonly start: (listener: {
      readonly after: number
      readonly signal: AbortSignal
    }) => AsyncIterable<SentEvent>
    readonly assertAllowed: () => void
  },
): Promise<void> {
  const after = lastSeen(request.get('last-event-id'))
  // No Content tells an EventSource not to come again.
  if (after === undefined) return void response.status(204).end()
  const signal = callerGone(response)
  const events = of.start({ after, signal })[Symbol.asyncIterator]()
  const first = await events.next()
  const all = (async function* () {
    try {
      for (let next = first; !next.done; next = await events.next()) yield next.value
    } finally {
      await events.return?.()
    }
  })()
  await sendEvents(response, all, { signal, assertAllowed: of.assertAllowed })
}

/** JSON Lines, read in batches, so that a long answer neither fills memory nor holds up the daemon. */
async function sendLines(response: Response, lines: AsyncIterable<unknown>): Promise<void> {
  response.type('application/x-ndjson')
  let batch: string[] = []
  const send = async (): Promise<void> => {
    response.write(batch.join(''))
    batch = []
    await nextTurn()
    await drained(response)
  }
  for await (const line of lines) {
    if (response.destroyed) return
    batch.push(`${JSON.stringify(line)}\n`)
    if (batch.length >= LINES_A_TURN) await send()
  }
  if (batch.length > 0) await send()
  response.end()
}
