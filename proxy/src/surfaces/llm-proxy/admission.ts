import type { Agent } from '../../domain/agents/index.ts'
import {
  isAskable,
  type KeySharing,
  type ProviderAccess,
  type ProviderGrant,
  strictest,
  type Use,
} from '../../domain/provider-access/index.ts'
import type { KeyUse, PickedKey, ProviderKeys } from '../../domain/provider-keys/index.ts'
import type { EndpointGroup, Provider } from '../../domain/providers/index.ts'
import type { Admission, Limited, LimitName, SpendingLimits, Usage } from '../../domain/usage/index.ts'
import { AppError } from '../../kernel/index.ts'
import type { Patience } from './patience.ts'
import { type LlmRefusal, refused } from './refusal.ts'
import type { Spending } from './spending.ts'

/** What of a request decides whether a grant covers it. */
export interface GrantCriteria {
  readonly agent: Agent
  readonly provider: Provider
  /** Path behind the provider's root, without query. */
  readonly path: string
  /** What the request does there. */
  readonly group: EndpointGroup
  /** Every model that the request names where one is usually named; null for one whose name cannot be told. */
  readonly models: readonly (string | null)[]
  /** With those that it names anywhere else. Looked for when it matters: where a grant or key is for some models. */
  allModels(): readonly (string | null)[]
  /** It only reads, and names no model. */
  readonly isListing: boolean
}

export interface Wanted extends GrantCriteria {
  /** As the agent is by now: it may change while its owner is asked. */
  agent: Agent
  /** What it is of a key that its vendor may refuse. */
  readonly keyUse: KeyUse
  /** The one key that what it goes on with was begun with; null: any. */
  readonly onlyKey: number | null
  readonly estimate: { readonly inputTokens: number; readonly outputTokens: number }
  /** The most that it may use; asked only where tokens or money are limited. */
  spending(limits: SpendingLimits): Spending | LlmRefusal
  /** Whether its body may speak of something that is kept at the vendor. Looked for when others use the same key. */
  refersToStored(): boolean
  /** How long it waits for the owner; asked only when it has to. */
  patience(): Patience
  /** Aborted when the client leaves. */
  gone(): AbortSignal
  /** The agent as it is by now; null when its token holds no longer, or not from this address. */
  revalidateToken(): Agent | null
  /** Whether the provider's name still means the upstream that it meant when the request came. */
  isSameUpstream(): boolean
}

/** What is needed of it to ask. */
type Asking = Omit<
  Wanted,
  'estimate' | 'spending' | 'isSameUpstream' | 'refersToStored' | 'keyUse' | 'onlyKey'
>

export interface Admitted {
  readonly key: PickedKey | null
  /** It reads or writes what is kept at the vendor: it goes on only while no other agent may use the key. */
  readonly needsOwnKey: boolean
  readonly place: Admission
  /** What was reserved for it; null where neither tokens nor money are limited. */
  readonly spending: Spending | null
}

export interface AdmissionDeps {
  readonly access: ProviderAccess
  readonly keys: ProviderKeys
  readonly sharing: KeySharing
  readonly usage: Usage
  /** Aborted when the daemon stops: nobody waits for the owner any longer. */
  readonly closing: AbortSignal
  /** Whether the owner is asked in a chat, or on the daemon's machine alone. */
  readonly asksInChat: boolean
}

/** Seconds after which an agent that was told to wait should ask again. */
const ASK_AGAIN_SECONDS = 15
/** How often one request may wait for an answer: once for each model that it names, and once more. */
const MAX_ROUNDS = 4

/** Grant, then key, then limits: the cheap refusals first, and a place in the limits is only taken by what goes out. */
export function admit(
  wanted: Wanted,
  deps: AdmissionDeps,
): Admitted | LlmRefusal | Promise<Admitted | LlmRefusal> {
  const granted = grantFor(wanted, deps.access)
  if (!('use' in granted)) return under(granted, wanted, deps)
  return askOwner(wanted, deps).then((grant) => {
    const agent = wanted.revalidateToken()
    if (agent === null) return refused('unauthenticated', 'The agent was revoked meanwhile.')
    wanted.agent = agent
    return under(grant, wanted, deps)
  })
}

