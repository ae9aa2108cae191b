import { expect, test } from 'vitest'
import { requestOf } from '../support/domain-kit.ts'
import { owner } from '../support/principals.ts'
import { createTelegramKit } from '../support/telegram-kit.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const NO_LIMITS = { requestsPerMinute: null, tokensPerDay: null, microUsdPerDay: null, requests: null }

/** An agent with a grant for a provider, and a clock that somebody sets. */
async function startKit(grantedForMs: number) {
  const time = { now: Date.now() }
  const start = time.now
  const kit = await createTelegramKit({ start: false, clock: { now: () => time.now } })
  const agentId = (await kit.agentOf()).id
  const use = { agentId, provider: 'openai', model: 'gpt-5', group: 'inference', path: '/chat' } as const
  const terms = { agentId, provider: 'openai', models: null, paths: null, limits: NO_LIMITS }
  await kit.llm.access.grant({ ...terms, forMs: grantedForMs }, 'cli:0')
  return {
    kit,
    time,
    start,
    verdict: () => kit.llm.access.evaluate(use).verdict,
    /** A person answers a card about code. */
    async approve(decision: 'once' | 'trust24h') {
      const { requestId, consentHash } = await kit.executions.submit(await kit.agentOf(), requestOf())
      const person = owner('0', 'root')
      expect((await kit.executions.decide(requestId, consentHash, decision, person)).accepted).toBe(true)
    },
    async [Symbol.asyncDispose]() {
      await kit[Symbol.asyncDispose]()
    },
  }
}

test('a person who decides vouches for the clock once, for grants of every kind', async () => {
  await using clock = await startKit(24 * HOUR)
  clock.time.now = clock.start + 10 * HOUR
  await clock.kit.trust.tick()
  await clock.kit.llm.access.tick()
  clock.time.now = clock.start + HOUR
  expect(clock.verdict()).toBe('ask')
  const { revision } = clock.kit.llm.access
  await clock.approve('once')
  expect(clock.verdict()).toBe('granted')
  // What is remembered of who shares a key, and of streams under way, is evaluated anew.
  expect(clock.kit.llm.access.revision).toBeGreaterThan(revision)
})

test('what a person vouches for brings back no grant that had run out by the latest time seen', async () => {
  await using clock = await startKit(HOUR)
  clock.time.now = clock.start + 2 * HOUR
  // Only the other kind has seen it: the grant is not ended on disk yet.
  await clock.kit.trust.tick()
  clock.time.now = clock.start + 30 * MINUTE
  expect(clock.verdict()).toBe('ask')
  await clock.approve('once')
  expect(clock.verdict()).toBe('ask')
  expect(clock.kit.llm.access.grants()).toEqual([])
})

test('a clock that one kind of grant has seen is set back for no other', async () => {
  await using clock = await startKit(24 * HOUR)
  clock.time.now = clock.start + 20 * HOUR
  await clock.kit.trust.tick()
  clock.time.now = clock.start + HOUR
  expect(clock.verdict()).toBe('ask')
})
