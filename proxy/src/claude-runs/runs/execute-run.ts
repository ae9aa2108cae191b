import type { AuditLog } from '../../audit/index.ts'
import { RUN_ENDINGS, type RunEnding } from '../../contracts/claude-runs/index.ts'
import type { EgressSessions } from '../../egress/index.ts'
import { appActor } from '../../identity/index.ts'
import {
  AppError,
  type Clock,
  isStorageTrouble,
  type Json,
  type Storage,
  type Tx,
} from '../../kernel/index.ts'
import type { Blob, Blobs } from '../blobs/index.ts'
import type { AppFiles } from '../files/index.ts'
import {
  type RunEvent,
  type RunHooks,
  RunnerUnavailable,
  type RunOrder,
  type RunOutcome,
  type RunRunner,
} from '../index.ts'
import type { RunSessionRow, RunSessions } from '../sessions/index.ts'
import { beginWalled, type RunToolCalls, type ToolCalls, wallOf } from '../tool-calls/index.ts'
import type { EndedRun, LiveRun, RunBody } from './live-run.ts'
import type { ModelAccess, ModelUsage, Run, RunModel } from './ports.ts'
import { apart, findInputs } from './run-request.ts'

export interface ExecuteDeps {
  readonly runner: Pick<RunRunner, 'run'>
  readonly models: ModelAccess
  readonly toolCalls: Pick<ToolCalls, 'begin'>
  readonly egress: Pick<EgressSessions, 'begin'>
  readonly files: AppFiles
  readonly sessions: RunSessions
  readonly blobs: Blobs
  readonly audit: Pick<AuditLog, 'append'>
  readonly storage: Storage
  readonly clock: Clock
  readonly lockdown: { assertOpen(): void }
  readonly retainMs: number
  /** Every run that is over, once it is stored. */
  readonly onEnded: (run: Run) => void
  readonly onDefect: (error: unknown) => void
}

/** Of text, in all. */
const MAX_OUTPUT_BYTES = 4 * 1_048_576
/** Neither the model nor a tool gave a sign for so long. */
const SILENCE_MS = 300_000
const STORE_AGAIN_MS = 1_000

/** How a run ended, before it is stored. `message` may quote what the CLI or the provider wrote, so it is sealed with the result. */
interface Ending {
  readonly state: 'done' | 'failed' | 'cancelled'
  readonly code: RunEnding
  readonly message: string | null
  readonly outcome: RunOutcome | null
  readonly usage: ModelUsage | null
  readonly session: RunSessionRow | null
}

/**
 * One run from its place in the queue to its end. At most once: that it runs is on the disk before the prompt is handed over, and
 * nothing here or after a restart hands it over again.
 */
