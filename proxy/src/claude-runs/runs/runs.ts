import { setTimeout as delay } from 'node:timers/promises'
import { isRunOver } from '../../contracts/claude-runs/index.ts'
import { AppError, type AppId, type EventLog, type ReadTx, type RunId, type Tx } from '../../kernel/index.ts'
import { createExecuteRun, type ExecuteDeps, tell } from './execute-run.ts'
import { createLiveRuns, type EndedRun, type EndReason, type LiveRun, type RunBody } from './live-run.ts'
import type { Run, RunFilter } from './ports.ts'
import { createSubmitRun, type SubmitRun, type SubmitRunDeps } from './submit-run.ts'

/** Runs of prompts of one tenant's apps: their queue, their life and what is kept of them. */
export interface ClaudeRuns {
  /** Stores a run that waits, and has it run in its turn; a repeat of a key is answered by the row that there is. */
  readonly submit: SubmitRun
  /** Whoever asked is there until disposal; undefined for a run that is over. */
  attach(id: RunId, graceMs: number): Disposable | undefined
  /** Resolves when it is over, and that is on the disk. Rejects with the signal's reason. */
  wait(id: RunId, signal: AbortSignal): Promise<EndedRun>
  /** Undefined where its events are not kept any more. */
  logOf(id: RunId): EventLog | undefined
  /** What is in memory of a run that waits or goes on. */
  live(id: RunId): LiveRun | undefined
  /** Throws `not_found`, also for a run of another app than `appId`; null: of any. */
  read(tx: ReadTx, appId: AppId | null, id: string): Promise<Run>
  /** Its result, or what there was of one; null where that is not kept any more. */
  body(run: Run): Promise<RunBody | null>
  list(tx: ReadTx, filter: RunFilter): Promise<readonly Run[]>
  /** Ends it, and resolves when its container is gone. One that is over stays as it is. */
  cancel(id: RunId, why: string): Promise<void>
  /** In the unit that revokes the app. */
  appRevoked(tx: Tx, appId: AppId): void
  /** Lockdown: ends all. */
  halt(): void
  /** Takes no more; what runs has so long, what waits ends at once. */
  drain(ms: number): Promise<void>
  /** What an earlier process left under way is over. */
  recover(): Promise<void>
  /** Drops what is kept no longer. */
  tick(): Promise<void>
  readonly counts: { readonly waiting: number; readonly running: number }
}

type ClaudeRunsDeps = Omit<ExecuteDeps & SubmitRunDeps, 'execute' | 'live'> & {
  /** How long rows of runs that ended are kept; 0: for good. */
  readonly keepRowsMs: number
}

const AT_ONCE = 200
/** For containers to go, and ends to be stored. */
const END_MS = 5_000
const DROP_ROWS_MS = 3_600_000
const RESTARTED: EndReason = {
  state: 'failed',
  code: 'daemon_restarted',
  message: 'The daemon stopped before the run had ended. It is not run again by itself.',
}

