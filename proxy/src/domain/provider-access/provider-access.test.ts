import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { addAgent, createDomainKit, type DomainKit } from '../../../test/support/domain-kit.ts'
import { createProviderAccessStore } from '../../adapters/storage/index.ts'
import { AppError } from '../../kernel/index.ts'
import type { Agent } from '../agents/index.ts'
import { createApprovals } from '../approvals/index.ts'
import type { Provider } from '../providers/index.ts'
import { createProviderAccess } from './index.ts'
import type { AccessAnswer, AccessEvent, ProviderAccess, ProviderAsk, ProviderGrant, Use } from './ports.ts'

const START = 1_700_000_000_000
const MINUTE = 60_000
const HOUR = 60 * MINUTE
const OWNER = 'telegram:7'
const BY = { actor: OWNER, name: 'Ann' }
const NO_LIMITS = { requestsPerMinute: null, tokensPerDay: null, microUsdPerDay: null }

const provider: Provider = {
  name: 'openai',
  scheme: 'https',
  host: 'api.openai.test',
  port: 443,
  roots: ['/v1'],
  auth: { kind: 'bearer' },
  errors: 'openai',
  models: [],
  includeUsage: true,
  tellsCost: false,
  private: false,
  own: false,
}

const PROVIDERS: Record<string, Provider> = {
  openai: provider,
  other: { ...provider, name: 'other' },
  inside: { ...provider, name: 'inside', auth: { kind: 'none' }, private: true },
}

let dir: string
let kit: DomainKit
let access: ProviderAccess
let agent: Agent
let now: number
let told: string[]
let isFull: boolean
const clock = { now: () => now }
function tell(event: AccessEvent): void {
  if (event.type === 'access.limit_passed') told.push(`limit ${event.grant.id} ${event.limit}`)
  else told.push(`${event.type === 'access.requested' ? 'asked' : event.ask.status} ${event.ask.model}`)
}

const build = (): ProviderAccess =>
  createProviderAccess({
    freeSpace: {
      assertRoom() {
        if (isFull) throw new AppError('storage_unavailable', 'full')
      },
    },
    repository: createProviderAccessStore(kit.db),
    providers: { find: (name) => (Object.hasOwn(PROVIDERS, name) ? PROVIDERS[name] : undefined) },
    agents: kit.agents,
    // Of its own: the kit's knows the daemon's access already.
    approvals: createApprovals({ ...kit, approvalTtlMs: HOUR, maxWaitingPerAgent: 3 }),
    clockGuard: kit.clockGuard,
    audit: kit.audit,
    transactor: kit.transactor,
    clock,
    events: { publish: tell },
    keyCount: () => 0,
  })

beforeEach(async () => {
  now = START
  told = []
  isFull = false
  dir = mkdtempSync(join(tmpdir(), 'oauth3-access-'))
  kit = await createDomainKit({ dir, clock, maxWaitingPerAgent: 3 })
  access = build()
  agent = addAgent(kit)
})
afterEach(async () => {
  await kit[Symbol.asyncDispose]()
  rmSync(dir, { recursive: true })
})
async function restart(): Promise<void> {
  await kit[Symbol.asyncDispose]()
  kit = await createDomainKit({ dir, clock, maxWaitingPerAgent: 3 })
  access = build()
}

const use = (change: Partial<Use> = {}): Use => ({
  agentId: agent.id,
  provider: 'openai',
  model: 'gpt-5',
  group: 'inference',
  path: '/chat/completions',
  ...change,
})
const verdict = (change: Partial<Use> = {}): string => access.evaluate(use(change)).verdict
const answer = (change: Partial<AccessAnswer> = {}): AccessAnswer => ({
  decision: 'always',
  scope: 'provider',
  ...change,
})
/** As it is shown now. */
function decideOn(id: string, given: AccessAnswer): ProviderAsk {
  const ask = access.find(id)
  if (!ask) throw new Error('no such ask')
  return access.decide(id, access.contentHash(ask), given, BY)
}
const decide = (change: Partial<AccessAnswer> = {}, asked: Partial<Use> = {}) =>
  decideOn(access.ask(use(asked)).id, answer(change))
const grant = (change: Partial<Parameters<ProviderAccess['grant']>[0]> = {}): ProviderGrant =>
  access.grant(
    {
      agentId: agent.id,
      provider: 'openai',
      forMs: null,
      models: null,
      paths: null,
      limits: NO_LIMITS,
      ...change,
    },
    'cli:0',
  )