function under(
  grant: ProviderGrant | LlmRefusal,
  wanted: Wanted,
  deps: AdmissionDeps,
): Admitted | LlmRefusal {
  // Body and owner may have taken their time: a key that came since is for the place that the provider is at by now.
  if (!wanted.isSameUpstream()) {
    return refused('unknown_provider', 'The provider was changed meanwhile; ask again.')
  }
  if ('code' in grant) return grant
  const { agent, provider, models } = wanted
  const { tokensPerDay, microUsdPerDay } = grant.limits
  const spending = tokensPerDay === null && microUsdPerDay === null ? null : wanted.spending(grant.limits)
  if (spending !== null && 'code' in spending) return spending
  const model = models.includes(null) ? null : (models[0] ?? null)
  const picked = pickKey(wanted, model, deps)
  if ('code' in picked) return picked
  const place = deps.usage.admit({
    agentId: agent.id,
    provider: provider.name,
    model,
    moreModels: models,
    limits: grant.limits,
    estimate: spending?.estimate ?? wanted.estimate,
    tellsCost: provider.tellsCost,
  })
  if (!('limit' in place)) {
    if (wanted.group !== 'models') deps.sharing.used(provider.name, picked.key?.id ?? 0, agent.id)
    return { ...picked, place, spending }
  }
  if (place.limit === 'no_price') {
    return refused(
      'unmetered',
      `What ${agent.name} may spend is limited, and ${model ?? 'the model'} has no price. The owner sets one with: oauth3 price set ${provider.name} MODEL --input … --output …`,
    )
  }
  if (place.first) deps.access.limitPassed(grant, place.limit)
  return refused('limit_passed', limitMessage(place, provider.name, spending), place.retryAfterSeconds)
}

/** What is left, what the request may use, and how it could fit. */
function limitMessage(limited: Limited, provider: string, spending: Spending | null): string {
  const { limit, why, needed, left, most, retryAfterSeconds } = limited
  const words = LIMIT_WORDS[limit]
  if (why === 'used_up') {
    return `The limit of ${words} for ${provider} is used up; it is free again in ${retryAfterSeconds} s.`
  }
  const amount = (of: number): string =>
    limit === 'usd_per_day' ? `$${(of / 1_000_000).toFixed(6).replace(/0{1,4}$/, '')}` : String(of)
  const { inputTokens, outputTokens } = spending?.estimate ?? { inputTokens: 0, outputTokens: 0 }
  const smaller =
    outputTokens === 0 ? 'Send less' : `Send less, or declare a smaller ${spending?.field || 'maximum'}`
  const when =
    why === 'under_way'
      ? `or ask again in ${retryAfterSeconds} s, for requests under way hold a part of it`
      : needed <= most
        ? `or ask again in ${retryAfterSeconds} s`
        : `for it would not fit in a whole day's limit of ${amount(most)} either`
  return `This request may use up to ${amount(needed)} of the limit of ${words} for ${provider} (${inputTokens} tokens of input, ${outputTokens} of output), and ${amount(left)} are left. ${smaller}, ${when}.`
}

/** Groups of what is kept at the vendor, or of what may reach it unseen: an open session, an unknown endpoint. */
const KEPT_AT_VENDOR: ReadonlySet<EndpointGroup> = new Set([
  ...(['files', 'batches', 'fine_tuning', 'stored', 'realtime', 'deferred', 'other'] as const),
])

