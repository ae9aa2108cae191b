import { once } from 'node:events'
import type { Response } from 'express'
import type { ClaudeRuns, Run } from '../../claude-runs/runs/index.ts'
import { viewOfRun } from './views.ts'

/** The id of the event that ends every stream; whoever comes back with it is told that nothing more will come. */
const END_ID = 'end'

const HEARTBEAT_MS = 15_000
const RETRY_MS = 1_000

/** The number of the last event seen; 0 for none. Undefined: it has seen the end. */
export function lastSeen(header: string | undefined): number | undefined {
  if (header === END_ID) return undefined
  return header !== undefined && /^[0-9]{1,15}$/.test(header) ? Number(header) : 0
}

/**
 * Server-sent events of one run. First `run` (without an id, at each connection), then what it told, numbered, then `end` with the run as
 * GET tells it: a stream without `end` is not whole. `lost` says that events in between are not kept any more. A client that reads
 * slowly is waited for.
 */
export async function streamRun(
  response: Response,
  runs: ClaudeRuns,
  of: {
    readonly run: Run
    readonly after: number
    readonly signal: AbortSignal
    readonly heartbeatMs?: number
  },
): Promise<void> {
  const { run, after, signal } = of
  response.statusCode = 200
  response.setHeader('Content-Type', 'text/event-stream; charset=utf-8')
  response.setHeader('X-Accel-Buffering', 'no')
  response.flushHeaders()
  const write = async (piece: string): Promise<void> => {
    if (!response.write(piece) && !signal.aborted) await once(response, 'drain', { signal }).catch(() => {})
  }
  const view = (): object => {
    const live = runs.live(run.id)
    return viewOfRun(live?.run ?? run, null, live)
  }
  let told = runs.live(run.id)?.ahead() ?? null
  const beat = setInterval(() => {
    if (response.writableNeedDrain) return
    const ahead = runs.live(run.id)?.ahead() ?? null
    response.write(
      ahead === null || ahead === told ? ': alive\n\n' : eventText('queued', { position: ahead }),
    )
    told = ahead
  }, of.heartbeatMs ?? HEARTBEAT_MS)
  try {
    await write(`retry: ${RETRY_MS}\n${eventText('run', view())}`)
    const log = runs.logOf(run.id)
    if (log === undefined) await write(eventText('lost', {}))
    else
      for await (const next of log.follow(after, signal)) {
        if (signal.aborted) return
        await write(
          'lostUpTo' in next
            ? eventText('lost', { up_to: next.lostUpTo })
            : eventText(next.event, next.data, next.id),
        )
      }
    if (signal.aborted) return
    const ended = await runs.wait(run.id, signal)
    await write(eventText(END_ID, viewOfRun(ended.run, ended.body), END_ID))
  } catch (error) {
    if (!signal.aborted) throw error
  } finally {
    clearInterval(beat)
  }
  response.end()
}

/** JSON text holds no line feed, so one `data` line carries it whole. */
const eventText = (event: string, data: unknown, id?: number | string): string =>
  `event: ${event}\n${id === undefined ? '' : `id: ${id}\n`}data: ${JSON.stringify(data)}\n\n`
