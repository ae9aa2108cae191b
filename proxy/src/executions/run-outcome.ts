import type { Clock, FailureCode, Tx } from '../kernel/index.ts'
import type { StoredContent } from '../retention/index.ts'
import type { RunOutcome } from '../sandbox/index.ts'
import type { Execution, RunResult } from './execution.ts'
import type { Ledger } from './ledger.ts'

/** What came of a run; `failure` null: it succeeded. */
interface FinishedRun {
  readonly failure: FailureCode | null
  readonly result?: RunResult
  readonly durationMs?: number
}

/** The one way a run ends: row, room for its output and audit in the caller's unit. */
export type FinishRun = (tx: Tx, execution: Execution, run: FinishedRun) => Promise<void>

export function createFinishRun(deps: {
  readonly ledger: Ledger
  readonly content: Pick<StoredContent, 'reserveOutput'>
  readonly clock: Clock
}): FinishRun {
  return async (tx, execution, { failure, result = null, durationMs = null }) => {
    const status = failure === null ? 'success' : 'failed'
    if (result !== null)
      await deps.content.reserveOutput(tx, execution.agentId, result.stdout.length + result.stderr.length)
    await deps.ledger.transition(
      tx,
      execution,
      status,
      { failure, result, durationMs, finishedAt: deps.clock.now() },
      {
        event: 'execution.finished',
        actor: 'daemon',
        data: { status, failure, exit_code: result?.exitCode ?? null, duration_ms: durationMs },
      },
    )
  }
}

/** `ended`: what it is where it was ended from outside. */
export function failureOf(outcome: RunOutcome, ended: FailureCode): FailureCode | null {
  if (outcome.end === 'exited') return outcome.exitCode === 0 ? null : 'nonzero_exit'
  return outcome.end === 'cancelled' ? ended : outcome.end
}
