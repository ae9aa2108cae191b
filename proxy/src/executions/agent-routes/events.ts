import type { Response } from 'express'
import { type SentEvent, sendEvents } from '../../http/index.ts'
import { type Execution, isFinal } from '../index.ts'
import { viewOf } from './views.ts'

/**
 * Server-sent events, one a transition: `event` and `id` are the status, `data` the execution as GET tells it. Ends after the
 * final state. A client that reads slowly is waited for; one that left ends the stream.
 */
export async function streamEvents(
  response: Response,
  transitions: AsyncGenerator<Execution>,
  options: {
    readonly signal: AbortSignal
    readonly lastEventId: string | undefined
    readonly onFinal: (execution: Execution) => void
    readonly heartbeatMs?: number
  },
): Promise<void> {
  const { signal, lastEventId, onFinal, heartbeatMs } = options
  async function* events(): AsyncGenerator<SentEvent> {
    let skip = lastEventId
    for await (const execution of transitions) {
      const { status } = execution
      const isKnown = status === skip && !isFinal(status)
      skip = undefined
      if (isKnown) continue
      if (isFinal(status)) response.once('finish', () => onFinal(execution))
      yield { event: status, id: status, data: viewOf(execution) }
    }
  }
  await sendEvents(response, events(), { signal, heartbeatMs })
}
