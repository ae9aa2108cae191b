import type { ServerResponse } from 'node:http'
import type { Readable } from 'node:stream'
import type { Pool } from 'undici'
import type { Scrubber } from '../../domain/scrub/index.ts'
import { createUsageReader, type TokenUsage, type UsageReader } from '../../domain/usage/index.ts'
import { relay } from '../relay/index.ts'

export interface Forwarding {
  readonly response: ServerResponse
  readonly pool: Pool
  readonly method: string
  /** Path and query. */
  readonly target: string
  /** Flat name, value …, the key among them. */
  readonly headers: string[]
  readonly body: Readable | Buffer | null
  /** Looks for the key in what comes back; null where there is none. */
  readonly scrubber: Scrubber | null
  /** The chunk of usage figures in a stream was asked for by the proxy, and is not for the client. */
  readonly dropUsageChunk: boolean
  /** Nothing of the provider's was given to the client, and nothing will be. */
  readonly unreachable: (error: unknown) => void
  /** Once, when all is over. */
  readonly over: (outcome: Outcome) => void
}

export interface Outcome {
  /** Null when the provider gave none. */
  readonly status: number | null
  readonly retryAfter: string | null
  /** The answer came whole, and the client took it. */
  readonly whole: boolean
  /** The client went away in the middle of it. */
  readonly left: boolean
  /** Of the answer's body, where it is of a kind that tells of tokens; else null. */
  readonly textBytes: number | null
  readonly usage: TokenUsage | null
  readonly model: string | null
}

/** Models think for minutes before the first byte, and pause in streams. */
const SILENCE_MS = 15 * 60_000

/** Sends a request on and its answer back, and reads the tokens on the way. */
export function forward(forwarding: Forwarding): void {
  const { response, method, dropUsageChunk } = forwarding
  let reader: UsageReader | null = null
  let status: number | null = null
  let retryAfter: string | null = null
  let bytes = 0
  let isRefused = false
  const relayed = relay({
    response,
    pool: forwarding.pool,
    method,
    path: forwarding.target,
    headers: forwarding.headers,
    body: forwarding.body,
    silenceMs: SILENCE_MS,
    scrubber: forwarding.scrubber,
    onAnswer(code, rawHeaders) {
      status = code
      if (code >= 400) retryAfter = headerOf(rawHeaders, 'retry-after')
      if (method !== 'HEAD' && code < 300 && code !== 204) {
        reader = createUsageReader({ contentType: headerOf(rawHeaders, 'content-type'), dropUsageChunk })
      }
      return reader
    },
    onBytes(count) {
      bytes += count
    },
    refuse(why) {
      isRefused = true
      forwarding.unreachable(why)
    },
  })
  response.once('close', () =>
    forwarding.over({
      status,
      retryAfter,
      whole: relayed.isWhole && response.writableFinished,
      left: !relayed.isWhole && !isRefused,
      textBytes: reader === null ? null : bytes,
      usage: reader?.usage() ?? null,
      model: reader?.model() ?? null,
    }),
  )
}

function headerOf(rawHeaders: readonly string[], name: string): string | null {
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const found = rawHeaders[at] as string
    if (found.length === name.length && found.toLowerCase() === name) return rawHeaders[at + 1] as string
  }
  return null
}