const events = (): readonly string[] =>
  [...kit.audit.export()].map(({ event }) => event).filter((event) => event.startsWith('provider.'))
const refusedWith = (code: string) => expect.objectContaining({ code })
/** What is remembered is read anew once the transaction is over. */
const settled = (): Promise<void> => Promise.resolve()
const remembered = async (): Promise<void> => {
  await settled()
  verdict()
}

describe('what a grant covers', () => {
  it('covers its agent and provider, and no other', () => {
    expect(verdict()).toBe('ask')
    grant()
    expect(verdict()).toBe('granted')
    expect(verdict({ model: null })).toBe('granted')
    expect(verdict({ provider: 'other' })).toBe('ask')
    expect(verdict({ agentId: addAgent(kit, 'second').id })).toBe('ask')
  })

  it('lets several grants stand beside each other, and takes the widest that covers the use', () => {
    const first = grant({ models: ['a'], limits: { ...NO_LIMITS, requestsPerMinute: 5 } })
    const second = grant({ models: ['b*'] })
    expect(access.evaluate(use({ model: 'a' }))).toEqual({ verdict: 'granted', grant: first })
    expect(access.evaluate(use({ model: 'b-1' }))).toEqual({ verdict: 'granted', grant: second })
    expect(verdict({ model: 'c' })).toBe('ask')
    const partly = grant({ models: ['a', 'c'], paths: ['/audio'] })
    expect(access.evaluate(use({ model: 'a', path: '/audio/speech' }))).toMatchObject({
      grant: { id: first.id },
    })
    expect(access.evaluate(use({ model: 'c', path: '/audio/speech' }))).toMatchObject({
      grant: { id: partly.id },
    })
  })

  it('replaces what the later grant covers, and leaves the rest', () => {
    const narrow = grant({ models: ['gpt-5'] })
    const other = grant({ models: ['o3'] })
    const wider = grant({ models: ['gpt*'] })
    expect(access.grants().map(({ id }) => id)).toEqual([other.id, wider.id])
    expect(kit.db.prepare('SELECT ended_why FROM provider_grants WHERE id = ?').pluck().get(narrow.id)).toBe(
      'replaced',
    )
    grant()
    expect(access.grants()).toHaveLength(1)
  })

  it('goes on while the disk is low, when nobody is asked anything new', () => {
    grant()
    isFull = true
    expect(() => access.ask(use({ provider: 'other' }))).toThrow(refusedWith('storage_unavailable'))
    expect(told).toEqual([])
    expect(verdict()).toBe('granted')
  })

  it('evaluates without the disk', async () => {
    grant()
    await settled()
    verdict()
    verdict({ provider: 'other' })
    kit.db.close()
    expect(verdict()).toBe('granted')
    expect(verdict({ provider: 'other' })).toBe('ask')
    kit = await createDomainKit({ dir, clock, maxWaitingPerAgent: 3 })
  })

  it('follows a change of models, paths and limits at once', async () => {
    const { id } = grant()
    await remembered()
    access.limit(id, { models: ['o3'], limits: { tokensPerDay: 1_000 } }, 'cli:0')
    expect(verdict()).toBe('ask')
    expect(access.evaluate(use({ model: 'o3' }))).toMatchObject({
      grant: { limits: { tokensPerDay: 1_000 } },
    })
    access.limit(id, { models: null, paths: ['/chat'], limits: { requestsPerMinute: 3 } }, 'cli:0')
    expect(verdict()).toBe('granted')
    expect(verdict({ path: '/files' })).toBe('ask')
    expect(access.grants()[0]?.limits).toEqual({ ...NO_LIMITS, tokensPerDay: 1_000, requestsPerMinute: 3 })
    for (const bad of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => access.limit(id, { limits: { tokensPerDay: bad } }, 'cli:0')).toThrow(
        refusedWith('invalid_request'),
      )
    }
    expect(() => access.limit(id + 1, {}, 'cli:0')).toThrow(refusedWith('not_found'))
  })

  it('is given to an agent and provider that there are, for a time that there is', () => {
    expect(() => grant({ provider: 'toString' })).toThrow(refusedWith('not_found'))
    expect(() => grant({ agentId: 'agt_0000000000000000' as Agent['id'] })).toThrow(refusedWith('not_found'))
    for (const forMs of [0, -1, Number.NaN, 1e15]) {
      expect(() => grant({ forMs })).toThrow(refusedWith('invalid_request'))
    }
    kit.agents.revoke(agent.name, 'cli:0')
    expect(() => grant()).toThrow(refusedWith('not_found'))
  })
})

