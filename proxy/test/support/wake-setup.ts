import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createAgentStore } from '../../src/adapters/storage/index.ts'
import { createOpenclawCliChannel } from '../../src/adapters/wake-openclaw/index.ts'
import type { Agent, WakeTarget } from '../../src/domain/agents/index.ts'
import type { Execution, ExecutionStatus } from '../../src/domain/executions/index.ts'
import type { DefaultTarget, Waker } from '../../src/domain/wake/index.ts'
import { newRequestId, type RequestId, SecretValue } from '../../src/kernel/index.ts'
import { createDomainKit } from './domain-kit.ts'

export const MINUTE_MS = 60_000

/** The wake path of a daemon over a real database file, with a clock that stands still until it is moved. */
export interface WakeWorld extends AsyncDisposable {
  readonly clock: { now(): number; advance(ms: number): void }
  readonly folder: string
  readonly waker: Waker
  agent(name: string, wake?: WakeTarget): Agent
  /** An execution of the agent comes to this end; returns its id. */
  ends(agent: Agent, status: ExecutionStatus, more?: Partial<Execution>): RequestId
  /** The agent has fetched or acknowledged it. */
  fetched(requestId: RequestId): void
  acknowledged(requestId: RequestId): void
  revoke(name: string): void
  /** The agent's stored token becomes one that the vault does not open. */
  spoilSeal(agent: Agent): void
  /** Moves the clock and lets the pump do what is due then. */
  pass(ms: number): Promise<void>
  /** Ends the process's part and begins it anew on the same file. */
  restart(defaultTarget?: DefaultTarget | null): Promise<void>
  rows(): readonly { request_id: string; next_at: number; delivered: number; last_error: string | null }[]
  audit(event: string): readonly { requestId: string | null; data: string }[]
  /** Every byte of the database's files. */
  bytes(): Buffer
}

export async function createWakeWorld(initialTarget: DefaultTarget | null): Promise<WakeWorld> {
  const folder = mkdtempSync(join(tmpdir(), 'oauth3-wake-'))
  const path = join(folder, 'proxy.db')
  let now = 1_800_000_000_000
  const clock = { now: () => now }

  const open = async (defaultTarget: DefaultTarget | null) => {
    const parts = await createDomainKit({
      dir: folder,
      clock,
      wake: defaultTarget && {
        ...defaultTarget.target,
        token: defaultTarget.token === null ? null : new SecretValue(defaultTarget.token),
      },
      wakeChannels: { 'openclaw-cli': createOpenclawCliChannel({ timeoutMs: 5_000 }) },
    })
    parts.waker.start()
    return parts
  }

  let current = initialTarget
  let process = await open(current)

  const change = (requestId: RequestId, patch: Partial<Execution>): void => {
    const execution = process.executionStore.byRequestId(requestId)
    if (execution) process.executionStore.update({ ...execution, ...patch })
  }
  const setWake = (agent: Agent, wake: WakeTarget): void =>
    createAgentStore(process.db).setWake(agent.id, wake)

  return {
    clock: {
      now: clock.now,
      advance: (ms) => {
        now += ms
      },
    },
    folder,
    get waker() {
      return process.waker
    },
    agent(name, wake) {
      const { agent } = process.agents.add({ name }, 'test')
      if (!wake) return agent
      const sealedToken =
        wake.sealedToken === null
          ? null
          : process.vault.sealFor(`agent-wake:${agent.id}`, new SecretValue(wake.sealedToken))
      setWake(agent, { ...wake, sealedToken })
      return { ...agent, wake: { ...wake, sealedToken } }
    },
    ends(agent, status, more) {
      const execution = executionOf(agent, status, now, more)
      process.transactor.transact(() => {
        process.executionStore.insert(execution)
        process.events.publish({ type: 'execution.changed', execution, from: 'running' })
      })
      return execution.requestId
    },
    fetched: (requestId) => change(requestId, { seenAt: now }),
    acknowledged: (requestId) => change(requestId, { seenAt: now, ackedAt: now }),
    revoke: (name) => void process.agents.revoke(name, 'test'),
    spoilSeal: (agent) => agent.wake && setWake(agent, { ...agent.wake, sealedToken: 'spoilt' }),
    async pass(ms) {
      now += ms
      await process.waker.nudge()
    },
    async restart(defaultTarget = current) {
      current = defaultTarget
      await process[Symbol.asyncDispose]()
      process = await open(current)
      await process.waker.nudge()
    },
    rows: () =>
      process.db
        .prepare('SELECT request_id, next_at, delivered, last_error FROM wakes ORDER BY request_id')
        .all() as never,
    audit: (event) => process.audit.newest(10_000).filter((row) => row.event === event),
    bytes: () => Buffer.concat([path, `${path}-wal`].map((file) => readFileSync(file))),
    async [Symbol.asyncDispose]() {
      await process[Symbol.asyncDispose]()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

function executionOf(
  agent: Agent,
  status: ExecutionStatus,
  now: number,
  more: Partial<Execution> = {},
): Execution {
  return {
    requestId: newRequestId(),
    agentId: agent.id,
    skillId: 'weather/today',
    codeHash: 'c'.repeat(64) as Execution['codeHash'],
    status,
    consentJson: '{}',
    consentHash: 'd'.repeat(64) as Execution['consentHash'],
    changes: [],
    createdAt: now - 1_000,
    expiresAt: now + 3_600_000,
    trusted: false,
    decision: null,
    decidedBy: null,
    decidedByName: null,
    decidedAt: null,

    denyReason: null,
    startedAt: now - 500,
    finishedAt: now,
    durationMs: 500,
    failure: status === 'failed' ? 'nonzero_exit' : null,
    result: null,
    seenAt: null,
    ackedAt: null,
    ...more,
  }
}
