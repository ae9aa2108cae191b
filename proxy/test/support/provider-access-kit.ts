import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect } from 'vitest'
import {
  type ApprovalEvent,
  type Approvals,
  createApprovals,
  createClockGuard,
} from '../../src/approvals/index.ts'
import type { Agent } from '../../src/identity/agents/index.ts'
import { AppError, type Tx } from '../../src/kernel/index.ts'
import { createProviderAccess } from '../../src/llm/provider-access/index.ts'
import type {
  AccessAnswer,
  AccessEvent,
  ProviderAccess,
  ProviderAsk,
  ProviderGrant,
  Use,
} from '../../src/llm/provider-access/ports.ts'
import type { Provider } from '../../src/llm/providers/index.ts'
import { collect } from './collect.ts'
import { addAgent, createDomainKit, type DomainKit } from './domain-kit.ts'
import { approver } from './principals.ts'

export const START = 1_700_000_000_000
export const MINUTE = 60_000

export const HOUR = 60 * MINUTE
export const OWNER = 'telegram:7'

export const BY = approver('7', 'Ann')
export const NO_LIMITS = { requestsPerMinute: null, tokensPerDay: null, microUsdPerDay: null, requests: null }

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
  reportsCost: false,
  private: false,
  own: false,
}

const PROVIDERS: Record<string, Provider> = {
  openai: provider,
  other: { ...provider, name: 'other' },
  inside: { ...provider, name: 'inside', auth: { kind: 'none' }, private: true },
}

export const answer = (change: Partial<AccessAnswer> = {}): AccessAnswer => ({
  decision: 'always',
  scope: 'provider',
  ...change,
})

export const refusedWith = (code: string) => expect.objectContaining({ code })

/** Before each test: access to two providers on a real file, its approvals, an agent, and a clock that is moved by hand. */
export function useProviderAccess() {
  let dir: string
  let kit: DomainKit
  let access: ProviderAccess
  let approvals: Approvals
  let agent: Agent
  let now: number
  let told: string[]
  let isFull: boolean
  const clock = { now: () => now }

  async function tell(tx: Tx, event: AccessEvent | ApprovalEvent): Promise<void> {
    if (event.type === 'access.limit_passed') told.push(`limit ${event.grant.id} ${event.limit}`)
    else {
      const model = (await tx.providerAccess.askById(event.id))?.model
      const what: Record<string, string> = { 'approval.requested': 'asked', 'approval.voted': 'voted' }
      told.push(
        `${event.type === 'approval.settled' ? event.state : (what[event.type] ?? event.type)} ${model}`,
      )
    }
  }

  const build = async (): Promise<ProviderAccess> => {
    // Of its own: the kit's has the grants of the daemon's access to end.
    const clockGuard = createClockGuard({ ...kit, clock })
    approvals = createApprovals({
      ...{ ...kit, clock, events: { publish: tell } },
      ...{ approvalTtlMs: HOUR, maxWaitingPerAgent: 3, pageOf: (id: string) => id },
    })
    const built = createProviderAccess({
      freeSpace: {
        assertRoom() {
          if (isFull) throw new AppError('storage_unavailable', 'full')
        },
      },
      providers: { find: (name) => (Object.hasOwn(PROVIDERS, name) ? PROVIDERS[name] : undefined) },
      agents: kit.agents,
      // Of its own: the kit's knows the daemon's access already.
      approvals,
      clockGuard,
      audit: kit.audit,
      storage: kit.storage,
      clock,
      events: { publish: tell },
      keyCount: () => 0,
    })
    await kit.storage.read(async (tx) => {
      await clockGuard.load(tx)
      await built.load(tx)
    })
    return built
  }

  beforeEach(async () => {
    now = START
    told = []
    isFull = false
    dir = mkdtempSync(join(tmpdir(), 'oauth3-access-'))
    kit = await createDomainKit({ dir, clock, maxWaitingPerAgent: 3 })
    access = await build()
    agent = await addAgent(kit)
  })

  afterEach(async () => {
    await kit[Symbol.asyncDispose]()
    rmSync(dir, { recursive: true })
  })

  async function restart(): Promise<void> {
    await kit[Symbol.asyncDispose]()
    kit = await createDomainKit({ dir, clock, maxWaitingPerAgent: 3 })
    access = await build()
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

  /** As it is shown now. */
  async function decideOn(id: string, given: AccessAnswer): Promise<ProviderAsk> {
    const ask = await access.find(id)
    if (!ask) throw new Error('no such ask')
    return await access.decide(id, access.contentHash(ask), given, BY)
  }

  const decide = async (change: Partial<AccessAnswer> = {}, asked: Partial<Use> = {}) =>
    decideOn((await access.ask(use(asked))).id, answer(change))

  const grant = (change: Partial<Parameters<ProviderAccess['grant']>[0]> = {}): Promise<ProviderGrant> =>
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

  const events = async (): Promise<readonly string[]> =>
    (await collect(kit.audit.export()))
      .map(({ event }) => event)
      .filter((event) => event.startsWith('provider.'))

  const pending = () => kit.storage.read((tx) => access.pending(tx))

  return {
    get kit() {
      return kit
    },
    set kit(to) {
      kit = to
    },
    get access() {
      return access
    },
    get dir() {
      return dir
    },
    get isFull() {
      return isFull
    },
    set isFull(to) {
      isFull = to
    },
    get told() {
      return told
    },
    get agent() {
      return agent
    },
    get now() {
      return now
    },
    set now(to) {
      now = to
    },
    get approvals() {
      return approvals
    },
    verdict,
    grant,
    use,
    clock,
    events,
    restart,
    decide,
    pending,
    decideOn,
  }
}
