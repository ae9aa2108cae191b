import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { WakeConfig } from '../../src/config/index.ts'
import type { Execution, ExecutionStatus } from '../../src/executions/index.ts'
import type { Agent, WakeTarget } from '../../src/identity/agents/index.ts'
import { newRequestId, type RequestId, SecretValue } from '../../src/kernel/index.ts'
import type { DefaultTarget, Waker } from '../../src/notify/wake/index.ts'
import { createOpenclawCliChannel } from '../../src/notify/wake-channels/index.ts'
import { createDomainKit } from './domain-kit.ts'
import { openRaw, storedBytes } from './test-engine.ts'

export const MINUTE_MS = 60_000

/** The wake path of a daemon over a real database file, with a clock that stands still until it is moved. */
export interface WakeWorld extends AsyncDisposable {
  readonly clock: { now(): number; advance(ms: number): void }
  readonly folder: string
  readonly waker: Waker
  agent(name: string, wake?: WakeTarget): Promise<Agent>
  /** An execution of the agent comes to this end; returns its id. */
  ends(agent: Agent, status: ExecutionStatus, more?: Partial<Execution>): Promise<RequestId>
  /** The agent has fetched or acknowledged it. */
  fetched(requestId: RequestId): Promise<void>
  acknowledged(requestId: RequestId): Promise<void>
  revoke(name: string): Promise<void>
  /** The agent's stored token becomes one that the vault does not open. */
  spoilSeal(agent: Agent): Promise<void>
  /** Moves the clock and lets the pump do what is due then. */
  pass(ms: number): Promise<void>
  /** Ends the process's part and begins it anew on the same file. */
  restart(defaultTarget?: DefaultTarget | null): Promise<void>
  rows(): readonly { request_id: string; next_at: number; delivered: number; last_error: string | null }[]
  audit(event: string): Promise<readonly { requestId: string | null; data: string }[]>
  /** Every byte of the database's files; on PostgreSQL every row of every table. */
  bytes(): Buffer
}

export async function createWakeWorld(initialTarget: DefaultTarget | null): Promise<WakeWorld> {
  const folder = mkdtempSync(join(tmpdir(), 'oauth3-wake-'))
  let now = 1_800_000_000_000
  const clock = { now: () => now }

  const open = async (defaultTarget: DefaultTarget | null) => {
    const parts = await createDomainKit({
      dir: folder,
      clock,
      wake: defaultTarget && {
        ...(defaultTarget.target as Omit<DefaultTarget['target'], 'kind'> & { kind: WakeConfig['kind'] }),
        token: defaultTarget.token === null ? null : new SecretValue(defaultTarget.token),
      },
      wakeChannels: { 'openclaw-cli': createOpenclawCliChannel({ timeoutMs: 5_000 }) },
    })
    await parts.waker.start()
    return parts
  }

  let current = initialTarget
  let process = await open(current)

  const change = (requestId: RequestId, patch: Partial<Execution>): Promise<void> =>
    process.storage.transaction(async (tx) => {
      const execution = await tx.executions.byRequestId(requestId)
      if (execution) await tx.executions.update({ ...execution, ...patch })
    })

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
    async agent(name, wake) {
      const sealed = (id: Agent['id']): WakeTarget | null =>
        wake === undefined
          ? null
          : {
              ...wake,
              sealedToken:
                wake.sealedToken === null
                  ? null
                  : process.vault.sealFor(`agent-wake:${id}`, new SecretValue(wake.sealedToken)),
            }
      return (await process.agents.add({ name, wake: sealed }, 'cli:0')).agent
    },
    async ends(agent, status, more) {
      const execution = executionOf(agent, status, now, more)
      await process.storage.transaction(async (tx) => {
        await tx.executions.insert(execution)
        await process.events.publish(tx, { type: 'execution.changed', execution, from: 'running' })
      })
      return execution.requestId
    },
    fetched: (requestId) => change(requestId, { seenAt: now }),
    acknowledged: (requestId) => change(requestId, { seenAt: now, ackedAt: now }),
    revoke: async (name) => void (await process.agents.revoke(name, 'cli:0')),
    async spoilSeal({ id, wake }) {
      if (wake === null) return
      await process.storage.transaction((tx) => tx.agents.setWake(id, { ...wake, sealedToken: 'spoilt' }))
      await process.storage.read((tx) => process.agents.load(tx))
    },
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
    rows() {
      const db = openRaw(folder)
      try {
        return db
          .prepare('SELECT request_id, next_at, delivered, last_error FROM wakes ORDER BY request_id')
          .all() as never
      } finally {
        db.close()
      }
    },
    audit: async (event) => (await process.audit.newest(10_000)).filter((row) => row.event === event),
    bytes: () => storedBytes(folder),
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
    ...{ remindedAt: null, againOf: null, supersededBy: null },
    ...more,
  }
}
