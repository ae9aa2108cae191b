import { once } from 'node:events'
import type { Response } from 'express'
import { type Execution, isFinal } from '../index.ts'
import { viewOf } from './views.ts'

const HEARTBEAT_MS = 15_000

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
  const { signal } = options
  response.statusCode = 200
  response.setHeader('Content-Type', 'text/event-stream; charset=utf-8')
  response.setHeader('X-Accel-Buffering', 'no')
  if (response.req.method === 'HEAD') {
    response.end()
    return
  }
  response.flushHeaders()
  const heartbeat = setInterval(() => {
    if (!response.writableNeedDrain) response.write(': still here\n\n')
  }, options.heartbeatMs ?? HEARTBEAT_MS)
  let skip = options.lastEventId
  try {
    for await (const execution of transitions) {
      const known = execution.status === skip && !isFinal(execution.status)
      skip = undefined
      if (known) continue
      if (isFinal(execution.status)) response.once('finish', () => options.onFinal(execution))
      const flowing = response.write(eventText(execution))
      if (!flowing && !signal.aborted) await once(response, 'drain', { signal }).catch(() => {})
    }
  } finally {
    clearInterval(heartbeat)
    response.end()
  }
}

/** JSON text holds no line feed, so one `data` line carries it whole. */
const eventText = (execution: Execution): string =>
  `event: ${execution.status}\nid: ${execution.status}\ndata: ${JSON.stringify(viewOf(execution))}\n\n`
