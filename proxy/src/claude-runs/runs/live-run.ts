import type { RunEnding } from '../../contracts/claude-runs/index.ts'
import type { AppId, EventLog, RunId } from '../../kernel/index.ts'
import type { App } from '../apps/index.ts'
import type { ToolDenial } from '../index.ts'
import type { ModelUsage, Run } from './ports.ts'
import type { RunRequest, RunTerms } from './run-request.ts'

/** What a run leaves beside its row: sealed on the disk for a time. */
export interface RunBody {
  readonly result: unknown
  /** Of a run that failed: as far as it came. */
  readonly text: string
  readonly denials: readonly ToolDenial[]
  /** Why it failed, in the words of whoever knows best; null where it did not. */
  readonly message: string | null
  /** Where the app keeps prompts. */
  readonly prompt?: string
  readonly system?: string | null
}

/** A run that is over, as its caller is told. */
export interface EndedRun {
  readonly run: Run
  /** Null where its time is over. */
  readonly body: RunBody | null
}

/** Why somebody ends a run before its end. */
export interface EndReason {
  readonly state: 'cancelled' | 'failed'
  readonly code: RunEnding
  readonly message: string
}

/** A run that waits or goes on: what is in memory of it. */
export interface LiveRun {
  readonly app: App
  readonly request: RunRequest
  readonly terms: RunTerms
  readonly log: EventLog
  /** As it is stored. */
  run: Run
  /** What it costs so far; null before it began. */
  usage: () => ModelUsage | null
  /** How many turns come before it; null once it has a place. */
  ahead: () => number | null
  /** Aborted by `end`. */
  readonly signal: AbortSignal
  /** The first reason counts. */
  end(reason: EndReason): void
  readonly endReason: EndReason | null
  /** Its caller is there until disposal; when the last one is gone for `graceMs`, a run that is not detached ends. */
  attach(graceMs: number): Disposable
  readonly over: Promise<EndedRun>
  settle(ended: EndedRun): void
}

const CALLER_LEFT: EndReason = {
  state: 'cancelled',
  code: 'cancelled',
  message: 'Whoever asked for it left; ask with "detach": true for a run that goes on.',
}

export function createLiveRun(of: {
  readonly app: App
  readonly request: RunRequest
  readonly terms: RunTerms
  readonly run: Run
  readonly log: EventLog
}): LiveRun {
  const aborting = new AbortController()
  const over = Promise.withResolvers<EndedRun>()
  let reason: EndReason | null = null
  let attached = 0
  let leaving: NodeJS.Timeout | undefined
  const live: LiveRun = {
    ...of,
    usage: () => null,
    ahead: () => null,
    signal: aborting.signal,
    end(why) {
      if (reason !== null) return
      reason = why
      aborting.abort(new Error(why.message))
    },
    get endReason() {
      return reason
    },
    attach(graceMs) {
      attached += 1
      clearTimeout(leaving)
      let isHere = true
      return {
        [Symbol.dispose]() {
          if (!isHere) return
          isHere = false
          attached -= 1
          if (attached > 0 || live.run.isDetached) return
          if (graceMs === 0) live.end(CALLER_LEFT)
          else leaving = setTimeout(() => live.end(CALLER_LEFT), graceMs)
        },
      }
    },
    over: over.promise,
    settle(ended) {
      clearTimeout(leaving)
      live.log.close()
      live.run = ended.run
      over.resolve(ended)
    },
  }
  return live
}

/** Runs that wait or go on, and the logs of those that ended a moment ago. */
export interface LiveRuns {
  add(live: LiveRun): void
  byId(id: RunId): LiveRun | undefined
  logOf(id: RunId): EventLog | undefined
  all(): readonly LiveRun[]
  ofApp(appId: AppId): readonly LiveRun[]
}

/** For a client whose connection broke at the very end. */
const KEPT_LOGS_BYTES = 32 * 1_048_576
const KEPT_LOGS = 256

export function createLiveRuns(): LiveRuns {
  const live = new Map<RunId, LiveRun>()
  const logs = new Map<RunId, EventLog>()
  let keptBytes = 0
  const keep = (id: RunId, log: EventLog): void => {
    logs.set(id, log)
    keptBytes += log.bytes
    for (const [oldest, { bytes }] of logs) {
      if (keptBytes <= KEPT_LOGS_BYTES && logs.size <= KEPT_LOGS) return
      logs.delete(oldest)
      keptBytes -= bytes
    }
  }
  return {
    add(one) {
      live.set(one.run.id, one)
      void one.over.then(() => {
        live.delete(one.run.id)
        keep(one.run.id, one.log)
      })
    },
    byId: (id) => live.get(id),
    logOf: (id) => live.get(id)?.log ?? logs.get(id),
    all: () => [...live.values()],
    ofApp: (appId) => [...live.values()].filter(({ app }) => app.id === appId),
  }
}
