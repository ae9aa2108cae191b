import { MAX_WAIT_SECONDS } from '../../contracts/agent/index.ts'
import type { Agent } from '../../identity/agents/index.ts'
import { type AgentId, AppError, canonicalJson, sha256Hex } from '../../kernel/index.ts'
import { type Execution, type Executions, isFinal } from '../index.ts'
import { parseExecuteBody } from './request-schema.ts'

export interface Submission {
  readonly agent: Agent
  /** Parsed JSON, not yet checked. */
  readonly body: unknown
  readonly idempotencyKey: string | undefined
  /** How long to hold the answer; the usual for trusted requests when left out. */
  readonly waitSeconds: number | undefined
  /** The longest that this surface holds an answer. */
  readonly maxWaitSeconds?: number
  readonly signal: AbortSignal
}

/** Where waits are counted. `hold` throws when the agent may not wait for one more answer. */
interface Waits {
  hold(agentId: AgentId): Disposable
}

/** Checks, submits and waits, alike for HTTP and MCP. */
export async function submitExecution(
  deps: { readonly executions: Executions; readonly gate: Waits },
  submission: Submission,
): Promise<Execution> {
  const { executions, gate } = deps
  const { agent, body, idempotencyKey, signal } = submission
  const request = parseExecuteBody(body)
  const idempotency =
    idempotencyKey === undefined
      ? undefined
      : { key: checkedKey(idempotencyKey), bodyHash: sha256Hex(canonicalJson(body)) }
  const execution = await executions.submit(agent, request, idempotency, signal)
  const wanted = submission.waitSeconds ?? usualWaitSeconds(executions, execution)
  const waitSeconds = Math.min(wanted, submission.maxWaitSeconds ?? MAX_WAIT_SECONDS)
  if (waitSeconds <= 0 || isFinal(execution.status)) return execution
  using held = holdOrNot(gate, agent)
  // It is stored already: a caller that may not wait gets its id rather than an error.
  return held === undefined
    ? execution
    : await executions.wait(execution.requestId, waitSeconds * 1_000, signal)
}

function holdOrNot(gate: Waits, agent: Agent): Disposable | undefined {
  try {
    return gate.hold(agent.id)
  } catch {
    return undefined
  }
}

/** What a stored approval covers runs at once and is waited for; what a person must answer is not. */
function usualWaitSeconds(executions: Executions, execution: Execution): number {
  if (!execution.trusted || (execution.status !== 'approved' && execution.status !== 'running')) return 0
  const { limits } = executions.consentOf(execution)
  return Math.min(MAX_WAIT_SECONDS, limits.timeout_ms / 1_000 + 10)
}

function checkedKey(key: string): string {
  if (/^[\x21-\x7e]{1,128}$/.test(key)) return key
  const message = 'Idempotency-Key takes 1–128 visible ASCII characters.'
  throw new AppError('invalid_request', message, { details: [{ path: ['Idempotency-Key'], message }] })
}