describe('how long a grant stands', () => {
  it('ends sharp, and says so in the audit', () => {
    grant({ forMs: HOUR })
    now = START + HOUR - 1
    expect(verdict()).toBe('granted')
    now = START + HOUR
    expect(verdict()).toBe('ask')
    expect(access.grants()).toEqual([])
    expect(events()).toEqual(['provider.granted', 'provider.ended'])
  })

  it('stays ended when the clock is set back, whoever noticed the end first', async () => {
    const { id } = grant({ forMs: HOUR })
    now = START + HOUR
    access.tick()
    now = START + 1
    expect(verdict()).toBe('ask')
    await restart()
    expect(verdict()).toBe('ask')
    expect(() => access.revoke(id, OWNER)).toThrow(refusedWith('not_found'))
  })

  it('is not stretched by a clock that is set back before its end, nor by a restart', async () => {
    grant({ forMs: HOUR })
    now = START + 50 * MINUTE
    access.tick()
    now = START + MINUTE
    expect(verdict()).toBe('ask')
    await restart()
    expect(verdict()).toBe('ask')
    now = START + 48 * MINUTE
    expect(verdict()).toBe('granted')
  })

  it('stands without an end, over clocks and restarts', async () => {
    grant()
    for (const at of [START + 1_000 * HOUR, START - HOUR]) {
      now = at
      access.tick()
      await restart()
      expect(verdict()).toBe('granted')
    }
  })

  it('can be given again after the clock ran far ahead and was put right', () => {
    now = START + 1_000 * HOUR
    access.tick()
    now = START
    decide({ decision: '1h' })
    expect(verdict()).toBe('granted')
  })

  it('ends at once when it is revoked, and when its agent is', async () => {
    const { id } = grant()
    await remembered()
    access.revoke(id, OWNER)
    expect(verdict()).toBe('ask')
    expect(() => access.revoke(id, OWNER)).toThrow(refusedWith('not_found'))
    grant()
    const ask = access.ask(use({ provider: 'other' }))
    await remembered()
    kit.transactor.transact(() => access.agentRevoked(agent.id, 'cli:0'))
    expect(verdict()).toBe('ask')
    expect(access.find(ask.id)).toMatchObject({ status: 'expired', decidedBy: 'cli:0' })
    expect(events().filter((event) => event === 'provider.revoked')).toHaveLength(2)
  })
})

describe('a provider that is removed', () => {
  it('takes its grants and asks along, of every agent, and leaves those of others', async () => {
    const second = addAgent(kit, 'second')
    const lost = [grant(), grant({ agentId: second.id })]
    const kept = grant({ provider: 'other' })
    const asked = [
      access.ask(use({ provider: 'inside' })),
      access.ask(use({ provider: 'inside', model: null })),
    ]
    const elsewhere = access.ask(use({ agentId: second.id, provider: 'other' }))
    const waiting = access.wait(asked[0]?.id as string, HOUR, new AbortController().signal)
    await remembered()
    kit.transactor.transact(() => access.providerRemoved('openai', 'cli:0'))
    expect(access.grants().map(({ id }) => id)).toEqual([kept.id])
    expect([verdict(), verdict({ agentId: second.id }), verdict({ provider: 'other' })]).toEqual([
      'ask',
      'ask',
      'granted',
    ])
    expect(events().filter((event) => event === 'provider.revoked')).toHaveLength(lost.length)
    kit.transactor.transact(() => access.providerRemoved('inside', 'cli:0'))
    expect(await waiting).toMatchObject({ status: 'expired', decidedBy: 'cli:0' })
    expect(access.pending().map(({ id }) => id)).toEqual([elsewhere.id])
    for (const { id } of asked) {
      expect(() => decideOn(id, answer())).toThrow(refusedWith('refused'))
    }
    expect(verdict({ provider: 'inside' })).toBe('ask')
    expect(events().filter((event) => event === 'provider.expired')).toHaveLength(asked.length)
  })
})

