import type { EndedRun, LiveRun, Run, RunBody } from '../../claude-runs/runs/index.ts'
import { isRunOver, RUN_ENDINGS, type RunView } from '../../contracts/claude-runs/index.ts'

const GONE = 'The result is not kept any more.'

/** A run as its app is told. `ok` is true only with a result in hand. */
export function viewOfRun(run: Run, body: RunBody | null, live?: LiveRun): RunView {
  const isOver = isRunOver(run.state)
  const isOk = run.state === 'done' && body !== null
  const isGone = run.state === 'done' && body === null
  const message = body?.message ?? run.message ?? (run.code === null ? '' : RUN_ENDINGS[run.code].help)
  const code = isGone ? 'gone' : run.code
  const usage = live?.usage() ?? run
  const ahead = run.state === 'queued' ? (live?.ahead() ?? null) : null
  return {
    ok: isOk,
    ...(isOk ? { result: body.result } : {}),
    duration_ms: run.startedAt === null || run.finishedAt === null ? null : run.finishedAt - run.startedAt,
    stop_reason: run.stopReason,
    run_id: run.id,
    state: run.state,
    code,
    ...(isOver && !isOk && code !== null ? { error: { code, message: isGone ? GONE : message } } : {}),
    ...(isOver && !isOk && body !== null ? { partial: body.text } : {}),
    ...(body !== null && body.denials.length > 0
      ? { denials: body.denials.map((denial) => ({ ...denial })) }
      : {}),
    ...{
      model: run.model,
      usage: usageView(usage),
      cost_usd: usage.microUsd === null ? null : usage.microUsd / 1e6,
    },
    session_id: run.sessionId,
    ...(isOk && run.message !== null ? { note: run.message } : {}),
    ...(ahead === null ? {} : { position: ahead }),
    ...{ prompt_sha256: run.promptSha256, created_at: time(run.createdAt) },
    started_at: run.startedAt === null ? null : time(run.startedAt),
    finished_at: run.finishedAt === null ? null : time(run.finishedAt),
    first_byte_ms: run.firstByteMs,
  }
}

const usageView = (
  usage: Omit<Run, 'microUsd'> | NonNullable<ReturnType<LiveRun['usage']>>,
): RunView['usage'] => ({
  ...{ input_tokens: usage.inputTokens, output_tokens: usage.outputTokens },
  ...{ cache_read_tokens: usage.cacheReadTokens, cache_write_tokens: usage.cacheWriteTokens },
  requests: usage.requests,
})

/** Of `POST /run`: a failure is one in the status too, so that no client takes it for an answer. */
export const statusOfEnd = ({ run, body }: EndedRun): number =>
  run.state === 'done' && body === null ? 410 : run.code === null ? 500 : RUN_ENDINGS[run.code].status

export const time = (at: number): string => new Date(at).toISOString()
