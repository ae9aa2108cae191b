import type { Response } from 'express'
import type { Logger } from 'pino'
import type { Execution, Executions } from '../index.ts'

/** Marks as read what an agent was told, whichever surface told it. Never throws: the answer is out already. */
export function createSeen(deps: {
  readonly executions: Pick<Executions, 'seen'>
  readonly log: Pick<Logger, 'error'>
}) {
  const now = async (execution: Execution): Promise<void> => {
    try {
      await deps.executions.seen(execution)
    } catch (error) {
      deps.log.error(
        { err: error, requestId: execution.requestId },
        'a read result could not be marked as seen',
      )
    }
  }
  return {
    now,
    /** Only an answer that left the process counts as read. */
    after(response: Response, execution: Execution): void {
      // A HEAD request is given nothing to read.
      if (response.req.method !== 'HEAD') response.once('finish', () => void now(execution))
    },
  }
}
