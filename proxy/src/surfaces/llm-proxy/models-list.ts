import type { Pool } from 'undici'
import { z } from 'zod'
import type { PickedKey } from '../../domain/provider-keys/index.ts'
import { type Provider, upstreamPath } from '../../domain/providers/index.ts'
import { putKey } from './upstream-headers.ts'

const TIMEOUT_MS = 10_000
const MAX_BYTES = 4 * 1_048_576

/** OpenAI's and Anthropic's lists have `data` with `id`, Gemini's `models` with `name`. */
const listing = z.union([
  z.object({ data: z.array(z.object({ id: z.string() })) }),
  z.object({ models: z.array(z.object({ name: z.string() })) }),
])

export interface Listed {
  readonly provider: Provider
  readonly key: PickedKey | null
  readonly pool: Pool
}

/**
 * Answers `GET /v1/models` for a base URL that serves all providers: what each of those that the agent was granted tells,
 * named `provider/model` as requests may name it. A provider that does not answer in time is left out.
 */
export async function listModels(from: readonly Listed[], gone: AbortSignal): Promise<string> {
  const lists = await Promise.all(
    from.map(async (one) => {
      const names = await namesOf(one, gone).catch(() => [])
      return names.map((name) => ({
        id: `${one.provider.name}/${name}`,
        object: 'model',
        owned_by: one.provider.name,
      }))
    }),
  )
  return JSON.stringify({ object: 'list', data: lists.flat() })
}

async function namesOf({ provider, key, pool }: Listed, gone: AbortSignal): Promise<string[]> {
  const headers = ['accept', 'application/json', 'accept-encoding', 'identity']
  if (key !== null) putKey(headers, provider, key.value.open())
  if (provider.errors === 'anthropic') headers.push('anthropic-version', '2023-06-01')
  const answer = await pool.request({
    method: 'GET',
    path: upstreamPath(provider, '/models'),
    headers,
    signal: AbortSignal.any([gone, AbortSignal.timeout(TIMEOUT_MS)]),
  })
  const parts: Buffer[] = []
  let bytes = 0
  for await (const chunk of answer.body) {
    bytes += (chunk as Buffer).length
    if (bytes > MAX_BYTES) throw new Error('the list is too long')
    parts.push(chunk as Buffer)
  }
  if (answer.statusCode !== 200) return []
  const told = listing.parse(JSON.parse(Buffer.concat(parts).toString('utf8')))
  return 'data' in told
    ? told.data.map(({ id }) => id)
    : told.models.map(({ name }) => name.replace(/^models\//, ''))
}