export function createClaudeRuns(deps: ClaudeRunsDeps): ClaudeRuns {
  const { audit, storage, clock, blobs } = deps
  const live = createLiveRuns()
  const execute = createExecuteRun(deps)
  const submit = createSubmitRun({ ...deps, live, execute })
  let isDraining = false

  const read: ClaudeRuns['read'] = async (tx, appId, id) => {
    const run = await tx.claudeRuns.byId(id as RunId)
    if (run === undefined || (appId !== null && run.appId !== appId))
      throw new AppError('not_found', `There is no run ${id} of yours.`)
    return run
  }
  const body: ClaudeRuns['body'] = async ({ blob }) => {
    if (blob === null || blob.until <= clock.now()) return null
    try {
      return JSON.parse((await blobs.readWhole(blob)).toString('utf8')) as RunBody
    } catch (error) {
      if (error instanceof AppError && error.code === 'gone') return null
      throw error
    }
  }
  const endAll = (runs: readonly LiveRun[], reason: EndReason): void => {
    for (const one of runs) one.end(reason)
  }
  const ended = (runs: readonly LiveRun[]): Promise<unknown> => Promise.all(runs.map(({ over }) => over))

  /** A repeat of the key of a run that never began may run: nothing of it was handed over. */
  const recovered = (run: Run): Run => ({
    ...run,
    ...{ state: 'failed', code: RESTARTED.code, message: RESTARTED.message, finishedAt: clock.now() },
    idempotencyKey: run.startedAt === null ? null : run.idempotencyKey,
  })
  const recoverSome = (): Promise<boolean> =>
    storage.transaction(async (tx) => {
      const open = await tx.claudeRuns.open(AT_ONCE)
      for (const run of open.map(recovered)) {
        await tx.claudeRuns.update(run)
        await tell(tx, audit, run)
      }
      return open.length === AT_ONCE
    })
  const sweep = async (): Promise<void> => {
    const named = await storage.read(async (tx) => [
      ...(await tx.claudeRuns.blobs()),
      ...(await tx.appFiles.blobs()),
      ...(await tx.runSessions.blobs()),
    ])
    await blobs.sweep(new Set(named.map(({ blob }) => blob)))
  }
  const dropResults = async (): Promise<void> => {
    const over = await storage.read((tx) => tx.claudeRuns.withBlobUntil(clock.now(), AT_ONCE))
    if (over.length === 0) return
    await storage.transaction(async (tx) => {
      for (const run of over) await tx.claudeRuns.update({ ...run, blob: null })
    }, 'grouped')
    for (const { blob } of over) if (blob !== null) await blobs.remove(blob.id)
  }

  let nextDrop = 0
  const dropRows = async (): Promise<void> => {
    const now = clock.now()
    if (deps.keepRowsMs === 0 || now < nextDrop) return
    const deleted = await storage.transaction(
      (tx) => tx.claudeRuns.deleteEnded(now - deps.keepRowsMs, AT_ONCE),
      'grouped',
    )
    nextDrop = deleted === AT_ONCE ? now : now + DROP_ROWS_MS
  }

  return {
    async submit(app, submission) {
      if (isDraining)
        throw new AppError('shutting_down', 'The daemon is stopping; ask again in a moment.', {
          retryAfterSeconds: 5,
        })
      return await submit(app, submission)
    },
    attach: (id, graceMs) => live.byId(id)?.attach(graceMs),
    live: (id) => live.byId(id),
    async wait(id, signal) {
      const one = live.byId(id)
      if (one === undefined) {
        const run = await storage.read((tx) => read(tx, null, id))
        if (isRunOver(run.state)) return { run, body: await body(run) }
        throw new AppError('internal', 'A run goes on that nobody knows.')
      }
      signal.throwIfAborted()
      const left = Promise.withResolvers<never>()
      const leave = (): void => left.reject(signal.reason)
      signal.addEventListener('abort', leave, { once: true })
      try {
        return await Promise.race([one.over, left.promise])
      } finally {
        signal.removeEventListener('abort', leave)
      }
    },
    logOf: (id) => live.logOf(id),
    read,
    body,
    list: (tx, filter) => tx.claudeRuns.list(filter),
    async cancel(id, why) {
      const one = live.byId(id)
      one?.end({ state: 'cancelled', code: 'cancelled', message: why })
      await one?.over
    },
    appRevoked(tx, appId) {
      const reason = { state: 'cancelled', code: 'cancelled', message: 'The app was revoked.' } as const
      tx.onCommit(() => endAll(live.ofApp(appId), reason))
    },
    halt() {
      endAll(live.all(), {
        state: 'cancelled',
        code: 'cancelled',
        message: 'The owner has stopped everything.',
      })
    },
    async drain(ms) {
      isDraining = true
      endAll(
        live.all().filter(({ run }) => run.state === 'queued'),
        RESTARTED,
      )
      const timeIsUp = Promise.withResolvers<void>()
      const timer = setTimeout(timeIsUp.resolve, ms)
      await Promise.race([ended(live.all()), timeIsUp.promise])
      clearTimeout(timer)
      endAll(live.all(), RESTARTED)
      // A database that is away keeps nobody from ending: the next start finds what could not be written.
      await Promise.race([ended(live.all()), delay(END_MS, undefined, { ref: false })])
    },
    async recover() {
      while (await recoverSome());
      await sweep()
    },
    async tick() {
      await dropResults()
      await dropRows()
      await deps.files.tick()
      await deps.sessions.tick()
    },
    get counts() {
      const running = live.all().filter(({ run }) => run.state === 'running').length
      return { running, waiting: live.all().length - running }
    },
  }
}
