import type { Route, RouteAnswer, RouteCall, RouteTable } from './route.ts'
import { pathOf } from './route.ts'

export interface RouteRequest {
  readonly method: Route['method']
  /** With the query. */
  readonly path: string
  /** To be sent as JSON; undefined: there is none. */
  readonly body: unknown
  /** The answer ends when what it tells of does. */
  readonly isEvents?: true
  /** To be sent as it is, in the place of a body of JSON. */
  readonly content?: Blob | Uint8Array
  /** Whoever follows leaves. */
  readonly signal?: AbortSignal | undefined
}

/** Nothing need be said where a route takes nothing. */
type CallArguments<R extends Route> =
  unknown extends RouteCall<R>
    ? []
    : Partial<RouteCall<R>> extends RouteCall<R>
      ? [call?: RouteCall<R>]
      : [call: RouteCall<R>]

type KindOf<R extends Route> = R extends { readonly isLines: true }
  ? 'lines'
  : R extends { readonly isEvents: true }
    ? 'events'
    : R extends { readonly isBytes: true }
      ? 'bytes'
      : 'one'
type Names<T extends RouteTable, Kind extends 'one' | 'lines' | 'events' | 'bytes'> = {
  [Name in keyof T]: KindOf<T[Name]> extends Kind ? Name : never
}[keyof T]

/** Calls the routes of a table by their names; answers are parsed by the table's schemas. */
export interface RouteClient<T extends RouteTable> {
  call<Name extends Names<T, 'one'>>(
    name: Name,
    ...call: CallArguments<T[Name]>
  ): Promise<RouteAnswer<T[Name]>>
  /** The answer line by line, as it arrives. */
  lines<Name extends Names<T, 'lines'>>(
    name: Name,
    ...call: CallArguments<T[Name]>
  ): AsyncGenerator<RouteAnswer<T[Name]>>
  /** Server-sent events from the beginning, as they arrive, to the end of the connection; throws where the signal ends it. */
  events<Name extends Names<T, 'events'>>(
    name: Name,
    call: RouteCall<T[Name]> & { readonly signal?: AbortSignal | undefined },
  ): AsyncGenerator<{ readonly event: string; readonly data: RouteAnswer<T[Name]> }>
  /** All of a file; rejects where it ended early. */
  bytes<Name extends Names<T, 'bytes'>>(
    name: Name,
    ...call: CallArguments<T[Name]>
  ): Promise<Uint8Array<ArrayBuffer>>
}

/** How requests travel: both throw where the answer is a refusal. */
export interface RouteTransport {
  /** The body of an answer that succeeded; undefined where it is not JSON. */
  send(request: RouteRequest): Promise<unknown>
  /** The lines of such an answer, as text. */
  lines(request: RouteRequest): AsyncIterable<string>
  /** All bytes of such an answer. */
  bytes(request: RouteRequest): Promise<Uint8Array<ArrayBuffer>>
  /** What is thrown for an answer that has another form than the table says. */
  strangeAnswer(): Error
}

export function createRouteClient<T extends RouteTable>(table: T, transport: RouteTransport): RouteClient<T> {
  const requestOf = (route: Route, [call]: readonly unknown[]): RouteRequest => {
    const { params, query, body, content, signal } = (call ?? {}) as {
      params?: Record<string, string | number>
      query?: Record<string, unknown>
      body?: unknown
      content?: Blob | Uint8Array
      signal?: AbortSignal
    }
    return {
      ...{ method: route.method, path: pathOf(route.path, params, query), body },
      ...(content !== undefined && { content }),
      ...(route.isEvents && { isEvents: true, signal }),
    }
  }
  const routeOf = (name: keyof T): Route => {
    const route = table[name]
    if (route === undefined) throw new TypeError(`There is no route ${String(name)}.`)
    return route
  }
  const parsed = (route: Route, value: unknown): unknown => {
    const result = route.answer.safeParse(value)
    if (!result.success) throw transport.strangeAnswer()
    return result.data
  }
  const parsedText = (route: Route, text: string): unknown => {
    let value: unknown
    try {
      value = JSON.parse(text)
    } catch {
      throw transport.strangeAnswer()
    }
    return parsed(route, value)
  }
  return {
    async call(name, ...call) {
      const route = routeOf(name)
      return parsed(route, await transport.send(requestOf(route, call))) as RouteAnswer<T[typeof name]>
    },
    async *lines(name, ...call) {
      const route = routeOf(name)
      for await (const line of transport.lines(requestOf(route, call)))
        if (line !== '') yield parsedText(route, line) as RouteAnswer<T[typeof name]>
    },
    bytes: (name, ...call) => transport.bytes(requestOf(routeOf(name), call)),
    async *events(name, call) {
      const route = routeOf(name)
      let event = ''
      for await (const line of transport.lines(requestOf(route, [call]))) {
        if (line.startsWith('event: ')) event = line.slice('event: '.length)
        if (line.startsWith('data: '))
          yield { event, data: parsedText(route, line.slice('data: '.length)) as RouteAnswer<T[typeof name]> }
      }
    },
  }
}