export function createExecuteRun(
  deps: ExecuteDeps,
): (live: LiveRun, place: Promise<Disposable>) => Promise<void> {
  const { audit, storage, clock } = deps

  const begin = (live: LiveRun) =>
    storage.transaction(async (tx) => {
      deps.lockdown.assertOpen()
      live.signal.throwIfAborted()
      const inputs = await findInputs(tx, deps, live.app, live.request)
      const running: Run = { ...live.run, state: 'running', startedAt: clock.now() }
      await tx.claudeRuns.update(running)
      await audit.append(tx, 'run.started', appActor(live.app.id), live.run.id, { app_id: live.app.id })
      tx.onCommit(() => {
        live.run = running
      })
      return inputs
    })

  const play = async (live: LiveRun, model: RunModel): Promise<Ending> => {
    const inputs = await begin(live)
    const { run, app, request } = live
    const wall = wallOf(app, request.tools)
    const egress = wall && beginWalled(deps.egress, wall, run.id, app.id)
    // Before its container is gone.
    const cut = (): void => egress?.cut()
    live.signal.addEventListener('abort', cut, { once: true })
    using tools = deps.toolCalls.begin({
      ...{ runId: run.id, appId: app.id, prompt: request.prompt, promptSha256: run.promptSha256 },
      ...{ tools: request.tools, secrets: app.secrets, usesSeat: app.usesSeat, egress },
      asksForHosts: wall?.asks ?? false,
    })
    try {
      return await playIn(live, model, inputs, { tools, egress, asksForHosts: wall?.asks ?? false })
    } finally {
      live.signal.removeEventListener('abort', cut)
      cut()
    }
  }

  const playIn = async (
    live: LiveRun,
    model: RunModel,
    inputs: Awaited<ReturnType<typeof begin>>,
    { tools, ...reach }: { readonly tools: RunToolCalls } & Pick<RunOrder, 'egress' | 'asksForHosts'>,
  ): Promise<Ending> => {
    live.log.append('started', {})
    const order = orderOf(live, model, {
      files: apart(inputs.files).map(([name, file]) => ({
        ...{ name, bytes: file.bytes },
        open: () => deps.blobs.read({ id: file.blob, key: file.blobKey }),
      })),
      session: inputs.session,
      transcript: inputs.session && deps.sessions.read(inputs.session),
      ...reach,
    })
    const hooks: RunHooks = {
      onStarted() {},
      onEvent: (event) => logEvent(live, event),
      onToolRequest: tools.request,
      onOwnTool: tools.use,
      onToolAnswered: tools.answered,
      model,
    }
    const outcome = await deps.runner.run(order, hooks, live.signal)
    const usage = await model.end(outcome.code === 'ok' ? 'read_on' : 'cut')
    return { ...endingOf(live, outcome, model.refusal()), outcome, usage, session: inputs.session }
  }

  const run = async (live: LiveRun, place: Promise<Disposable>): Promise<Ending> => {
    let model: RunModel | undefined
    try {
      using _place = await place
      live.ahead = () => null
      live.signal.throwIfAborted()
      const { app, terms } = live
      model = deps.models.bind({ runId: live.run.id, app, budget: terms.budget })
      live.usage = () => model?.usage() ?? null
      return await play(live, model)
    } catch (error) {
      const usage = (await model?.end('cut')) ?? null
      return { ...failureOf(live, error, deps.onDefect), outcome: null, usage, session: null }
    }
  }

  const write = (of: Uint8Array, maxBytes: number): Promise<Blob> => deps.blobs.write(once(of), { maxBytes })

  /** Null where it is not to be kept, or the app has no room for it. */
  const transcript = async (live: LiveRun, outcome: RunOutcome | null): Promise<Blob | null> => {
    const bytes = outcome?.sessionTranscript ?? null
    if (live.run.sessionId === null || bytes === null || outcome?.sessionId == null) return null
    const room = await storage.read((tx) => deps.sessions.room(tx, live.app.id))
    return bytes.length <= room ? await write(bytes, room) : null
  }

  const store = async (live: LiveRun, ending: Ending): Promise<EndedRun> => {
    const body = bodyOf(live, ending)
    const text = Buffer.from(JSON.stringify(body))
    const [blob, kept] = [await write(text, Number.MAX_SAFE_INTEGER), await transcript(live, ending.outcome)]
    try {
      return await storage.transaction(async (tx) => {
        const ended = endedRun(live, ending, kept !== null, clock.now())
        const stored = { ...ended, blob: { id: blob.id, key: blob.key, until: clock.now() + deps.retainMs } }
        await tx.claudeRuns.update(stored)
        if (kept !== null) {
          await deps.sessions.keep(tx, {
            ...{ id: live.run.sessionId as string, appId: live.app.id, before: ending.session },
            ...{ cliSession: ending.outcome?.sessionId as string, blob: kept },
          })
        }
        await tell(tx, audit, stored)
        return { run: stored, body }
      })
    } catch (error) {
      await deps.blobs.remove(blob.id)
      if (kept !== null) await deps.blobs.remove(kept.id)
      throw error
    }
  }

  /** What can be stored whatever the run left: how it is, that it is over, and what it cost. */
  const storeBare = async (live: LiveRun, ending: Ending): Promise<EndedRun> => {
    const bare: Ending = { ...ending, ...DEFECT, outcome: null, session: null }
    return await storage.transaction(async (tx) => {
      const ended = endedRun(live, bare, false, clock.now())
      await tx.claudeRuns.update(ended)
      await tell(tx, audit, ended)
      return { run: ended, body: null }
    })
  }

  return async (live, place) => {
    const ending = await run(live, place)
    for (let isStorable = true; ; ) {
      try {
        const ended = await (isStorable ? store : storeBare)(live, ending)
        live.settle(ended)
        deps.onEnded(ended.run)
        return
      } catch (error) {
        // Nobody is told of an end that is not on the disk; a restart finds the run as one that was going on.
        deps.onDefect(error)
        if (isStorable && !isStorageTrouble(error)) isStorable = false
        else await new Promise((resolve) => setTimeout(resolve, STORE_AGAIN_MS).unref())
      }
    }
  }
}

function orderOf(
  live: LiveRun,
  model: RunModel,
  {
    files,
    session,
    transcript,
    ...reach
  }: Pick<RunOrder, 'files' | 'egress' | 'asksForHosts'> & {
    readonly session: RunSessionRow | null
    readonly transcript: AsyncIterable<Uint8Array> | null
  },
): RunOrder {
  const { request, terms, run } = live
  return {
    runId: run.id,
    ...{ prompt: request.prompt, model: terms.model, system: request.system },
    ...{ appendSystem: request.appendSystem, files, tools: request.tools, schema: request.schema },
    session: request.session && {
      ...{ transcript, id: session?.cliSession ?? null, fork: request.session.fork, keep: true },
    },
    ...{ timeoutMs: request.timeoutMs, silenceMs: SILENCE_MS, maxTurns: request.maxTurns },
    ...{ maxOutputTokens: model.maxOutputTokens, maxOutputBytes: MAX_OUTPUT_BYTES, ...reach },
  }
}

