import type { AuditLog } from '../../audit/index.ts'
import { appActor } from '../../identity/index.ts'
import {
  AppError,
  type Clock,
  createEventLog,
  newRunId,
  type ReadTx,
  type Storage,
  sha256Hex,
} from '../../kernel/index.ts'
import type { FreeSpace } from '../../retention/index.ts'
import type { App, Apps } from '../apps/index.ts'
import type { AppFiles } from '../files/index.ts'
import type { RunSessions } from '../sessions/index.ts'
import { createLiveRun, type LiveRun, type LiveRuns } from './live-run.ts'
import type { Run } from './ports.ts'
import type { ClaudeRunPlaces } from './run-places.ts'
import { findInputs, type RunRequest, runTerms } from './run-request.ts'

export interface SubmitRunDeps {
  readonly apps: Pick<Apps, 'byId'>
  readonly files: AppFiles
  readonly sessions: RunSessions
  readonly places: ClaudeRunPlaces
  readonly live: LiveRuns
  readonly audit: Pick<AuditLog, 'append'>
  readonly storage: Storage
  readonly clock: Clock
  readonly freeSpace: Pick<FreeSpace, 'assertRoom'>
  readonly lockdown: { assertOpen(): void }
  readonly defaultModel: string
  /** What is wrong with a JSON Schema, for a person; null when a result can be held against it. `owner`: whose turn it is. */
  readonly checkSchema: (owner: string, schema: unknown) => Promise<string | null>
  readonly execute: (live: LiveRun, place: Promise<Disposable>) => Promise<void>
}

/** Of the whole body as it was sent. */
interface Submission {
  readonly request: RunRequest
  readonly bodySha256: string
  readonly idempotencyKey: string | undefined
}

const MAX_LOG_BYTES = 8 * 1_048_576
const DAY_MS = 86_400_000

export type SubmitRun = (app: App, submission: Submission) => Promise<Run>

/**
 * From a request to a row that waits. A repeat of an Idempotency-Key is answered by the row that there is, whatever else would refuse it;
 * of two that come at once one is stored.
 */
export function createSubmitRun(deps: SubmitRunDeps): SubmitRun {
  const { audit, storage, clock, live } = deps

  const replay = async (
    tx: ReadTx,
    app: App,
    { idempotencyKey, bodySha256 }: Submission,
  ): Promise<Run | undefined> => {
    const known = idempotencyKey === undefined ? undefined : await tx.claudeRuns.byKey(app.id, idempotencyKey)
    if (known !== undefined && known.bodySha256 !== bodySha256)
      throw new AppError('idempotency_conflict', 'This Idempotency-Key was used with another body.')
    return known
  }

  const assertToday = async (tx: ReadTx, app: App): Promise<void> => {
    const most = app.limits.runsPerDay
    if (most === null) return
    const now = clock.now()
    const today = now - (now % DAY_MS)
    if ((await tx.claudeRuns.countSince(app.id, today)) < most) return
    throw new AppError('rate_limited', `This app may have ${most} runs a day (UTC).`, {
      retryAfterSeconds: Math.ceil((today + DAY_MS - now) / 1_000),
    })
  }

  const rowOf = (app: App, { request, bodySha256, idempotencyKey }: Submission, model: string): Run => {
    const { session } = request
    const goesOn = session !== null && session.id !== null && !session.fork
    return {
      ...{ id: newRunId(), appId: app.id, state: 'queued', code: null, message: null, model },
      ...{ promptSha256: sha256Hex(request.prompt), promptChars: request.prompt.length, resultChars: null },
      ...{ isDetached: request.detach, stopReason: null, bodySha256 },
      sessionId: session === null ? null : goesOn ? session.id : deps.sessions.newId(),
      ...{ inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0 },
      ...{ requests: 0, microUsd: null, createdAt: clock.now(), startedAt: null, finishedAt: null },
      ...{ firstByteMs: null, idempotencyKey: idempotencyKey ?? null, blob: null },
    }
  }

  const assertSchema = async (app: App, schema: unknown): Promise<void> => {
    if (schema === null) return
    const problem = await deps.checkSchema(`${storage.tenant}/${app.id}`, schema)
    if (problem === null) return
    throw new AppError('invalid_request', problem, { details: [{ path: ['schema'], message: problem }] })
  }

  /** Resolves to the row that there was, where another of the same key came first. */
  const store = (one: LiveRun, submission: Submission): Promise<Run | undefined> =>
    storage.transaction(async (tx) => {
      const { app, request, run } = one
      const known = await replay(tx, app, submission)
      if (known !== undefined) return known
      deps.lockdown.assertOpen()
      if (deps.apps.byId(app.id)?.revokedAt !== null)
        throw new AppError('unauthenticated', 'The app was revoked meanwhile.')
      await assertToday(tx, app)
      await findInputs(tx, deps, app, request)
      await tx.claudeRuns.insert(run)
      await audit.append(tx, 'run.submitted', appActor(app.id), run.id, {
        ...{ app_id: app.id, model: run.model, prompt_sha256: run.promptSha256 },
        ...{ prompt_chars: run.promptChars, tools: request.tools, files: request.files.length },
        detach: request.detach,
        ...(app.usesSeat ? { seat: true } : {}),
      })
      tx.onCommit(() => live.add(one))
      return undefined
    })

  return async (app, submission) => {
    const { request } = submission
    const known = await storage.read((tx) => replay(tx, app, submission))
    if (known !== undefined) return known
    deps.lockdown.assertOpen()
    deps.freeSpace.assertRoom()
    const terms = runTerms(app, request, deps.defaultModel)
    await assertSchema(app, request.schema)
    await storage.read((tx) => findInputs(tx, deps, app, request))
    const row = rowOf(app, submission, terms.model)
    const one = createLiveRun({ app, request, terms, run: row, log: createEventLog(MAX_LOG_BYTES) })
    using stack = new DisposableStack()
    if (row.sessionId !== null) stack.use(deps.sessions.use(row.sessionId))
    const queued = await deps.places.take({
      ...{ tenant: storage.tenant, appId: app.id, maxRunning: app.limits.maxRunning, signal: one.signal },
      bytes: bytesOf(request),
    })
    let isStored = false
    try {
      const before = await store(one, submission)
      if (before !== undefined) return before
      isStored = true
    } finally {
      if (!isStored) giveUp(one, queued.place)
    }
    one.ahead = queued.ahead
    const held = stack.move()
    void deps.execute(one, queued.place).finally(() => held.dispose())
    return one.run
  }
}

/** A place that was come to meanwhile is the next one's. */
function giveUp(one: LiveRun, place: Promise<Disposable>): void {
  place.then(
    (given) => given[Symbol.dispose](),
    () => {},
  )
  one.end({ state: 'failed', code: 'internal', message: 'It was not stored.' })
}

const bytesOf = ({ prompt, system, appendSystem, schema }: RunRequest): number =>
  2 * (prompt.length + (system?.length ?? 0) + (appendSystem?.length ?? 0)) +
  JSON.stringify(schema ?? null).length
