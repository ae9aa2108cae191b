import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach } from 'vitest'
import type { DecisionKind } from '../../src/approvals/index.ts'
import type { Execution, ExecutionStatus } from '../../src/executions/execution.ts'
import type { ExecuteRequest } from '../../src/executions/request.ts'
import type { Agent } from '../../src/identity/agents/index.ts'
import { SecretValue } from '../../src/kernel/index.ts'
import {
  addAgent,
  createDomainKit,
  createScriptedSandbox,
  type DomainKit,
  type DomainKitOptions,
  requestOf,
  type ScriptedRun,
} from './domain-kit.ts'
import { approver } from './principals.ts'

export const APPROVER = approver('7', 'Ann')
export const TTL = 3_600_000

/** Before each test: executions on a real file, an agent, and a clock that is moved by hand. */
export function useExecutions() {
  let dir: string
  let kit: DomainKit
  let agent: Agent
  let now: number
  const clock = { now: () => now }

  beforeEach(async () => {
    now = 1_700_000_000_000
    dir = mkdtempSync(join(tmpdir(), 'oauth3-executions-'))
    kit = await createDomainKit({ dir, clock })
    agent = await addAgent(kit)
  })

  afterEach(async () => {
    await kit[Symbol.asyncDispose]()
    rmSync(dir, { recursive: true })
  })

  /** The same database under a new process, with other parts. */
  async function restart(options: Partial<DomainKitOptions> = {}): Promise<void> {
    await kit[Symbol.asyncDispose]()
    kit = await createDomainKit({ dir, clock, ...options })
  }

  const withSandbox = (run: ScriptedRun) => restart({ sandbox: createScriptedSandbox(run) })
  const submit = (
    request: Partial<ExecuteRequest> = {},
    idempotency?: { key: string; bodyHash: string },
  ): Promise<Execution> => kit.executions.submit(agent, requestOf(request), idempotency)

  const decide = (execution: Execution, decision: DecisionKind = 'once') =>
    kit.executions.decide(execution.requestId, execution.consentHash, decision, APPROVER)

  const final = (execution: Execution): Promise<Execution> =>
    kit.executions.wait(execution.requestId, 15_000, new AbortController().signal)

  const status = async (execution: Execution): Promise<ExecutionStatus | undefined> =>
    (await kit.storage.read((tx) => kit.executions.find(tx, execution.requestId)))?.status

  const put = (name: string, value = 'demo-value-0123456789', hosts?: string[]) =>
    kit.storage.transaction((tx) =>
      kit.vault.put(tx, name, new SecretValue(value), { actor: 'cli:0', hosts }),
    )

  const orders = () => (kit.sandbox as ReturnType<typeof createScriptedSandbox>).orders
  const events = async (execution: Execution): Promise<string[]> =>
    (await Array.fromAsync(kit.audit.export()))
      .filter(({ requestId }) => requestId === execution.requestId)
      .map(({ event }) => event)

  return {
    get kit() {
      return kit
    },
    set kit(to) {
      kit = to
    },
    get now() {
      return now
    },
    set now(to) {
      now = to
    },
    get agent() {
      return agent
    },
    get dir() {
      return dir
    },
    submit,
    decide,
    final,
    orders,
    events,
    restart,
    status,
    put,
    withSandbox,
    clock,
  }
}
