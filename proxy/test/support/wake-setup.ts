import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  createAgentStore,
  createAuditStore,
  createExecutionStore,
  createMetaStore,
  createTransactor,
  createWakeStore,
  openDatabase,
} from '../../src/adapters/storage/index.ts'
import {
  createOpenclawCliChannel,
  createOpenclawHookChannel,
  createWebhookChannel,
} from '../../src/adapters/wake-openclaw/index.ts'
import { type Agent, createAgents, type WakeTarget } from '../../src/domain/agents/index.ts'
import { createAuditLog } from '../../src/domain/audit/index.ts'
import type { Execution, ExecutionStatus } from '../../src/domain/executions/index.ts'
import {
  createWaker,
  createWakeScheduler,
  type DefaultTarget,
  type Waker,
} from '../../src/domain/wake/index.ts'
import { newRequestId, type RequestId, SecretValue } from '../../src/kernel/index.ts'

const SEALED = 'sealed:'
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

export function createWakeWorld(initialTarget: DefaultTarget | null): WakeWorld {
  const folder = mkdtempSync(join(tmpdir(), 'oauth3-wake-'))
  const path = join(folder, 'proxy.db')
  let now = 1_800_000_000_000
  const clock = { now: () => now }

  const open = (defaultTarget: DefaultTarget | null) => {
    const db = openDatabase(path)
    const transactor = createTransactor(db)
    const audit = createAuditLog({
      repository: createAuditStore(db, createMetaStore(db)),
      clock,
      auditKey: new Uint8Array(32),
    })
    const agents = createAgents({
      repository: createAgentStore(db),
      audit,
      transactor,
      events: { publish() {} },
      clock,
    })
    const repository = createWakeStore(db)
    const waker = createWaker({
      repository,
      agents,
      vault: {
        openFor(purpose, sealed) {
          const prefix = `${SEALED}${purpose}:`
          if (!sealed.startsWith(prefix)) throw new Error('wrong seal')
          return new SecretValue(sealed.slice(prefix.length))
        },
      },
      channels: {
        'openclaw-hook': createOpenclawHookChannel(),
        'openclaw-cli': createOpenclawCliChannel({ timeoutMs: 5_000 }),
        webhook: createWebhookChannel(),
      },
      defaultTarget,
      audit,
      transactor,
      clock,
      log: { warn: () => {}, error: (fields) => console.error(fields) },
    })
    const scheduleWake = createWakeScheduler({
      repository,
      clock,
      hasTarget: (id) => defaultTarget !== null || (agents.byId(id)?.wake ?? null) !== null,
      // The test says when.
      waker: { nudge: async () => {} },
    })
    waker.start()
    return {
      db,
      transactor,
      audit,
      agents,
      agentStore: createAgentStore(db),
      executions: createExecutionStore(db),
      scheduleWake,
      waker,
    }
  }

  let current = initialTarget
  let process = open(current)

  const change = (requestId: RequestId, patch: Partial<Execution>): void => {
    const execution = process.executions.byRequestId(requestId)
    if (execution) process.executions.update({ ...execution, ...patch })
  }

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
        wake.sealedToken === null ? null : `${SEALED}agent-wake:${agent.id}:${wake.sealedToken}`
      process.agentStore.setWake(agent.id, { ...wake, sealedToken })
      return { ...agent, wake: { ...wake, sealedToken } }
    },
    ends(agent, status, more) {
      const execution = executionOf(agent, status, now, more)
      process.transactor.transact(() => {
        process.executions.insert(execution)
        process.scheduleWake({ type: 'execution.changed', execution, from: 'running' })
      })
      return execution.requestId
    },
    fetched: (requestId) => change(requestId, { seenAt: now }),
    acknowledged: (requestId) => change(requestId, { seenAt: now, ackedAt: now }),
    revoke: (name) => void process.agents.revoke(name, 'test'),
    spoilSeal: (agent) =>
      agent.wake && process.agentStore.setWake(agent.id, { ...agent.wake, sealedToken: 'spoilt' }),
    async pass(ms) {
      now += ms
      await process.waker.nudge()
    },
    async restart(defaultTarget = current) {
      current = defaultTarget
      await process.waker[Symbol.asyncDispose]()
      process.db.close()
      process = open(current)
      await process.waker.nudge()
    },
    rows: () =>
      process.db
        .prepare('SELECT request_id, next_at, delivered, last_error FROM wakes ORDER BY request_id')
        .all() as never,
    audit: (event) => process.audit.newest(10_000).filter((row) => row.event === event),
    bytes: () => Buffer.concat([path, `${path}-wal`].map((file) => readFileSync(file))),
    async [Symbol.asyncDispose]() {
      await process.waker[Symbol.asyncDispose]()
      process.db.close()
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
