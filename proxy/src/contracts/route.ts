import type { z } from 'zod'
import type { ErrorCode } from '../kernel/index.ts'

/**
 * A route over HTTP as both sides see it. Servers are built from tables of these (a handler for each name), clients
 * call by name, and the reference pages are written from them: what one side alone has does not compile.
 */
export interface Route {
  readonly method: 'GET' | 'PUT' | 'POST' | 'PATCH' | 'DELETE'
  /** `:name` is a segment that the caller fills in. */
  readonly path: `/${string}`
  /** One sentence for the reference. */
  readonly summary: string
  /** Who may call it; surfaces say what that takes. */
  readonly scope: string
  /** What its caller must be allowed to do, in the words of the table of permissions; left out where nobody is asked for. */
  readonly action?: string
  /** What it takes besides, for some of what may be sent. */
  readonly alsoTakes?: { readonly action: string; when(input: { readonly body: unknown }): boolean }
  /** Of the segments, where more is asked of them than to be there. */
  readonly params?: z.ZodType
  readonly query?: z.ZodType
  readonly body?: z.ZodType
  /** Largest body in bytes, where it is not the surface's usual one. */
  readonly maxBodyBytes?: number
  readonly answer: z.ZodType
  /** The answer is JSON Lines (application/x-ndjson), each line of the form of `answer`. */
  readonly isLines?: true
  /**
   * The answer is server-sent events (text/event-stream), the data of each of the form of `answer`; who comes back with Last-Event-ID
   * goes on behind it.
   */
  readonly isEvents?: true
  /** The body is bytes as they are (application/octet-stream), whose number comes first (Content-Length): `maxBodyBytes` at most. */
  readonly takesBytes?: true
  /** The answer is one file (application/octet-stream), to be saved and never shown; `answer` is the form of its bytes. */
  readonly isBytes?: true
  /** What it refuses beyond what every route of its surface may. */
  readonly errors: readonly ErrorCode[]
}

export type RouteTable = Readonly<Record<string, Route>>

/** Names of the segments that a path leaves open. */
type PathNames<Path extends string> = Path extends `${string}:${infer Name}/${infer Rest}`
  ? Name | PathNames<Rest>
  : Path extends `${string}:${infer Name}`
    ? Name
    : never

type Checked<R extends Route, K extends 'query' | 'body'> = R extends {
  readonly [P in K]: infer S extends z.ZodType
}
  ? { readonly [P in K]: z.output<S> }
  : unknown

/** Numbers are written out for whoever calls. */
type Query<Q> = {
  readonly [Name in keyof Q]: Q[Name] | (string extends Q[Name] ? number : never) | undefined
}

/** What is sent need not be the sender's to change. */
type Given<T> = T extends readonly (infer Item)[]
  ? readonly Given<Item>[]
  : T extends object
    ? { readonly [Name in keyof T]: Given<T[Name]> }
    : T

/** What a handler is given: every part checked. */
export type RouteInput<R extends Route> = Checked<R, 'query'> &
  Checked<R, 'body'> & {
    readonly params: R extends { readonly params: infer S extends z.ZodType }
      ? z.output<S>
      : { readonly [Name in PathNames<R['path']>]: string }
  }

/** A body of bytes, as it comes: it is to be read once, by whoever has room for it. */
export interface Upload {
  readonly bytes: number
  /** Ends when all of it came from somebody who still may; throws AppErrors. */
  readonly source: AsyncIterable<Uint8Array>
}
/** A file that is answered; disposed of when it was sent, or nobody reads it any more. */
export interface SentFile extends Disposable {
  readonly name: string
  readonly content: Uint8Array
  /** Nothing more of it is sent from then on. */
  readonly until: AbortSignal
}

/** What a caller says; `params` are encoded for it. */
export type RouteCall<R extends Route> = (R extends { readonly takesBytes: true }
  ? { readonly content: Blob | Uint8Array }
  : unknown) &
  (R extends { readonly query: infer S extends z.ZodType }
    ? Partial<z.input<S>> extends z.input<S>
      ? { readonly query?: Query<z.input<S>> }
      : { readonly query: Query<z.input<S>> }
    : unknown) &
  (R extends { readonly body: infer S extends z.ZodType } ? { readonly body: Given<z.input<S>> } : unknown) &
  ([PathNames<R['path']>] extends [never]
    ? unknown
    : { readonly params: { readonly [Name in PathNames<R['path']>]: string | number } })

export type RouteAnswer<R extends Route> = z.output<R['answer']>

type Sent<R extends Route> = Given<z.input<R['answer']>>

/** One of a stream; `id` is what its reader comes back with, left out where nothing is lost by seeing it twice. */
interface RouteEvent<Data> {
  readonly event: string
  readonly id?: number | string | undefined
  readonly data: Data
}
/** What the handler of a stream is given besides. */
interface Listener {
  /** The number of the last event that was seen; 0 for none. */
  readonly after: number
  /** Aborted when nobody reads any more. */
  readonly signal: AbortSignal
}

/** What the handler of a file is given besides; `signal` aborts when its caller is gone. */
type FileInput<R extends Route> = R extends { readonly takesBytes: true }
  ? { readonly upload: Upload; readonly signal: AbortSignal }
  : R extends { readonly isBytes: true }
    ? { readonly signal: AbortSignal }
    : unknown

/** A function for each route of a table, which answers what the table says. */
export type RouteHandlers<T extends RouteTable> = {
  readonly [Name in keyof T]: T[Name] extends { readonly isEvents: true }
    ? (input: RouteInput<T[Name]> & Listener) => AsyncIterable<RouteEvent<Sent<T[Name]>>>
    : (
        input: RouteInput<T[Name]> & FileInput<T[Name]>,
      ) => T[Name] extends { readonly isLines: true }
        ? AsyncIterable<Sent<T[Name]>>
        : T[Name] extends { readonly isBytes: true }
          ? Promise<SentFile>
          : Sent<T[Name]> | Promise<Sent<T[Name]>>
}

/** The path with its open segments filled in and encoded, and the query behind it. */
export function pathOf(
  path: string,
  params: Readonly<Record<string, string | number>> = {},
  query: Readonly<Record<string, unknown>> = {},
): string {
  const filled = path.replace(/:([A-Za-z_]+)/g, (_, name: string) =>
    encodeURIComponent(params[name] ?? missing(name)),
  )
  const given = Object.entries(query).filter(([, value]) => value !== undefined)
  if (given.length === 0) return filled
  return `${filled}?${new URLSearchParams(given.map(([name, value]): [string, string] => [name, String(value)]))}`
}

function missing(name: string): never {
  throw new TypeError(`The path has no ${name}.`)
}
