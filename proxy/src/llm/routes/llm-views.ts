import type { z } from 'zod'
import type {
  AccessGrantView,
  AskSummary,
  AskView,
  KeyView,
  LimitsView,
  PriceView,
  ProviderView,
  setPriceBody,
  UsageGroupView,
} from '../../contracts/admin/index.ts'
import {
  type AccessCard,
  type GrantLimits,
  type ProviderAsk,
  type ProviderGrant,
  wireStatus,
} from '../provider-access/index.ts'
import type { ProviderKey } from '../provider-keys/index.ts'
import type { ProviderListing, Providers } from '../providers/index.ts'
import type { Price, UsageGroup } from '../usage/index.ts'

/** Providers, keys, grants and usage as the admin socket tells them: no key's value. */
export function viewProvider(listing: ProviderListing, providers: Providers, keys: number): ProviderView {
  const found = providers.find(listing.name)
  return {
    name: listing.name,
    url: listing.url,
    auth: listing.auth,
    errors: found === undefined || 'missing' in found ? null : found.errors,
    own: listing.own,
    moved: listing.moved,
    private: listing.private,
    missing: [...listing.missing],
    keys,
  }
}

export const viewKey = (key: ProviderKey): KeyView => ({
  id: key.id,
  provider: key.provider,
  label: key.label,
  tags: [...key.tags],
  weight: key.weight,
  models: copied(key.models),
  seat: key.isSeat,
  created_at: key.createdAt,
})

export const viewAccessGrant = (grant: ProviderGrant, agent: string): AccessGrantView => ({
  id: grant.id,
  agent,
  provider: grant.provider,
  groups: [...grant.groups],
  models: copied(grant.models),
  paths: copied(grant.paths),
  limits: viewLimits(grant.limits),
  requests_left:
    grant.limits.requests === null ? null : Math.max(0, grant.limits.requests - grant.requestsUsed),
  granted_by: grant.grantedBy,
  granted_at: grant.grantedAt,
  expires_at: grant.expiresAt,
})

const viewLimits = (limits: GrantLimits): LimitsView => ({
  requests_per_minute: limits.requestsPerMinute,
  tokens_per_day: limits.tokensPerDay,
  micro_usd_per_day: limits.microUsdPerDay,
  requests: limits.requests,
})

export const viewAskSummary = (ask: ProviderAsk, agent: string, consentHash: string): AskSummary => ({
  id: ask.id,
  agent,
  provider: ask.provider,
  model: ask.model,
  group: ask.group,
  path: ask.path,
  status: wireStatus(ask),
  consent_hash: consentHash,
  created_at: ask.createdAt,
  expires_at: ask.expiresAt,
})

export const viewAsk = (
  ask: ProviderAsk,
  agent: string,
  consentHash: string,
  card: AccessCard | undefined,
): AskView => ({
  ...viewAskSummary(ask, agent, consentHash),
  decided_at: ask.decidedAt,
  decided_by: ask.decidedBy,
  decided_by_name: ask.decidedByName,
  card: card
    ? {
        ...card,
        notes: [...card.notes],
        choices: card.choices.map((row) =>
          row.map(({ choice, decision, scope, label }) => ({ choice, decision, scope, label })),
        ),
      }
    : null,
})

export const viewUsage = (group: UsageGroup): UsageGroupView => ({
  key: group.key,
  requests: group.requests,
  failed: group.failed,
  untold: group.unreported,
  input_tokens: group.inputTokens,
  output_tokens: group.outputTokens,
  cache_read_tokens: group.cacheReadTokens,
  cache_write_tokens: group.cacheWriteTokens,
  micro_usd: group.microUsd,
  unpriced: group.unpriced,
})

export const priceFrom = (body: z.output<typeof setPriceBody>): Price => ({
  ...{ provider: body.provider, model: body.model, input: body.input, output: body.output },
  ...{ cacheRead: body.cache_read, cacheWrite: body.cache_write },
  ...(body.audio_input === undefined ? {} : { audioInput: body.audio_input }),
  ...(body.audio_output === undefined ? {} : { audioOutput: body.audio_output }),
  ...(body.image_input === undefined ? {} : { imageInput: body.image_input }),
  ...(body.image_output === undefined ? {} : { imageOutput: body.image_output }),
  ...(body.items === undefined ? {} : { items: body.items }),
})

export const viewPrice = (price: Price & { readonly own: boolean }): PriceView => ({
  provider: price.provider,
  model: price.model,
  input: price.input,
  output: price.output,
  cache_read: price.cacheRead,
  cache_write: price.cacheWrite,
  ...(price.audioInput === undefined ? {} : { audio_input: price.audioInput }),
  ...(price.audioOutput === undefined ? {} : { audio_output: price.audioOutput }),
  ...(price.imageInput === undefined ? {} : { image_input: price.imageInput }),
  ...(price.imageOutput === undefined ? {} : { image_output: price.imageOutput }),
  ...(price.items === undefined ? {} : { items: { ...price.items } }),
  own: price.own,
})

const copied = (list: readonly string[] | null): string[] | null => (list === null ? null : [...list])