describe('a transaction that is undone', () => {
  const undone = (work: () => void): void => {
    expect(() =>
      kit.transactor.transact(() => {
        work()
        throw new Error('undone')
      }),
    ).toThrow('undone')
  }

  it('leaves no grant, denial or revocation behind, though it was seen inside', async () => {
    undone(() => {
      grant()
      expect(verdict()).toBe('granted')
    })
    expect(verdict()).toBe('ask')
    await settled()
    expect(verdict()).toBe('ask')

    undone(() => {
      decide({ decision: 'deny' })
      expect(verdict()).toBe('denied')
    })
    expect(verdict()).toBe('ask')
    expect(access.pending()).toEqual([])

    const { id } = grant()
    undone(() => void access.revoke(id, OWNER))
    expect(verdict()).toBe('granted')
    await settled()
    expect(verdict()).toBe('granted')
  })

  it('wakes nobody who waits', async () => {
    const { id } = access.ask(use())
    const waiting = access.wait(id, 60_000, new AbortController().signal)
    await settled()
    undone(() => void decideOn(id, answer()))
    decideOn(id, answer({ decision: 'deny' }))
    expect((await waiting).status).toBe('denied')
  })
})

describe('an ask', () => {
  it('is stored with its message and audit, and its duplicates are the same ask', () => {
    const first = access.ask(use())
    expect(first.id).toMatch(/^ask_[0-9a-f]{32}$/)
    expect(access.ask(use({ path: '/responses' }))).toEqual(first)
    expect(access.ask(use({ model: null })).id).not.toBe(first.id)
    expect(told).toEqual(['asked gpt-5', 'asked null'])
    expect(events()).toEqual(['provider.asked', 'provider.asked'])
    expect(access.pending().map(({ id }) => id)).toContain(first.id)
  })

  it('is not one of too many that wait of one agent', () => {
    for (const model of ['a', 'b', 'c']) access.ask(use({ model }))
    expect(() => access.ask(use({ model: 'd' }))).toThrow(
      expect.objectContaining({ code: 'rate_limited', retryAfterSeconds: 30 }),
    )
    expect(access.ask(use({ model: 'a' })).model).toBe('a')
    expect(access.ask(use({ agentId: addAgent(kit, 'second').id })).status).toBe('pending')
    now += HOUR
    expect(access.ask(use({ model: 'd' })).status).toBe('pending')
  })

  it('takes no name of a model beyond its length', () => {
    expect(() => access.ask(use({ model: 'x'.repeat(257) }))).toThrow(refusedWith('invalid_request'))
    expect(told).toEqual([])
  })

  it('expires, and is asked anew afterwards', () => {
    const { id } = access.ask(use())
    now += HOUR
    expect(access.pending()).toEqual([])
    expect(() => decideOn(id, answer())).toThrow(refusedWith('refused'))
    expect(access.find(id)?.status).toBe('expired')
    const second = access.ask(use())
    expect(second.id).not.toBe(id)
    now += HOUR
    expect(access.ask(use()).id).not.toBe(second.id)
    now += HOUR
    access.tick()
    expect(events().filter((event) => event === 'provider.expired')).toHaveLength(3)
    expect(told.filter((line) => line.startsWith('expired'))).toHaveLength(3)
    expect(verdict()).toBe('ask')
  })

  it.each(['deny', '24h'] as const)(
    'names the agent in the audit, so that its rows are found: %s',
    (decision) => {
      const ask = decide({ decision })
      const row = [...kit.audit.export()].find(({ event }) => event === 'provider.decided')
      expect(JSON.parse(row?.data ?? '')).toMatchObject({
        ask: ask.id,
        agent_id: ask.agentId,
        provider: 'openai',
        decision,
      })
    },
  )

  it('is answered once', () => {
    const ask = decide({ decision: '1h' })
    expect(ask).toMatchObject({ status: 'granted', decidedBy: OWNER, decidedByName: 'Ann', decidedAt: now })
    for (const decision of ['deny', '1h', 'always'] as const) {
      expect(() => decideOn(ask.id, answer({ decision }))).toThrow(refusedWith('refused'))
    }
    expect(access.grants()).toHaveLength(1)
    expect(() => access.decide('ask_x', '0'.repeat(64), answer(), BY)).toThrow(refusedWith('not_found'))
    expect(events()).toEqual(['provider.asked', 'provider.decided', 'provider.granted'])
  })

  it.each([
    ['1h', HOUR],
    ['24h', 24 * HOUR],
    ['always', null],
  ] as const)('that is granted for %s becomes a grant of that length', (decision, lasts) => {
    decide({ decision })
    expect(access.grants()).toMatchObject([
      { models: null, paths: null, limits: NO_LIMITS, expiresAt: lasts === null ? null : now + lasts },
    ])
  })

  it('can be granted for its model alone, or for what the owner names', () => {
    decide({ scope: 'model' })
    expect(verdict()).toBe('granted')
    expect(verdict({ model: 'gpt-5-mini' })).toBe('ask')
    expect(verdict({ model: null })).toBe('ask')
    decide({ models: ['o*'], paths: ['/chat'], limits: { requestsPerMinute: 1 } }, { model: 'o3' })
    expect(access.evaluate(use({ model: 'o3' }))).toMatchObject({
      grant: { limits: { requestsPerMinute: 1 } },
    })
    expect(verdict({ model: 'o3', path: '/files' })).toBe('ask')
  })

  it.each(['gpt-5*', '*', 'gpt-5 ', 'gpt\u202e-5', 'a b'])(
    'for %j offers no button for the model alone, and cannot be granted by it',
    (model) => {
      const { id } = access.ask(use({ model }))
      const choices = access.card(id)?.choices.flat() ?? []
      expect(choices.map(({ scope }) => scope)).toEqual(Array(8).fill('provider'))
      expect(() => decideOn(id, answer({ scope: 'model' }))).toThrow(refusedWith('refused'))
      expect(access.find(id)?.status).toBe('pending')
      expect(access.grants()).toEqual([])
    },
  )

  it('without a model cannot be granted for one, unless the owner names it', () => {
    const { id } = access.ask(use({ model: null }))
    expect(() => decideOn(id, answer({ scope: 'model' }))).toThrow(refusedWith('refused'))
    decideOn(id, answer({ scope: 'model', models: ['o3'] }))
    expect(verdict({ model: 'o3' })).toBe('granted')
  })

  it('that a grant covers by now is settled with it', () => {
    const other = access.ask(use({ model: 'o3' }))
    const elsewhere = access.ask(use({ provider: 'other' }))
    decide()
    expect(access.find(other.id)).toMatchObject({ status: 'granted', decidedBy: OWNER })
    expect(access.find(elsewhere.id)?.status).toBe('pending')
    grant({ provider: 'other' })
    expect(access.find(elsewhere.id)).toMatchObject({ status: 'granted', decidedBy: 'cli:0' })
  })

  it('keeps the limits of a grant that the answer makes wider', () => {
    grant({ models: ['o3'], limits: { ...NO_LIMITS, microUsdPerDay: 2_500_000 } })
    const { id } = access.ask(use())
    expect(access.card(id)?.notes.join('\n')).toContain('$2.50 a day')
    decideOn(id, answer())
    expect(access.grants()).toMatchObject([
      { models: null, limits: { ...NO_LIMITS, microUsdPerDay: 2_500_000 } },
    ])
  })

  it('keeps them for one more model as well, unless the answer names others', () => {
    grant({ models: ['o3'], limits: { ...NO_LIMITS, tokensPerDay: 1_000 } })
    decideOn(access.ask(use()).id, answer({ scope: 'model' }))
    const [, more] = access.grants()
    expect(more).toMatchObject({ limits: { ...NO_LIMITS, tokensPerDay: 1_000 } })
    expect(more?.models).not.toBeNull()
    const limits = { tokensPerDay: null }
    decideOn(access.ask(use({ model: 'other' })).id, answer({ scope: 'model', limits }))
    expect(access.grants()[2]?.limits).toEqual(NO_LIMITS)
  })

  it('writes nothing when the answer names something impossible', () => {
    const { id } = access.ask(use())
    for (const change of [{ models: ['a*b'] }, { paths: ['chat'] }, { limits: { tokensPerDay: 0 } }]) {
      expect(() => decideOn(id, answer(change))).toThrow(refusedWith('invalid_request'))
    }
    expect(access.find(id)?.status).toBe('pending')
    expect(events()).toEqual(['provider.asked'])
  })
})

