import type { Response } from 'express'
import type { ClaudeRuns, Run } from '../../claude-runs/runs/index.ts'
import { END_ID, type SentEvent, sendEvents } from '../index.ts'
import { viewOfRun } from './views.ts'

/**
 * Server-sent events of one run. First `run` (without an id, at each connection), then what it told, numbered, then `end` with the run as
 * GET tells it: a stream without `end` is not whole. `lost` says that events in between are not kept any more.
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
  const { run, signal } = of
  let told = runs.live(run.id)?.ahead() ?? null
  const beat = (): SentEvent | undefined => {
    const ahead = runs.live(run.id)?.ahead() ?? null
    const isNews = ahead !== null && ahead !== told
    told = ahead
    return isNews ? { event: 'queued', data: { position: ahead } } : undefined
  }
  await sendEvents(response, eventsOf(runs, of), { signal, heartbeatMs: of.heartbeatMs, beat })
}

async function* eventsOf(
  runs: ClaudeRuns,
  { run, after, signal }: { readonly run: Run; readonly after: number; readonly signal: AbortSignal },
): AsyncGenerator<SentEvent> {
  const live = runs.live(run.id)
  yield { event: 'run', data: viewOfRun(live?.run ?? run, null, live) }
  const log = runs.logOf(run.id)
  if (log === undefined) yield { event: 'lost', data: {} }
  else
    for await (const next of log.follow(after, signal))
      yield 'lostUpTo' in next ? { event: 'lost', data: { up_to: next.lostUpTo } } : next
  if (signal.aborted) return
  const ended = await runs.wait(run.id, signal)
  yield { event: END_ID, data: viewOfRun(ended.run, ended.body), id: END_ID }
}