/** A vendor shows what is kept under a key to everybody who has it. */
function pickKey(
  wanted: Wanted,
  model: string | null,
  { keys, sharing }: AdmissionDeps,
): Pick<Admitted, 'key' | 'needsOwnKey'> | LlmRefusal {
  const { agent, provider, group, onlyKey } = wanted
  const isOwn = (id: number): boolean =>
    sharing.isOwn(provider.name, id, agent.id) && (onlyKey === null || id === onlyKey)
  const ofGroup = KEPT_AT_VENDOR.has(group)
  if (provider.auth.kind === 'none') {
    const needsOwnKey = ofGroup || (group === 'inference' && !isOwn(0) && wanted.refersToStored())
    return needsOwnKey && !isOwn(0) ? sharedKey(wanted) : { key: null, needsOwnKey }
  }
  const want = {
    provider: provider.name,
    model,
    models: () => wanted.allModels(),
    tags: agent.tags,
    agentId: agent.id,
    use: wanted.keyUse,
  }
  const any = keys.pick(ofGroup ? { ...want, only: isOwn } : want)
  if ('refused' in any) {
    const isShared = ofGroup && any.refused === 'no_key' && keys.isThere(want)
    return isShared ? sharedKey(wanted) : noKey(any, provider.name)
  }
  if (ofGroup || group !== 'inference' || isOwn(any.id) || !wanted.refersToStored()) {
    return { key: any, needsOwnKey: ofGroup }
  }
  const own = keys.pick({ ...want, only: isOwn })
  if (!('refused' in own)) return { key: own, needsOwnKey: true }
  return own.refused === 'no_key' ? sharedKey(wanted) : noKey(own, provider.name)
}

function sharedKey({ agent, provider, group }: Wanted): LlmRefusal {
  const name = provider.name
  const what = group === 'inference' ? 'This request speaks of' : 'This is about'
  if (provider.auth.kind === 'none') {
    return refused(
      'shared_key',
      `${what} what is kept at ${name}, which takes no key, and other agents may use or have used it: only one agent may.`,
    )
  }
  const tags = [...new Set([...agent.tags, agent.name])].map((tag) => `--tag ${tag}`).join(' ')
  return refused(
    'shared_key',
    `${what} what is kept at ${name} under a key, and other agents may use or have used the same one. The owner adds a key for ${agent.name} alone, of a project or workspace of its own: oauth3 key add ${name} --tag ${agent.name}, and: oauth3 agent tag ${agent.name} ${tags}`,
  )
}

const LIMIT_WORDS: Readonly<Record<LimitName, string>> = {
  requests_per_minute: 'requests a minute',
  tokens_per_day: 'tokens a day',
  usd_per_day: 'dollars a day',
}

/** The first use that is not granted; else the grant of them all, with the strictest limits where there are several. */
function grantFor(
  criteria: GrantCriteria,
  access: ProviderAccess,
): ProviderGrant | LlmRefusal | { readonly use: Use } {
  const { provider, path, isListing } = criteria
  // A grant for every model covers whatever the request names: nothing has to be looked for.
  const wide = access.evaluate(useOf(criteria, null))
  if (wide.verdict === 'granted') return wide.grant
  let first: ProviderGrant | undefined
  for (const use of usesOf(criteria)) {
    const verdict = access.evaluate(use)
    if (verdict.verdict === 'denied') return denied(provider.name, verdict.retryAfterSeconds)
    const grant =
      verdict.verdict === 'granted'
        ? verdict.grant
        : isListing && criteria.group === 'models' && path === '/models'
          ? anyGrant(use, access)
          : undefined
    if (grant === undefined) return { use }
    if (first === undefined) first = grant
    else if (first.id !== grant.id) first = { ...first, limits: strictest([first.limits, grant.limits]) }
  }
  return first ?? refused('internal', 'No grant was evaluated.')
}

/** Whether what was let through would be let through now, its limits aside. */
export const isStillGranted = (criteria: GrantCriteria, access: ProviderAccess): boolean =>
  'agentId' in grantFor(criteria, access)

/** One for each model that is named, and one without a name where none is. */
function usesOf(criteria: GrantCriteria): Use[] {
  const models = criteria.allModels()
  return (models.length === 0 ? NO_MODEL : models).map((model) => useOf(criteria, model))
}

const useOf = ({ agent, provider, group, path }: GrantCriteria, model: string | null): Use => ({
  agentId: agent.id,
  provider: provider.name,
  model,
  group,
  path,
})

