import { describe, expect, it } from 'vitest'
import type { Agent } from '../../identity/agents/index.ts'
import { type AgentId, SecretValue } from '../../kernel/index.ts'
import type { ProviderGrant } from '../provider-access/index.ts'
import type { NoKey, PickedKey } from '../provider-keys/index.ts'
import type { Provider } from '../providers/index.ts'
import type { Admission } from '../usage/index.ts'
import { authorizeUse } from './admission.ts'
import type { AdmissionDeps, Wanted } from './wanted.ts'

const NO_LIMITS = { requestsPerMinute: null, tokensPerDay: null, microUsdPerDay: null, requests: null }

/** One agent with one grant at one provider, and a key that is decrypted when the test says so. */
function arrange() {
  const agent = { id: 'agt_1' as AgentId, name: 'demo', tags: [] as string[] } as unknown as Agent
  const provider = { name: 'openai', auth: { kind: 'bearer' }, reportsCost: false } as unknown as Provider
  const key: PickedKey = { id: 1, label: 'key-1', isSeat: false, value: new SecretValue('demo-value-1') }
  const state = {
    agent: agent as Agent | null,
    grant: {
      id: 1,
      agentId: agent.id,
      provider: 'openai',
      groups: ['inference'],
      limits: NO_LIMITS,
    } as unknown as ProviderGrant | null,
    revision: 1,
    picks: [] as (PickedKey | NoKey | Promise<PickedKey | NoKey>)[],
    used: undefined as Promise<void> | undefined,
    isOwn: true,
    taken: [] as unknown[],
    open: 0,
    asks: 0,
  }
  const place = (): Admission => {
    state.open += 1
    const release = (): void => {
      state.open -= 1
    }
    return { cap: null, settle() {}, release }
  }
  const deps = {
    agents: { revision: 0 },
    providers: { revision: 0 },
    keys: {
      revision: 0,
      pick: () => state.picks.shift() ?? key,
      isThere: () => true,
    },
    access: {
      get revision() {
        return state.revision
      },
      evaluate: () =>
        state.grant === null
          ? { verdict: 'denied', retryAfterSeconds: 1 }
          : { verdict: 'granted', grant: state.grant },
      grants: () => [],
    },
    sharing: { isOwn: () => state.isOwn, used: () => state.used },
    usage: {
      reserveQuota(who: { readonly limits: unknown }) {
        state.taken.push(who.limits)
        return place()
      },
    },
    closing: new AbortController().signal,
    asksInChat: false,
  } as unknown as AdmissionDeps
  const wanted = {
    agent,
    provider,
    path: '/chat/completions',
    group: 'inference',
    models: ['gpt-5'],
    allModels: () => ['gpt-5'],
    isListing: false,
    keyUse: { endpoint: 'POST /chat/completions', model: 'gpt-5' },
    onlyKey: null,
    estimate: { inputTokens: 1, outputTokens: 1 },
    spending: () => null,
    refersToStored: () => true,
    revalidateToken: () => state.agent,
    isSameUpstream: () => true,
  } as unknown as Wanted
  return { state, deps, wanted, key }
}

describe('a request whose key has to be decrypted first', () => {
  it('waits for nothing where key and first use are known', () => {
    const { deps, wanted, key, state } = arrange()
    expect(authorizeUse(wanted, deps)).toMatchObject({ key, revision: 1 })
    expect(state.taken).toEqual([NO_LIMITS])
  })

  it('is not let through by a grant that was revoked meanwhile', async () => {
    const { deps, wanted, key, state } = arrange()
    const opening = Promise.withResolvers<PickedKey>()
    state.picks.push(opening.promise)
    const answer = authorizeUse(wanted, deps)
    state.grant = null
    state.revision += 1
    opening.resolve(key)
    expect(await answer).toMatchObject({ code: 'approval_denied' })
    expect(state.taken).toEqual([])
  })

  it('takes its place under the limits that stand by then', async () => {
    const { deps, wanted, key, state } = arrange()
    const opening = Promise.withResolvers<PickedKey>()
    state.picks.push(opening.promise)
    const answer = authorizeUse(wanted, deps)
    const limits = { ...NO_LIMITS, requestsPerMinute: 1 }
    state.grant = { ...(state.grant as ProviderGrant), limits }
    state.revision += 1
    opening.resolve(key)
    expect(await answer).toMatchObject({ key, revision: 2 })
    expect(state.taken).toEqual([limits])
  })

  it('is refused when its agent was revoked, and when what it rests on changes all the time', async () => {
    const { deps, wanted, key, state } = arrange()
    state.picks.push(Promise.resolve(key))
    const answer = authorizeUse(wanted, deps)
    state.agent = null
    state.revision += 1
    expect(await answer).toMatchObject({ code: 'unauthenticated' })

    const other = arrange()
    let turns = 0
    Object.assign(other.deps.keys, {
      async pick() {
        turns += 1
        await null
        other.state.revision += 1
        return other.key
      },
    })
    expect(await authorizeUse(other.wanted, other.deps)).toMatchObject({ code: 'rate_limited' })
    expect(turns).toBeLessThan(10)
    expect(other.state.taken).toEqual([])
  })

  it('goes on with another key when somebody else may use this one by then', async () => {
    const { deps, wanted, key, state } = arrange()
    Object.assign(wanted, { group: 'files' })
    const opening = Promise.withResolvers<PickedKey>()
    state.picks.push(opening.promise, { refused: 'no_key' })
    const answer = authorizeUse(wanted, deps)
    state.isOwn = false
    opening.resolve(key)
    expect(await answer).toMatchObject({ code: 'shared_key' })
    expect(state.taken).toEqual([])
  })
})

it('gives its place back where the first use of a key cannot be written', async () => {
  const { deps, wanted, state } = arrange()
  state.used = Promise.reject(new Error('full'))
  await expect(authorizeUse(wanted, deps)).rejects.toThrow('full')
  expect([state.taken.length, state.open]).toEqual([1, 0])
})
