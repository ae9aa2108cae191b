import { type Duplex, pipeline, type Readable, Transform, Writable } from 'node:stream'
import type { Dispatcher } from 'undici'
import { currentOwner, onBehalfOf } from '../../kernel/index.ts'
import type { Scrubber } from '../../scrub/index.ts'
import { type BodyFilter, prepareResponse, prepareTrailers, type RequestedPart } from '../index.ts'
import { type Answer, type AnswerSink, createAnswer } from './answer.ts'
import { rawPairs } from './raw-pairs.ts'
import { ShortAnswer } from './short-answer.ts'
import type { RawHeaders, UpstreamController, UpstreamHandler, UpstreamPool } from './upstream-pool.ts'

/** A request that goes on, and where its answer goes. */
export interface ForwardRequest {
  readonly response: AnswerSink
  readonly pool: Pick<UpstreamPool, 'dispatch'>
  readonly method: string
  /** Path and query. */
  readonly path: string
  /** Flat name, value … */
  readonly headers: string[]
  readonly body: Readable | Buffer | null
  /** Looks for secrets in what comes back; null where there are none. */
  readonly scrubber: Scrubber | null
  /** What the client asked for of the answer; null where any part may come. */
  readonly part?: RequestedPart | null
}

/** What becomes of it, as it happens. */
export interface RelayObserver {
  /** The head of the answer will be given on: what else its body goes through, behind the search for secrets. */
  onAnswer(status: number, rawHeaders: readonly string[]): BodyFilter | null
  /** Sent in place of the request that drew this status: the answer to that one is given. At most once. */
  instead?(status: number): Pick<ForwardRequest, 'headers' | 'body'> | null
  /** What the client is to read in place of these. */
  headersToGive?(headers: string[]): string[]
  onBytes(bytes: number): void
  /** Nothing was answered yet, and nothing will be: `unreadable`, or why the upstream cannot be reached. */
  refuse(why: 'unreadable' | Error): void
  /** False once the client may have nothing more. */
  isAuthorized?(): boolean
  /**
   * An answer that has begun is stopped: what it ends with behind `tail`, the last bytes that were given on; null where it is
   * broken off without a word, so that it never looks whole.
   */
  lastWords?(why: 'not_allowed' | Error, tail: Uint8Array): string | null
  /** The client left before the answer's end: whether the rest is read all the same, and given to nobody. */
  readsOn?(): boolean
  /** Nothing more comes: whether the answer had come to its end, and whether anything of the request may have gone out. */
  over?(isWhole: boolean, wasSent: boolean): void
}

export interface ForwardHandle {
  /** Ends the request upstream, as if the upstream had failed for that reason. */
  breakOff(why: Error): void
}

const LEFT = new Error('the client left')

/**
 * Sends a request on and its answer back, both as they come: neither side is read faster than the other takes it. A client
 * that leaves ends the request upstream, unless the observer reads on; an upstream that breaks off breaks the client's answer too, so that it never
 * looks whole, and nothing that was held back is given. How long either may be silent is for the surface to bound.
 */
export function relay(forwardRequest: ForwardRequest, observer: RelayObserver): ForwardHandle {
  const { response, pool, path, method, headers, body } = forwardRequest
  const forwardHandle = new UpstreamExchange(forwardRequest, observer)
  response.on('close', () => forwardHandle.close())
  pool.dispatch({ path, method: method as Dispatcher.HttpMethod, headers, body }, forwardHandle)
  return forwardHandle
}

/** A class, for there is one for each request: its methods are made once. */
class UpstreamExchange implements ForwardHandle, UpstreamHandler {
  readonly #forwardRequest: ForwardRequest
  readonly #observer: RelayObserver
  readonly #owner = currentOwner()
  #controller: UpstreamController | undefined = undefined
  #answer: Answer | undefined = undefined
  #broken: Error | undefined = undefined
  /** Nothing more comes of the upstream. */
  #isOver = false
  #isWhole = false
  /** The client has left, and the answer is read on. */
  #isAbandoned = false
  /** The request that was sent in place of this one. */
  #next: UpstreamExchange | undefined = undefined

