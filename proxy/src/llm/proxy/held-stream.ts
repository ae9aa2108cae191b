import { Writable } from 'node:stream'
import type { AnswerSink } from '../../egress/relay/index.ts'
import type { LlmResponse } from './client.ts'
import { type StreamForm, vendorErrorEvent } from './error-form.ts'
import { type LlmRefusal, refusalEvent } from './refusal.ts'

/**
 * An event of its own: clients read over it, and every time limit between two bytes begins anew. (A comment in the
 * middle of an event makes `@google/genai` drop that event.)
 */
const COMMENT = ': waiting for your approval\n\n'
/** Of a refusal of the vendor's. */
const MAX_ERROR_BYTES = 65_536

const HEAD = [
  ...['content-type', 'text/event-stream; charset=utf-8'],
  ...['cache-control', 'no-store'],
  // nginx and its kin would keep the comments back.
  ...['x-accel-buffering', 'no'],
]

/**
 * The answer to a client that asked for a stream of events and waits for the owner: it begins before anything is known of
 * the vendor's answer, with comments. The vendor's stream goes on in it; anything else becomes an error in the vendor's
 * form, for a status can no longer be said.
 */
export class HeldStream extends Writable implements AnswerSink {
  headersSent = false
  sendDate = false
  readonly #response: LlmResponse
  readonly #form: StreamForm
  /** Of an answer that is no stream. */
  #other: { readonly status: number; readonly parts: Uint8Array[]; bytes: number } | null = null

  constructor(response: LlmResponse, form: StreamForm) {
    super()
    this.#response = response
    this.#form = form
    response.writeHead(200, HEAD)
    response.on('close', () => this.destroy())
  }

  /** While there is no answer. */
  comment(): void {
    if (!this.#response.destroyed) this.#response.write(COMMENT)
  }

  fail(refusal: LlmRefusal): void {
    if (this.headersSent || this.destroyed) return void this.destroy()
    this.headersSent = true
    this.end(refusalEvent(refusal, this.#form))
  }

  writeHead(status: number, headers: readonly string[]): void {
    this.headersSent = true
    if (status !== 200 || !isEventStream(headers)) this.#other = { status, parts: [], bytes: 0 }
  }

  flushHeaders(): void {}

  override _write(chunk: Uint8Array, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    const other = this.#other
    if (other === null) {
      if (this.#response.write(chunk)) done()
      else this.#response.once('drain', done)
      return
    }
    if (other.bytes < MAX_ERROR_BYTES) other.parts.push(chunk)
    other.bytes += chunk.length
    done()
  }

  override _final(done: () => void): void {
    this.#response.once('finish', done)
    if (this.#other === null) this.#response.end()
    else {
      const { status, parts } = this.#other
      this.#response.end(vendorErrorEvent(status, Buffer.concat(parts).toString(), this.#form))
    }
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    if (!this.writableFinished) this.#response.destroy()
    done(error)
  }
}

/** Plain text that can go on where the comments ended. */
function isEventStream(headers: readonly string[]): boolean {
  let isStream = false
  for (let at = 0; at + 1 < headers.length; at += 2) {
    const name = headers[at]?.toLowerCase()
    const value = (headers[at + 1] ?? '').toLowerCase()
    if (name === 'content-encoding' && value !== 'identity') return false
    if (name === 'content-type') isStream = value.startsWith('text/event-stream')
  }
  return isStream
}