const NO_MODEL: readonly null[] = [null]

/** Which models there are may be read by whoever may use one of them. */
export const anyGrant = ({ agentId, provider }: Use, access: ProviderAccess): ProviderGrant | undefined =>
  access
    .grants()
    .find(
      (grant) =>
        grant.agentId === agentId &&
        grant.provider === provider &&
        grant.paths === null &&
        grant.groups.includes('models'),
    )

/** The grant of all that is wanted: what is not granted yet is asked for, and waited for so long. */
export async function askOwner(
  wanted: Asking,
  { access, closing, asksInChat }: AdmissionDeps,
): Promise<ProviderGrant | LlmRefusal> {
  const { waitMs, hold } = wanted.patience()
  using holding = new DisposableStack()
  let deadline = 0
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const granted = grantFor(wanted, access)
    if (!('use' in granted)) return granted
    if (!isAskable(granted.use.group)) return byNameOnly(wanted)
    let status: string
    let askId: string
    try {
      const ask = access.ask(granted.use)
      askId = ask.id
      if (round === 0 && waitMs > 0 && holding.use(hold()) !== null) deadline = performance.now() + waitMs
      const leftMs = Math.max(0, deadline - performance.now())
      status =
        leftMs === 0
          ? ask.status
          : (await access.wait(ask.id, leftMs, AbortSignal.any([wanted.gone(), closing]))).status
    } catch (error) {
      if (!(error instanceof AppError)) throw error
      if (error.code === 'rate_limited')
        return refused('rate_limited', error.message, error.retryAfterSeconds)
      if (error.code === 'storage_unavailable')
        return refused('storage_unavailable', error.message, error.retryAfterSeconds)
      if (error.code === 'invalid_request') return refused('bad_request', error.message)
      throw error
    }
    if (closing.aborted && status === 'pending') {
      return refused('shutting_down', 'The daemon is stopping; ask again in a moment.', 5)
    }
    if (wanted.revalidateToken() === null)
      return refused('unauthenticated', 'The agent was revoked meanwhile.')
    if (status !== 'granted' && status !== 'denied') return pending(wanted, askId, asksInChat)
  }
  return pending(wanted, '', asksInChat)
}

const byNameOnly = ({ agent, provider, group, path }: GrantCriteria): LlmRefusal =>
  refused(
    'owner_only',
    `${path} of ${provider.name} is of the group "${group}", which is never granted by a card. The owner grants it by name: oauth3 grant add ${agent.name} ${provider.name} --groups ${group} --paths …`,
  )

const pending = (
  { agent, provider, models, group }: GrantCriteria,
  askId: string,
  asksInChat: boolean,
): LlmRefusal => {
  const what = `${provider.name} for ${group}${models[0] == null ? '' : ` (${models[0]})`}`
  const command = askId === '' ? 'oauth3 watch' : `oauth3 approve ${askId.slice(0, 12)} (or oauth3 watch)`
  const how = asksInChat ? `in the Telegram chat, or with: ${command}` : `with: ${command}`
  return refused(
    'approval_pending',
    `may ${agent.name} use ${what}? Answer ${how}, then send the request again. It can wait longer with the header "Prefer: wait=120".`,
    ASK_AGAIN_SECONDS,
  )
}

export const denied = (provider: string, retryAfterSeconds: number): LlmRefusal =>
  refused('approval_denied', `The owner said no to the use of ${provider}.`, retryAfterSeconds)

const noKey = (none: Exclude<ReturnType<ProviderKeys['pick']>, PickedKey>, provider: string): LlmRefusal =>
  none.refused === 'keys_resting'
    ? refused(
        'keys_resting',
        `Every key for ${provider} that this agent may use is in cooldown for this model and endpoint: the provider refused it lately.`,
        none.retryAfterSeconds,
      )
    : refused(
        'no_key',
        `No key for ${provider} that this agent and model may use; the owner adds one with: oauth3 key add ${provider}`,
      )