  constructor(forwardRequest: ForwardRequest, observer: RelayObserver) {
    this.#forwardRequest = forwardRequest
    this.#observer = observer
  }

  close(): void {
    if (this.#next !== undefined) {
      this.#next.close()
      return
    }
    if (!this.#isOver && this.#observer.readsOn?.() === true) {
      this.#isAbandoned = true
      this.#answer?.abandon()
      return
    }
    this.#end()
  }

  /** Once, and last of all. */
  #end(): void {
    const isUnderWay = !this.#isOver
    this.#isOver = true
    this.#isAbandoned = false
    if (isUnderWay) this.#controller?.abort(LEFT)
    this.#observer.over?.(this.#isWhole, this.#controller !== undefined)
  }

  breakOff(why: Error): void {
    if (this.#next !== undefined) {
      this.#next.breakOff(why)
      return
    }
    this.#broken = why
    this.#controller?.abort(why)
  }

  onRequestStart(started: UpstreamController): void {
    if (this.#forwardRequest.response.destroyed && !this.#isAbandoned) started.abort(LEFT)
    else if (this.#broken !== undefined) started.abort(this.#broken)
    else this.#controller = started
  }

  onResponseStart(started: UpstreamController, statusCode: number): void {
    // Interim answers are between two neighbours (RFC 9110, 15.2).
    if (statusCode < 200) return
    const instead = this.#observer.instead?.(statusCode) ?? null
    if (instead !== null) {
      this.#sendInstead(started, instead)
      return
    }
    const { response, method, scrubber, part = null } = this.#forwardRequest
    const rawHeaders = rawPairs(started.rawHeaders)
    const given = prepareResponse({ scrubber, status: statusCode, rawHeaders, method, part })
    if ('refused' in given) {
      if (this.#isAbandoned) {
        this.#end()
        return
      }
      this.#refuseUnreadable(started)
      return
    }
    const { status } = given
    const behind = this.#observer.onAnswer(status, rawHeaders)
    const told = this.#observer.headersToGive?.(given.headers) ?? given.headers
    const headers = behind === null ? told : withoutLength(told)
    if (given.short !== null) {
      this.#answer = new ShortAnswer(response, {
        status,
        headers,
        short: given.short,
        behind,
        owner: this.#owner,
      })
      return
    }
    const search = given.search()
    const ready = (): void => started.resume()
    if (search === 'encoded') {
      // What would decode it belongs to the client's connection.
      if (this.#isAbandoned) {
        this.#end()
        return
      }
      const searches = onBehalfOf(this.#owner, () => given.transforms())
      const transforms = [...searches, ...transformOf(behind)]
      this.#answer = decodedAnswer(transforms, response, { status, headers }, ready, () => {
        // What was given of it must not look whole; of nothing it can still be said why.
        if (response.headersSent) response.destroy()
        else this.#refuseUnreadable(started)
      })
      return
    }
    const mayHaveBody = method !== 'HEAD' && status !== 204 && status !== 304
    const head = { status, headers, way: { search, behind, owner: this.#owner }, mayHaveBody }
    this.#answer = createAnswer(response, head, ready)
    if (this.#isAbandoned) this.#answer.abandon()
  }

  #sendInstead(started: UpstreamController, instead: Pick<ForwardRequest, 'headers' | 'body'>): void {
    const forwardRequest = { ...this.#forwardRequest, ...instead }
    const { pool, path, method, headers, body } = forwardRequest
    const next = onBehalfOf(this.#owner, () => new UpstreamExchange(forwardRequest, this.#observer))
    next.#isAbandoned = this.#isAbandoned
    this.#next = next
    started.abort(LEFT)
    pool.dispatch({ path, method: method as Dispatcher.HttpMethod, headers, body }, next)
  }

  #refuseUnreadable(started: UpstreamController): void {
    const isUnderWay = !this.#isOver
    this.#isOver = true
    if (isUnderWay) started.abort(LEFT)
    this.#observer.refuse('unreadable')
  }

  onResponseData(started: UpstreamController, chunk: Buffer): void {
    if (this.#next !== undefined) return
    this.#observer.onBytes(chunk.length)
    if (this.#observer.isAuthorized?.() === false) {
      if (this.#isAbandoned) {
        this.#end()
        return
      }
      this.#isOver = true
      started.abort(LEFT)
      this.#stop('not_allowed')
    } else if (this.#answer?.write(chunk) === false) started.pause()
  }

  onResponseEnd(_controller: UpstreamController, trailers?: RawHeaders): void {
    if (this.#next !== undefined) return
    this.#isOver = true
    this.#isWhole = true
    const { response, scrubber } = this.#forwardRequest
    if (trailers) response.giveTrailers?.(prepareTrailers(scrubber, rawPairs(trailers)))
    if (this.#answer === undefined) this.#whole()
    else this.#answer.end(() => this.#whole())
  }

  /** All of the answer was read through. */
  #whole(): void {
    if (this.#isAbandoned) this.#end()
  }

  onResponseError(_controller: UpstreamController, error: Error): void {
    if (this.#next !== undefined) return
    const { response } = this.#forwardRequest
    if (this.#isAbandoned) {
      this.#isOver = true
      this.#end()
      return
    }
    if (this.#isOver || response.destroyed) return
    this.#isOver = true
    if (response.headersSent) this.#stop(error)
    else this.#observer.refuse(error)
  }

  #stop(why: 'not_allowed' | Error): void {
    const lastWords = (tail: Uint8Array): string | null => this.#observer.lastWords?.(why, tail) ?? null
    if (this.#answer?.stop(lastWords) !== true) this.#forwardRequest.response.destroy()
  }
}

/** What goes through something else may come out longer or shorter than it was announced. */
function withoutLength(headers: string[]): string[] {
  if (!headers.some(isLength)) return headers
  return headers.filter((_, at) => !isLength(headers[at - (at % 2)] as string, at - (at % 2)))
}

/** Of a flat list; one that may be changed further is given back where there is none. */
const isLength = (part: string, at: number): boolean =>
  at % 2 === 0 && part.length === CONTENT_LENGTH.length && part.toLowerCase() === CONTENT_LENGTH
const CONTENT_LENGTH = 'content-length'

function transformOf(filter: BodyFilter | null): Duplex[] {
  if (filter === null) return []
  const some = (bytes: Uint8Array): Uint8Array | undefined => (bytes.length === 0 ? undefined : bytes)
  return [
    new Transform({
      transform: (chunk: Uint8Array, _encoding, done) => done(null, some(filter.push(chunk))),
      flush: (done) => done(null, some(filter.end())),
    }),
  ]
}

/** The head leaves with the first of the body, so that of a body which cannot be decoded it is known by then. */
function decodedAnswer(
  transforms: readonly Duplex[],
  response: AnswerSink,
  head: { readonly status: number; readonly headers: string[] },
  ready: () => void,
  failed: () => void,
): Answer {
  const [first, ...rest] = transforms
  if (first === undefined) throw new Error('an encoded body goes through something')
  const begin = (): void => {
    if (response.headersSent) return
    response.sendDate = false
    response.writeHead(head.status, head.headers)
  }
  const sink = new Writable({
    write(chunk: Uint8Array, _encoding, done) {
      begin()
      if (response.write(chunk)) done()
      else response.once('drain', done)
    },
    final(done) {
      begin()
      response.once('finish', done)
      response.end()
    },
  })
  response.once('close', () => sink.destroy())
  pipeline([first, ...rest, sink], (error) => {
    if (error && !response.destroyed) failed()
  })
  first.on('drain', ready)
  return {
    write: (chunk) => first.destroyed || first.write(chunk),
    end(read) {
      first.end()
      read()
    },
    stop: () => false,
    abandon() {},
  }
}
