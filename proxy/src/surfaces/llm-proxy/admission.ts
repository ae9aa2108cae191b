import type { Agent } from '../../domain/agents/index.ts'
import type { ProviderAccess, ProviderGrant, Use } from '../../domain/provider-access/index.ts'
import type { PickedKey, ProviderKeys } from '../../domain/provider-keys/index.ts'
import type { Provider } from '../../domain/providers/index.ts'
import type { Admission, Usage } from '../../domain/usage/index.ts'
import { AppError } from '../../kernel/index.ts'
import { type LlmRefusal, refused } from './refusal.ts'

export interface Wanted {
  readonly agent: Agent
  readonly provider: Provider
  /** Path behind the provider's root, without query. */
  readonly path: string
  /** Every model that the request names, in whatever place; none when it cannot be read. */
  readonly models: readonly string[]
  readonly estimate: { readonly inputTokens: number; readonly outputTokens: number }
  /** Whether its tokens can be read from what comes back. */
  readonly metered: boolean
  readonly waitMs: number
  /** The client is there and its agent in good standing. */
  readonly gone: AbortSignal
  readonly stillGood: () => boolean
}

export interface Admitted {
  readonly key: PickedKey | null
  readonly place: Admission
}

export interface AdmissionDeps {
  readonly access: ProviderAccess
  readonly keys: ProviderKeys
  readonly usage: Usage
}

/** Seconds after which an agent that was told to wait should ask again. */
const ASK_AGAIN_SECONDS = 15
/** How often one request may wait for an answer: once for each model that it names, and once more. */
const MAX_ROUNDS = 4

/** Grant, then key, then limits: the cheap refusals first, and a place in the limits is only taken by what goes out. */
export async function admit(wanted: Wanted, deps: AdmissionDeps): Promise<Admitted | LlmRefusal> {
  const { agent, provider, models } = wanted
  const granted = grantFor(wanted, deps.access)
  const grant = 'use' in granted ? await askOwner(wanted, deps.access) : granted
  if ('code' in grant) return grant

  const { tokensPerDay, microUsdPerDay } = grant.limits
  if (!wanted.metered && (tokensPerDay !== null || microUsdPerDay !== null)) {
    return refused(
      'unmetered',
      `What ${agent.name} may spend on ${provider.name} is limited, and the tokens of a realtime session cannot be read.`,
    )
  }
  const [model = null] = models
  let key: PickedKey | null = null
  if (provider.auth.kind !== 'none') {
    const picked = deps.keys.pick({ provider: provider.name, model, tags: agent.tags })
    if ('refused' in picked) return noKey(picked, provider.name)
    key = picked
  }
  const place = deps.usage.admit({
    agentId: agent.id,
    provider: provider.name,
    model,
    limits: grant.limits,
    estimate: wanted.estimate,
    tellsCost: provider.tellsCost,
  })
  if (!('limit' in place)) return { key, place }
  if (place.limit === 'no_price') {
    return refused(
      'unmetered',
      `What ${agent.name} may spend is limited, and ${model ?? 'the model'} has no price. The owner sets one with: oauth3 price set ${provider.name} MODEL --input … --output …`,
    )
  }
  if (place.first) deps.access.limitPassed(grant, place.limit)
  const limit = place.limit.replaceAll('_', ' ')
  return refused(
    'limit_passed',
    `The limit of ${limit} for ${provider.name} is used up; it is free again in ${place.retryAfterSeconds} s.`,
    place.retryAfterSeconds,
  )
}

/** The first use that is not granted, or the grant that counts: the one of the first model. */
function grantFor(
  { agent, provider, path, models }: Wanted,
  access: ProviderAccess,
): ProviderGrant | LlmRefusal | { readonly use: Use } {
  let first: ProviderGrant | undefined
  for (const model of models.length === 0 ? [null] : models) {
    const use = { agentId: agent.id, provider: provider.name, model, path }
    const verdict = access.judge(use)
    if (verdict.verdict === 'ask') return { use }
    if (verdict.verdict === 'denied') return denied(provider.name, verdict.retryAfterSeconds)
    first ??= verdict.grant
  }
  return first ?? refused('internal', 'No grant was judged.')
}

async function askOwner(wanted: Wanted, access: ProviderAccess): Promise<ProviderGrant | LlmRefusal> {
  const deadline = performance.now() + wanted.waitMs
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const granted = grantFor(wanted, access)
    if (!('use' in granted)) return granted
    let status: string
    try {
      const ask = access.ask(granted.use)
      const leftMs = Math.max(0, deadline - performance.now())
      status = leftMs === 0 ? ask.status : (await access.wait(ask.id, leftMs, wanted.gone)).status
    } catch (error) {
      if (!(error instanceof AppError)) throw error
      if (error.code === 'rate_limited')
        return refused('rate_limited', error.message, error.retryAfterSeconds)
      if (error.code === 'invalid_request') return refused('bad_request', error.message)
      throw error
    }
    if (!wanted.stillGood()) return refused('unauthenticated', 'The agent was revoked meanwhile.')
    if (status === 'denied') return denied(wanted.provider.name, ASK_AGAIN_SECONDS)
    if (status !== 'granted') return pending(wanted)
  }
  return pending(wanted)
}

const pending = ({ agent, provider, models }: Wanted): LlmRefusal =>
  refused(
    'approval_pending',
    `The owner is asked whether ${agent.name} may use ${provider.name}${models[0] === undefined ? '' : ` (${models[0]})`} and has not answered yet. Ask again, or wait with the header "Prefer: wait=60".`,
    ASK_AGAIN_SECONDS,
  )

const denied = (provider: string, retryAfterSeconds: number): LlmRefusal =>
  refused('approval_denied', `The owner said no to the use of ${provider}.`, retryAfterSeconds)

const noKey = (none: Exclude<ReturnType<ProviderKeys['pick']>, PickedKey>, provider: string): LlmRefusal =>
  none.refused === 'keys_resting'
    ? refused(
        'keys_resting',
        `Every key for ${provider} was refused by the provider lately.`,
        none.retryAfterSeconds,
      )
    : refused(
        'no_key',
        `No key for ${provider} that this agent and model may use; the owner adds one with: oauth3 key add ${provider}`,
      )