describe('a denial', () => {
  it('holds for ten minutes and the whole provider, over a restart, and not for what is granted', async () => {
    grant({ models: ['o3'] })
    await remembered()
    decide({ decision: 'deny' })
    expect(access.evaluate(use())).toEqual({ verdict: 'denied', retryAfterSeconds: 600 })
    expect(verdict({ model: 'another' })).toBe('denied')
    expect(verdict({ model: 'o3' })).toBe('granted')
    expect(verdict({ provider: 'other' })).toBe('ask')
    now += 10 * MINUTE - 1
    await restart()
    expect(access.evaluate(use())).toEqual({ verdict: 'denied', retryAfterSeconds: 1 })
    now += 1
    expect(verdict()).toBe('ask')
  })
})

describe('waiting for an answer', () => {
  const signal = new AbortController().signal

  it('ends with the answer', async () => {
    const { id } = access.ask(use())
    const waiting = [access.wait(id, 60_000, signal), access.wait(id, 60_000, signal)]
    decideOn(id, answer())
    expect((await Promise.all(waiting)).map(({ status }) => status)).toEqual(['granted', 'granted'])
    expect((await access.wait(id, 60_000, signal)).status).toBe('granted')
  })

  it('ends when the ask expires, when the time is over, and when the caller leaves', async () => {
    const { id } = access.ask(use())
    expect((await access.wait(id, 0, signal)).status).toBe('pending')
    expect((await access.wait(id, 1, signal)).status).toBe('pending')
    const leaving = new AbortController()
    const left = access.wait(id, 60_000, leaving.signal)
    leaving.abort()
    expect((await left).status).toBe('pending')
    const expiring = access.wait(id, 60_000, signal)
    await settled()
    now += HOUR
    access.tick()
    expect((await expiring).status).toBe('expired')
    await expect(access.wait('ask_x', 1, signal)).rejects.toMatchObject({ code: 'not_found' })
  })
})

