import type { AuditLog } from '../audit/index.ts'
import { actorOf, authorize, type Principal, resourceOf } from '../identity/index.ts'
import { AppError, isStorageTrouble, type RequestId, type Storage, type Tx } from '../kernel/index.ts'
import { type Changes, waitUntilFinal } from './changes.ts'
import { type Execution, fullPrefix, isFinal, isStoppable } from './execution.ts'
import type { Runs } from './runs.ts'

/** A person ends one run. */
export interface StopRun {
  /** Ends what was approved, under way or about to begin, as `failed` with `stopped`; its grant stands. Throws conflict for all else. */
  stop(tx: Tx, by: Principal, requestId: RequestId): Promise<void>
  /**
   * `stop` in a unit of its own, by a full id or an unambiguous beginning; resolves when the run is over, or is not after 15 seconds.
   * Where the database cannot be read or written it ends what is under way, and throws storage_unavailable that says so.
   */
  stopAndWait(by: Principal, idOrPrefix: string): Promise<Execution>
}

/** The engine answers or is given up by then, and its outcome is stored. */
const STOP_MS = 15_000
/** Of an id, with what all begin with: as commands print it. Nothing says how many others begin so. */
const KNOWN_CHARS = 16
const endingUnwritten = (requestId: RequestId): string =>
  `${requestId} is being ended, and that is not stored yet: the database cannot be read or written.`
const STOPPED_UNREAD = 'It was stopped; what came of it cannot be read: the database cannot be reached.'

interface StopDeps {
  readonly storage: Storage
  readonly audit: AuditLog
  readonly changes: Changes
  readonly runs: Runs
  /** Of this person, else not_found. */
  readonly readFor: (
    tx: Tx,
    by: Principal,
    action: 'execution.stop',
    requestId: RequestId,
  ) => Promise<Execution>
  readonly resolve: (idOrPrefix: string) => Promise<Execution>
  readonly present: (requestId: RequestId) => Promise<Execution>
  /** What has not begun, as `failed` with `stopped`. */
  readonly endAsStopped: (tx: Tx, execution: Execution) => Promise<Execution>
}

export function createStopRun(deps: StopDeps): StopRun {
  const { storage, audit, changes, runs, readFor, resolve, present, endAsStopped } = deps

  const stop: StopRun['stop'] = async (tx, by, requestId) => {
    const execution = await readFor(tx, by, 'execution.stop', requestId)
    const { status: was } = execution
    if (!isStoppable(was)) throw new AppError('conflict', whyNotStopped(was))
    await audit.append(tx, 'execution.stopped', actorOf(by), requestId, { was })
    if (was === 'approved') await endAsStopped(tx, execution)
    else tx.onCommit(() => runs.stop(requestId))
  }

  /** What a person stops does not go on because a disk is full, or a server away: what has begun is known without the database. */
  const endWithoutDatabase = (by: Principal, idOrPrefix: string, trouble: AppError): never => {
    const under = fullPrefix(idOrPrefix).length < KNOWN_CHARS ? [] : runs.underWay(idOrPrefix)
    const [run] = under
    const isTheirs =
      under.length === 1 &&
      run !== undefined &&
      authorize(by, 'execution.stop', resourceOf(storage.tenant, 'execution.stop', run.agentId)).allowed
    if (!isTheirs) throw trouble
    runs.stop(run.requestId, actorOf(by))
    throw new AppError('storage_unavailable', endingUnwritten(run.requestId), { cause: trouble })
  }

  return {
    stop,
    async stopAndWait(by, idOrPrefix) {
      let known: RequestId | undefined
      try {
        const { requestId } = await resolve(idOrPrefix)
        known = requestId
        await storage.transaction((tx) => stop(tx, by, requestId))
      } catch (error) {
        if (!isStorageTrouble(error)) throw error
        return endWithoutDatabase(by, known ?? idOrPrefix, error)
      }
      const requestId = known
      try {
        const read = (): Promise<Execution> => present(requestId)
        return await waitUntilFinal(changes, requestId, read, STOP_MS, new AbortController().signal)
      } catch (error) {
        if (!isStorageTrouble(error)) throw error
        throw new AppError('storage_unavailable', STOPPED_UNREAD, { cause: error })
      }
    },
  }
}

const whyNotStopped = (status: Execution['status']): string => {
  if (isFinal(status)) return `It has ended already: ${status}.`
  return `It has not begun: it waits for ${status === 'pending' ? 'an answer' : 'a secret'}, and can be denied.`
}
