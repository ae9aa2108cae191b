import type { Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { type EgressDial, EgressDialError } from '../../egress/index.ts'
import { isMalformedAnswer } from '../../egress/relay/index.ts'
import type { Agents } from '../../identity/agents/index.ts'
import { AppError, isStorageTrouble, loopTurns, type SecretValue, type TenantId } from '../../kernel/index.ts'
import { createScrubber, type Scrubber } from '../../scrub/index.ts'
import { LOCKED, type Lockdown } from '../../vault/index.ts'
import type { KeySharing, ProviderAccess } from '../provider-access/index.ts'
import type { ProviderKeys } from '../provider-keys/index.ts'
import type { Provider, Providers } from '../providers/index.ts'
import type { LargeBodies, Usage } from '../usage/index.ts'
import type { LlmRequest, LlmResponse } from './client.ts'
import { agentsEntrance } from './entrance.ts'
import { ANSWER_IDLE_MS, type Forwarded } from './forward.ts'
import { createIdentity, type SharedGate } from './identity.ts'
import { createIdleTimeouts } from './idle-timeouts.ts'
import { createLiveSessions } from './live-sessions.ts'
import type { ModelEndpoints } from './model-endpoint.ts'
import { createModelEndpoints } from './model-endpoints.ts'
import { HOLD_TIMES, type HoldTimes } from './patience.ts'
import { createReadingOn, READ_ON_MS } from './reading-on.ts'
import { type LlmErrorCode, type LlmRefusal, refused } from './refusal.ts'
import { createRefusalPace } from './refusal-pace.ts'
import { BODY_IDLE_MS, BodyBroken } from './request-body.ts'
import { createServing, type ServingDeps } from './serving.ts'
import type { LlmShares } from './shares.ts'
import { createUploadSessions } from './upload-sessions.ts'
import { putKey } from './upstream-headers.ts'
import { createProviderPools, type LlmTransport } from './upstreams.ts'
import { createUsableProviders } from './usable-providers.ts'
import { createUsageWishes } from './usage-wishes.ts'
import type { Ready } from './wanted-request.ts'

export interface LlmProxyDeps {
  readonly agents: Agents
  readonly providers: Providers
  readonly keys: ProviderKeys
  readonly sharing: KeySharing
  readonly access: ProviderAccess
  readonly usage: Usage
  readonly largeBodies: LargeBodies
  readonly gate: SharedGate
  readonly tenant: TenantId
  /** With the proxies of other tenants. */
  readonly shares: LlmShares
  readonly dial: EgressDial
  readonly transport: LlmTransport
  /** Whether the owner is asked in a chat: where a client is told to have it answered. */
  readonly asksInChat: boolean
  readonly accepting: () => boolean
  readonly lockdown: Pick<Lockdown, 'state' | 'onBegin' | 'assertOpen'>
  readonly onRefused: (code: LlmErrorCode) => void
  readonly log: (message: string, error?: unknown) => void
  readonly holdTimes?: HoldTimes
}

/**
 * The agent holds a token, the daemon holds the key: the token is taken out, the key put in, and what the provider says
 * passes as it comes. It stands in front of the other surfaces on the daemon's port, without a framework.
 */
export interface LlmProxy extends AsyncDisposable, ModelEndpoints {
  request(request: LlmRequest, response: LlmResponse): void
  upgrade(request: LlmRequest, socket: Socket, head: Buffer): void
  /** Whether this secret stands for an upload that was opened through it. */
  hasUpload(secret: string): boolean
  /** Ends what is under way, however silent it is: upon a lockdown. */
  halt(): void
  /**
   * Answers what waits for the owner, ends sessions, and gives what is under way so much time. Runs make further calls until `runs`
   * resolves, and no connection to a vendor ends before.
   */
  drain(ms: number, runs?: Promise<unknown>): Promise<void>
}

/** Whether a request target is the proxy's to answer. */
export const isLlmTarget = (url: string): boolean => url.startsWith('/llm/') || url.startsWith('/v1/')

/** How long clients have to take in why their streams end when the daemon stops. */
const TELL_MS = 1_000

const HALTED = new Error('the owner has stopped everything')
const STOPPING = new Error('the daemon is stopping')

export function createLlmProxy(deps: LlmProxyDeps): LlmProxy {
  const shares = deps.shares.join()
  const pools = createProviderPools(deps.dial, deps.transport)
  const bodyTimeouts = createIdleTimeouts(BODY_IDLE_MS)
  const answerTimeouts = createIdleTimeouts<Forwarded>(ANSWER_IDLE_MS)
  const sessions = createLiveSessions(deps.log)
  const readingOn = createReadingOn(READ_ON_MS)
  const { inFlight, lists } = shares
  const closing = new AbortController()
  /** Runs go on for a while when agents are told that the daemon stops. */
  const closingRuns = new AbortController()
  const uploads = createUploadSessions()
  const scrubbers = new WeakMap<SecretValue, Scrubber>()

  const scrubberOf = ({ key, provider }: Pick<Ready, 'key' | 'provider'>): Scrubber | null => {
    if (key === null) return null
    const known = scrubbers.get(key.value)
    if (known !== undefined) return known
    const scrubber = createScrubber(new Map([[`${provider.name} key`, key.value.open()]]))
    scrubbers.set(key.value, scrubber)
    return scrubber
  }

  /** The key is put in at the last moment, and nowhere else. */
  const headersWithKey = ({ headers, provider, key }: Ready): string[] => {
    if (key !== null) putKey(headers, provider, key.value.open(), key.isSeat)
    return headers
  }

  const away = (provider: Provider, error: unknown): LlmRefusal => {
    if (deps.lockdown.state !== null) return refused('locked', LOCKED)
    if (
      error === 'too_many_requests' ||
      (error instanceof EgressDialError && error.reason === 'too_many_requests')
    ) {
      return refused('rate_limited', 'Too many names are being looked up for this agent.', 1)
    }
    deps.log(`the provider ${provider.name} cannot be reached`, error)
    const what = isMalformedAnswer(error) ? 'answered in no HTTP that can be read' : 'cannot be reached'
    return refused('upstream_unreachable', `${provider.name} ${what}.`)
  }

  /** Why a stream ends in the middle: nothing but its last event can say so. */
  const stopped = (provider: Provider, why: 'not_allowed' | Error): LlmRefusal => {
    if (why === 'not_allowed' || deps.lockdown.state !== null) {
      return refused('access_revoked', 'The owner took back what this request was let through by.')
    }
    return closing.signal.aborted
      ? refused('shutting_down', 'The daemon is stopping; ask again in a moment.', 5)
      : refused('upstream_unreachable', `${provider.name} broke off in the middle of its answer.`)
  }

  const fault = (error: unknown): LlmRefusal => {
    if (error instanceof BodyBroken) return refused('bad_request', 'The body did not come whole.')
    if (error instanceof AppError && error.code === 'locked') return refused('locked', error.message)
    if (isStorageTrouble(error)) return refused('storage_unavailable', error.message, error.retryAfterSeconds)
    deps.log('the LLM proxy failed on a request', error)
    return refused('internal', 'The daemon failed; its log has the details.')
  }

  const serving: ServingDeps = {
    ...deps,
    closing: closing.signal,
    usable: createUsableProviders(deps),
    idleTimeouts: bodyTimeouts,
    budget: shares.budget,
    turns: loopTurns,
    readingTime: shares.readingTime,
    held: shares.held,
    holdTimes: deps.holdTimes ?? HOLD_TIMES,
    wishes: createUsageWishes(),
    refusals: createRefusalPace(closing.signal),
    poolOf: pools.poolOf,
    ...{ answerTimeouts, uploads, readingOn, sessions, inFlight, lists },
    ...{ scrubberOf, headersWithKey, away, stopped, fault },
  }
  const ofAgents = createServing(serving, agentsEntrance(deps.providers, createIdentity(deps), deps.access))
  const servingRuns: ServingDeps = {
    ...serving,
    ...{ closing: closingRuns.signal, accepting: () => !closingRuns.signal.aborted },
  }
  const ofRuns = createModelEndpoints({ ...deps, serve: (entrance) => createServing(servingRuns, entrance) })

  return {
    request: ofAgents.request,
    upgrade: ofAgents.upgrade,
    bind: ofRuns.bind,

    hasUpload: (secret) => uploads.find(secret) !== undefined,

    halt() {
      sessions.endAll()
      answerTimeouts.forEach((forwarded) => {
        forwarded.breakOff(HALTED)
      })
    },

    async drain(ms, runs) {
      closing.abort(STOPPING)
      sessions[Symbol.dispose]()
      const inTime = delay(ms, undefined, { ref: false })
      await runs
      closingRuns.abort(STOPPING)
      readingOn[Symbol.dispose]()
      await Promise.race([inFlight.settled(), inTime])
      // What still goes on is broken off upstream, and its client is told so before its own connection is closed.
      await pools[Symbol.asyncDispose]()
      await Promise.race([inFlight.settled(), delay(TELL_MS, undefined, { ref: false })])
    },

    async [Symbol.asyncDispose]() {
      ofRuns[Symbol.dispose]()
      sessions[Symbol.dispose]()
      readingOn[Symbol.dispose]()
      // What is under way breaks off with its connections, and its usage is recorded before they close.
      await pools[Symbol.asyncDispose]()
      await inFlight.settled()
      shares.leave()
      bodyTimeouts[Symbol.dispose]()
      answerTimeouts[Symbol.dispose]()
    },
  }
}
