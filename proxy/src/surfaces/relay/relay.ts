import type { ServerResponse } from 'node:http'
import { type Duplex, pipeline, type Readable, Transform } from 'node:stream'
import type { Dispatcher, Pool } from 'undici'
import { type BodySearch, prepareResponse } from '../../domain/egress/index.ts'
import type { Scrubber } from '../../domain/scrub/index.ts'
import { type Answer, createAnswer } from './answer.ts'

export interface Relaying {
  readonly response: ServerResponse
  readonly pool: Pool
  readonly method: string
  /** Path and query. */
  readonly path: string
  /** Flat name, value … */
  readonly headers: string[]
  readonly body: Readable | Buffer | null
  /** For the head, and between two pieces of the body; 0 for none. */
  readonly silenceMs: number
  /** Looks for secrets in what comes back; null where there are none. */
  readonly scrubber: Scrubber | null
  /** The head of the answer will be given on: what else its body goes through, behind the search for secrets. */
  readonly onAnswer: (status: number, rawHeaders: readonly string[]) => BodySearch | null
  readonly onBytes: (bytes: number) => void
  /** Nothing was answered yet, and nothing will be: `unreadable`, or why the upstream cannot be reached. */
  readonly refuse: (why: 'unreadable' | Error) => void
  /** False once the client may have nothing more. */
  readonly mayGoOn?: () => boolean
}

/** How an exchange stands; asked when the response is closed. */
export interface Relayed {
  /** The upstream's answer came to its end. */
  readonly isWhole: boolean
}

const LEFT = new Error('the client left')

/**
 * Sends a request on and its answer back, both as they come: neither side is read faster than the other takes it. A client
 * that leaves ends the request upstream; an upstream that breaks off breaks the client's answer too, so that it never
 * looks whole, and nothing that was held back is given.
 */
export function relay(relaying: Relaying): Relayed {
  const { response, pool, method, mayGoOn } = relaying
  let controller: Dispatcher.DispatchController | undefined
  let answer: Answer | undefined
  let isOver = false
  let isWhole = false

  response.once('close', () => {
    if (!isOver) controller?.abort(LEFT)
    isOver = true
  })

  pool.dispatch(
    {
      path: relaying.path,
      method: method as Dispatcher.HttpMethod,
      headers: relaying.headers,
      body: relaying.body,
      headersTimeout: relaying.silenceMs,
      bodyTimeout: relaying.silenceMs,
    },
    {
      onRequestStart(started) {
        controller = started
        if (response.destroyed) started.abort(LEFT)
      },
      onResponseStart(started, status) {
        // Interim answers are between two neighbours (RFC 9110, 15.2).
        if (status < 200) return
        const rawHeaders = rawPairs(started.rawHeaders)
        const given = prepareResponse({ scrubber: relaying.scrubber, status, rawHeaders, method })
        if ('refused' in given) {
          isOver = true
          started.abort(LEFT)
          return relaying.refuse('unreadable')
        }
        const behind = relaying.onAnswer(status, rawHeaders)
        const headers = behind === null ? given.headers : withoutLength(given.headers)
        if (given.short !== null) {
          answer = shortAnswer(response, status, headers, given.short, behind)
          return
        }
        const search = given.search()
        const ready = (): void => started.resume()
        if (search === 'encoded') {
          response.sendDate = false
          response.writeHead(status, headers)
          answer = decodedAnswer([...given.transforms(), ...transformOf(behind)], response, ready)
          return
        }
        const mayHaveBody = method !== 'HEAD' && status !== 204 && status !== 304
        const head = { status, headers, search: inTurn(search, behind), mayHaveBody }
        answer = createAnswer(response, head, ready)
      },
      onResponseData(started, chunk) {
        relaying.onBytes(chunk.length)
        if (mayGoOn?.() === false) return void response.destroy()
        if (answer?.write(chunk) === false) started.pause()
      },
      onResponseEnd() {
        isOver = true
        isWhole = true
        answer?.end()
      },
      onResponseError(_controller, error) {
        if (isOver || response.destroyed) return
        isOver = true
        if (!response.headersSent) relaying.refuse(error)
        else response.destroy()
      },
    },
  )
  return {
    get isWhole() {
      return isWhole
    },
  }
}

/** What goes through something else may come out longer or shorter than it was announced. */
function withoutLength(headers: readonly string[]): string[] {
  const kept: string[] = []
  for (let at = 0; at + 1 < headers.length; at += 2) {
    const [name, value] = [headers[at] as string, headers[at + 1] as string]
    if (name.toLowerCase() !== 'content-length') kept.push(name, value)
  }
  return kept
}

/** Head and body leave together once the body is there: one write, and one look at it. */
function shortAnswer(
  response: ServerResponse,
  status: number,
  headers: string[],
  clean: (body: Uint8Array) => Uint8Array,
  behind: BodySearch | null,
): Answer {
  const parts: Uint8Array[] = []
  return {
    write(chunk) {
      parts.push(chunk)
      return true
    },
    end() {
      if (response.destroyed) return
      const [only] = parts
      let body = clean(parts.length === 1 && only !== undefined ? only : Buffer.concat(parts))
      if (behind !== null) {
        body = behind.push(body)
        const rest = behind.end()
        if (rest.length > 0) body = Buffer.concat([body, rest])
      }
      headers.push('content-length', String(body.length))
      response.sendDate = false
      response.writeHead(status, headers)
      response.end(body)
    },
  }
}

function inTurn(first: BodySearch | null, second: BodySearch | null): BodySearch | null {
  if (first === null || second === null) return first ?? second
  return {
    push: (chunk) => second.push(first.push(chunk)),
    end() {
      const last = second.push(first.end())
      const rest = second.end()
      return rest.length === 0 ? last : Buffer.concat([last, rest])
    },
  }
}

function transformOf(search: BodySearch | null): Duplex[] {
  if (search === null) return []
  const some = (bytes: Uint8Array): Uint8Array | undefined => (bytes.length === 0 ? undefined : bytes)
  return [
    new Transform({
      transform: (chunk: Uint8Array, _encoding, done) => done(null, some(search.push(chunk))),
      flush: (done) => done(null, some(search.end())),
    }),
  ]
}

/** A body that cannot be decoded destroys the response with the rest: an answer that was cut never looks whole. */
function decodedAnswer(transforms: readonly Duplex[], response: ServerResponse, ready: () => void): Answer {
  const [first, ...rest] = transforms
  if (first === undefined) throw new Error('an encoded body goes through something')
  pipeline([first, ...rest, response], () => {})
  first.on('drain', ready)
  return {
    write: (chunk) => first.destroyed || first.write(chunk),
    end: () => void first.end(),
  }
}

function rawPairs(headers: Dispatcher.DispatchController['rawHeaders']): string[] {
  if (!Array.isArray(headers)) throw new TypeError('raw headers are a list')
  return headers.map((part) => (typeof part === 'string' ? part : part.toString('latin1')))
}
