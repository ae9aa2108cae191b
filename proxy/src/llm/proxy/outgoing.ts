import type { AnswerSink, UpstreamPool } from '../../egress/relay/index.ts'
import type { Scrubber } from '../../scrub/index.ts'
import type { ProviderKeys } from '../provider-keys/index.ts'
import type { Provider } from '../providers/index.ts'
import type { LlmRequest } from './client.ts'
import { streamFormAt } from './error-form.ts'
import type { Exchange } from './exchange.ts'
import type { Forwarded, Forwarding, Outcome } from './forward.ts'
import type { IdleTimeouts } from './idle-timeouts.ts'
import type { Reading } from './read-head.ts'
import type { ReadingOn } from './reading-on.ts'
import { type LlmRefusal, refusalEvent, refusalLine } from './refusal.ts'
import { baseOf, type SecondAddresses } from './second-address.ts'
import { settle } from './settlement.ts'
import { type StillAllowedDeps, watchAllowed } from './still-allowed.ts'
import type { UploadSession, UploadSessions } from './upload-sessions.ts'
import type { UsageWishes } from './usage-wishes.ts'
import type { Ready } from './wanted-request.ts'

/** What all requests that go out share. */
export interface OutgoingDeps extends StillAllowedDeps {
  readonly keys: ProviderKeys
  readonly wishes: UsageWishes
  readonly uploads: UploadSessions
  readonly idleTimeouts: IdleTimeouts<Forwarded>
  readonly readingOn: ReadingOn
  readonly poolOf: (provider: Provider) => UpstreamPool
  readonly scrubberOf: (ready: Pick<Ready, 'key' | 'provider'>) => Scrubber | null
  readonly headersWithKey: (ready: Ready) => string[]
  /** What a client reads whose provider cannot be reached. */
  readonly away: (provider: Provider, error: unknown) => LlmRefusal
  /** What a client reads whose stream ends in the middle. */
  readonly stopped: (provider: Provider, why: 'not_allowed' | Error) => LlmRefusal
}

interface Parts {
  readonly ready: Ready
  readonly reading: Reading
  readonly exchange: Exchange
  /** Where its answer goes. */
  readonly sink: AnswerSink
  readonly refuse: (refusal: LlmRefusal) => void
  readonly deps: OutgoingDeps
}

/** A request that goes out, with its key in it. A class, for there is one for each request: its methods are made once. */
export class Outgoing implements Forwarding, SecondAddresses {
  readonly response: AnswerSink
  readonly pool: UpstreamPool
  readonly method: string
  readonly path: string
  readonly headers: string[]
  readonly body: Ready['body']
  readonly scrubber: Scrubber | null
  readonly isAuthorized: () => boolean
  readonly idleTimeouts: IdleTimeouts<Forwarded>
  readonly readingOn: ReadingOn | null
  readonly provider: Provider
  readonly plainer: Ready['plainer']
  readonly dropUsageChunk: boolean
  readonly #ready: Ready
  readonly #reading: Reading
  readonly #exchange: Exchange
  readonly #request: LlmRequest
  readonly #refuse: (refusal: LlmRefusal) => void
  readonly #deps: OutgoingDeps

  constructor({ ready, reading, exchange, sink, refuse, deps }: Parts) {
    const { request } = exchange
    this.response = sink
    this.pool = deps.poolOf(ready.provider)
    this.method = request.method ?? ''
    this.path = ready.target
    this.headers = deps.headersWithKey(ready)
    this.body = ready.body
    this.scrubber = deps.scrubberOf(ready)
    this.isAuthorized = watchAllowed(ready, reading, request, deps)
    this.idleTimeouts = deps.idleTimeouts
    this.readingOn = ready.spending === null ? null : deps.readingOn
    this.provider = ready.provider
    this.plainer = ready.plainer
    this.dropUsageChunk = ready.dropUsageChunk
    this.#ready = ready
    this.#reading = reading
    this.#exchange = exchange
    this.#request = request
    this.#refuse = refuse
    this.#deps = deps
  }

  get addresses(): SecondAddresses {
    return this
  }

  /** No address stands for a caller without a token. */
  base(): string | null {
    return this.#reading.credential.token === null ? null : baseOf(this.#request)
  }

  open({ path }: Pick<UploadSession, 'path'>): string {
    const token = this.#reading.credential.token ?? ''
    const keyId = this.#ready.key?.id ?? 0
    return this.#deps.uploads.open({ token, provider: this.provider.name, path, keyId })
  }

  wish(wish: 'taken' | 'refused'): void {
    const { model, agent } = this.#ready
    this.#deps.wishes.told(this.provider, model, agent.id, wish)
  }

  unreachable(error: unknown): void {
    this.#refuse(this.#deps.away(this.provider, error))
  }

  lastEvent(why: 'not_allowed' | Error): string {
    const form = streamFormAt(this.#exchange.shape, this.#ready.path)
    return refusalEvent(this.#deps.stopped(this.provider, why), form)
  }

  lastLine(why: 'not_allowed' | Error): string {
    return refusalLine(this.#deps.stopped(this.provider, why))
  }

  over(outcome: Outcome): void {
    settle(this.#ready, outcome, this.#deps.keys)
    if (this.readingOn !== null) this.#exchange.release()
  }
}