describe('the card of an ask', () => {
  it('says who, what and where, that the key stays here, what it may cost, and offers the buttons', () => {
    const card = access.card(access.ask(use()).id)
    expect(card).toMatchObject({
      agent: 'demo-agent',
      provider: 'openai',
      origin: 'https://api.openai.test',
      model: 'gpt-5',
      path: '/chat/completions',
      expiresAt: now + HOUR,
    })
    const notes = card?.notes.join('\n')
    expect(notes).toContain('never sees the key')
    expect(notes).toContain('oauth3 grant limit')
    expect(notes).toContain('No key of this provider is stored yet')
    expect(card?.choices.map((row) => row.map(({ label }) => label))).toEqual([
      ['⏱ 1 hour', '⏱ 24 hours'],
      ['♾ Always', '❌ Deny'],
      ['⏱ 24 h, ≤ $1 a day', '♾ Always, ≤ $1 a day'],
      ['⏱ 24 h, ≤ 200k tokens', '♾ Always, ≤ 200k a day'],
      ['Only gpt-5: 1 h', 'Only it: 24 h', 'Only it: always'],
    ])
    expect(access.card('ask_x')).toBeUndefined()
  })

  it('says which limits come with it, what they count, and which grants stay as they are', () => {
    grant({ models: ['o3'], limits: { ...NO_LIMITS, tokensPerDay: 1_000, requestsPerMinute: 9 } })
    grant({ models: ['o4'], limits: { ...NO_LIMITS, requestsPerMinute: 5 } })
    grant({ groups: ['inference', 'files'], models: ['o5'] })
    const { id } = access.ask(use())
    const notes = access.card(id)?.notes ?? []
    expect(notes).toContain(
      'It comes with the lowest limits that stand there: 5 requests a minute, 1,000 tokens a day. They count all that the agent uses of openai. Others: oauth3 grant limit',
    )
    expect(notes).toContain(
      'It has this already, until a grant of all models takes its place: inference, o4, 5 requests a minute',
    )
    expect(notes).toContain('It has this already, and keeps it as it is: inference files, o5')
    decideOn(id, answer())
    expect(access.grants().map(({ models, limits }) => [models, limits])).toEqual([
      [['o5'], NO_LIMITS],
      [null, { ...NO_LIMITS, tokensPerDay: 1_000, requestsPerMinute: 5 }],
    ])
  })

  it('says that a provider may be inside the network, and asks for no key where none is taken', () => {
    const notes = access.card(access.ask(use({ provider: 'inside' })).id)?.notes.join('\n')
    expect(notes).toContain('inside the private network')
    expect(notes).not.toContain('No key')
  })

  it('shows what hides in the texts of the request', () => {
    const card = access.card(access.ask(use({ model: 'gpt\u202e-5\nAgent: x', path: '/\u200bchat' })).id)
    expect(card?.model).toBe('gpt⟨U+202E⟩-5 Agent: x')
    expect(card?.path).toBe('/⟨U+200B⟩chat')
    expect(card?.choices.flat().filter(({ scope }) => scope === 'model')).toEqual([])
  })
})

it('tells the audit and the owner of a limit that was passed', () => {
  const passed = grant()
  access.limitPassed(passed, 'tokens_per_day')
  expect(told).toEqual([`limit ${passed.id} tokens_per_day`])
  expect(events()).toEqual(['provider.granted', 'provider.limit_passed'])
})