function logEvent({ log }: LiveRun, event: RunEvent): void {
  const { type, ...data } = event
  log.append(type, wire(data) as Json)
}

/** Names as the surface writes them. */
function wire(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(wire)
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [
      name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
      name === 'input' ? inner : wire(inner),
    ]),
  )
}

type How = Pick<Ending, 'state' | 'code' | 'message'>

const DEFECT: How = {
  state: 'failed',
  code: 'internal',
  message: 'The daemon failed; its log has the details.',
}

function endingOf(live: LiveRun, outcome: RunOutcome, refusal: ReturnType<RunModel['refusal']>): How {
  if (outcome.code === 'ok') return { state: 'done', code: 'ok', message: null }
  if (live.endReason !== null) return live.endReason
  if (outcome.code === 'cancelled') return { state: 'cancelled', code: 'cancelled', message: outcome.message }
  // What the model's end knows is closer to the cause than what the CLI made of it.
  const isOverBudget = refusal?.code === 'budget_exceeded'
  return {
    state: 'failed',
    code: isOverBudget ? 'budget_exceeded' : outcome.code,
    message:
      refusal !== null && (isOverBudget || outcome.code === 'upstream_error')
        ? refusal.message
        : outcome.message,
  }
}

function failureOf(live: LiveRun, error: unknown, onDefect: (error: unknown) => void): How {
  if (live.endReason !== null) return live.endReason
  const failed = (code: RunEnding, message: string): How => ({ state: 'failed', code, message })
  if (error instanceof RunnerUnavailable) return failed(error.reason, error.message)
  if (error instanceof AppError && error.code !== 'internal') {
    if (error.code === 'locked') return { state: 'cancelled', code: 'cancelled', message: error.message }
    return failed(
      error.code === 'gone' || error.code === 'not_found' ? 'file_gone' : 'not_started',
      error.message,
    )
  }
  onDefect(error)
  return DEFECT
}

const bodyOf = ({ app, request }: LiveRun, { outcome, message }: Ending): RunBody => ({
  ...{ result: outcome?.result ?? null, text: outcome?.text ?? '', denials: outcome?.denials ?? [], message },
  ...(app.keepsPrompts ? { prompt: request.prompt, system: request.system } : {}),
})

function endedRun(live: LiveRun, ending: Ending, isKept: boolean, now: number): Run {
  const { run } = live
  const { state, code, outcome, usage, session } = ending
  const counted = usage ?? { ...(outcome?.usage ?? NO_TOKENS), requests: 0, microUsd: null }
  const { inputTokens, outputTokens, cacheReadTokens, cacheWriteTokens, requests, microUsd } = counted
  const wasLost = run.sessionId !== null && !isKept && state === 'done'
  return {
    ...run,
    ...{ state, code, finishedAt: now, inputTokens, outputTokens, cacheReadTokens, cacheWriteTokens },
    ...{
      requests,
      microUsd,
      stopReason: outcome?.stopReason ?? null,
      firstByteMs: outcome?.firstByteMs == null ? null : Math.round(outcome.firstByteMs),
    },
    message: wasLost ? NOT_KEPT : code === 'ok' ? null : (live.endReason?.message ?? RUN_ENDINGS[code].help),
    resultChars: outcome === null ? null : outcome.text.length,
    // Of what was not handed over a repeat may be run.
    idempotencyKey: wasHandedOver(run, code) ? run.idempotencyKey : null,
    // One that a run went on with stands as it was where the run left nothing.
    sessionId: isKept || session?.id === run.sessionId ? run.sessionId : null,
  }
}

const wasHandedOver = ({ startedAt }: Run, code: RunEnding): boolean =>
  !NOT_HANDED_OVER.has(code) && (code !== 'daemon_restarted' || startedAt !== null)

const NOT_HANDED_OVER: ReadonlySet<RunEnding> = new Set([
  ...(['not_started', 'image_missing', 'engine_away', 'file_gone'] as const),
])

const NOT_KEPT = 'The session could not be kept: files and sessions of the app take all their room.'
const NO_TOKENS = { inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0 }

/** Of a run that is over, in the unit that stores it. */
export async function tell(tx: Tx, audit: Pick<AuditLog, 'append'>, run: Run): Promise<void> {
  const event = run.state === 'cancelled' ? 'run.cancelled' : 'run.finished'
  await audit.append(tx, event, 'run', run.id, {
    ...{ app_id: run.appId, code: run.code, prompt_sha256: run.promptSha256, prompt_chars: run.promptChars },
    ...{ result_chars: run.resultChars, input_tokens: run.inputTokens, output_tokens: run.outputTokens },
    ...{ cache_read_tokens: run.cacheReadTokens, cache_write_tokens: run.cacheWriteTokens },
    ...{
      requests: run.requests,
      micro_usd: run.microUsd,
      ...(run.message === null ? {} : { why: run.message }),
    },
    duration_ms: run.finishedAt !== null && run.startedAt !== null ? run.finishedAt - run.startedAt : null,
  })
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}
