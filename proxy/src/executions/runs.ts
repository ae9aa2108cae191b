import type { Consent } from '../approvals/consent/index.ts'
import type { Trust } from '../approvals/trust/index.ts'
import type { AuditLog } from '../audit/index.ts'
import { hostsOf } from '../egress/capabilities/index.ts'
import { createPolicy, type EgressPolicy, type EgressSessions } from '../egress/index.ts'
import type { Agents } from '../identity/agents/index.ts'
import type { Actor } from '../identity/index.ts'
import {
  type AgentId,
  type Clock,
  type FailureCode,
  isStorageTrouble,
  onBehalfOf,
  type RequestId,
  SecretValue,
  type Storage,
  type Tx,
  type UnixMs,
} from '../kernel/index.ts'
import type { StoredContent } from '../retention/index.ts'
import { type RunKind, type Sandbox, SandboxUnavailable } from '../sandbox/index.ts'
import { createOutputCollector } from '../scrub/index.ts'
import type { Lockdown, Vault } from '../vault/index.ts'
import { type Execution, fullPrefix } from './execution.ts'
import { type HeldRun, holdRun } from './held-run.ts'
import type { Ledger } from './ledger.ts'
import { createBeginRun, type Handover } from './run-begin.ts'
import { egressApproval } from './run-egress.ts'
import { createFinishRun, failureOf } from './run-outcome.ts'
import type { QueuedRun, RunPlaces } from './run-places.ts'

/**
 * Runs what is approved, each at most once: the row says `running` on disk before the code is handed over, and
 * nothing takes a `running` row up again. Only a run whose code was not handed over is put back.
 */
export interface Runs extends AsyncDisposable {
  /** Takes the execution up once the unit is committed, its agent's turn comes and a place is free. */
  enqueue(tx: Tx, execution: QueuedRun): void
  /**
   * For what nobody is asked about: where a place and a sandbox wait for it, it begins in the unit that approves it, so that
   * the disk is waited for once; elsewhere as `enqueue`. Both are free again when the unit is undone.
   */
  begin(tx: Tx, execution: Execution, consent: Consent): Promise<Execution>
  /** How many runs of this agent wait for a place. */
  waitingOf(agentId: AgentId): number
  readonly active: number
  /** Ends every run now, and those that are about to begin, until `resume`. */
  halt(): void
  resume(): void
  /** Ends the runs of this agent that are under way, and those about to begin. */
  endOf(agentId: AgentId): void
  /** What has begun and whose end is not stored yet, by the beginning of its id. Known without the database. */
  underWay(idOrPrefix: string): readonly QueuedRun[]
  /** Ends this run, as `stopped`; what came of it may not be on disk yet. `unwritten`: who ends it, where the audit could not be told. */
  stop(requestId: RequestId, unwritten?: Actor): void
  /** No new runs; waits for those under way, ends them after `graceMs`. */
  drain(graceMs: number): Promise<void>
}

export interface RunsDeps {
  readonly audit: AuditLog
  readonly ledger: Ledger
  readonly content: Pick<StoredContent, 'reserveOutput'>
  readonly vault: Pick<Vault, 'find' | 'open'>
  readonly trust: Pick<Trust, 'stillCovers' | 'stillAllows' | 'recordUse'>
  readonly sandbox: Pick<Sandbox, 'claim' | 'run' | 'status'>
  readonly egress: EgressSessions
  readonly storage: Storage
  readonly clock: Clock
  /** Of all tenants. */
  readonly places: RunPlaces
  readonly lockdown: Pick<Lockdown, 'state'>
  readonly agents: Pick<Agents, 'byId'>
  /** How long approved code waits for a sandbox to come back before it fails. */
  readonly sandboxPatienceMs: number
  readonly onDefect: (error: unknown, requestId: RequestId) => void
}

/** A sandbox that was there this long ago is tried; a newer look is begun beside it. */
const SANDBOX_VIEW_MS = 60_000
const RETRY_MS = 2_000
/** Why a run is ended from outside. */
const STOPPED = new DOMException('The run was stopped.', 'AbortError')
const DRAINED = new DOMException('The daemon stops.', 'AbortError')

export function createRuns(deps: RunsDeps): Runs {
  const { ledger, storage, clock } = deps
  const finish = createFinishRun(deps)
  const beginRun = createBeginRun({ ...deps, finish })
  const retries = new Set<NodeJS.Timeout>()
  /** Outcomes that the disk has not taken yet. */
  const unsettled = new Map<RequestId, () => Promise<void>>()
  /** Since when no sandbox has taken the run. */
  const unavailableSince = new Map<RequestId, UnixMs>()
  /** By a person, by themselves, and their outcome is not on disk yet: whatever else ended them, none begins again. */
  const stopped = new Map<RequestId, Actor | undefined>()
  /** What has begun and whose end is not on disk: their rows say `running`. */
  const begun = new Map<RequestId, AgentId>()
  let draining = false

  /** Code that is handed over before the disk says so could be handed over once more after a power cut. */
  const begunOnDisk = (): Promise<void> =>
    storage.flushed().catch((error: unknown) => {
      throw new SandboxUnavailable('The disk does not take that the run has begun.', error)
    })

  const later = (work: () => Promise<void> | void): void => {
    const timer = setTimeout(() => {
      retries.delete(timer)
      void work()
    }, RETRY_MS)
    retries.add(timer)
  }

  /**
   * Writes what came of a run. As long as the disk does not take it, it is tried again; the row says `running`
   * until then, so nothing runs twice, and a daemon that ends before says `interrupted` when it comes back.
   */
  const settle = async (
    requestId: RequestId,
    work: (tx: Tx, execution: Execution) => Promise<void>,
  ): Promise<void> => {
    const forget = (): void => {
      unsettled.delete(requestId)
      stopped.delete(requestId)
      begun.delete(requestId)
    }
    try {
      await storage.transaction(async (tx) => {
        const unwritten = stopped.get(requestId)
        if (unwritten !== undefined)
          await deps.audit.append(tx, 'execution.stopped', unwritten, requestId, { was: 'running' })
        await work(tx, await ledger.read(tx, requestId))
      }, 'grouped')
      forget()
    } catch (error) {
      deps.onDefect(error, requestId)
      if (!isStorageTrouble(error) || draining) return forget()
      const again = (): Promise<void> => settle(requestId, work)
      unsettled.set(requestId, again)
      later(again)
    }
  }

  /** Whether the run may wait longer for a sandbox; counts from the first time that there was none. */
  const mayWait = (requestId: RequestId): boolean => {
    const since = unavailableSince.get(requestId) ?? clock.now()
    unavailableSince.set(requestId, since)
    if (clock.now() - since <= deps.sandboxPatienceMs) return true
    unavailableSince.delete(requestId)
    return false
  }

  /** Known beforehand, so nothing is written and no secret opened until there is a sandbox again. */
  const holdBack = async (run: QueuedRun): Promise<void> => {
    const { requestId } = run
    if (mayWait(requestId)) {
      if (!draining) later(() => takeUp(run))
      return
    }
    await settle(requestId, async (tx, execution) => {
      if (execution.status === 'approved') await finish(tx, execution, { failure: 'sandbox_unavailable' })
    })
  }

  const postpone = async (
    requestId: RequestId,
    error: SandboxUnavailable,
    ending: AbortSignal,
  ): Promise<void> => {
    await settle(requestId, async (tx, execution) => {
      if (execution.status !== 'running') return
      // What was stopped waits for no sandbox: it would begin when that is over.
      if (deps.lockdown.state !== null || isStopped(requestId, ending))
        return await finish(tx, execution, { failure: failureBy(requestId) })
      if (!mayWait(requestId)) return await finish(tx, execution, { failure: 'sandbox_unavailable' })
      await ledger.transition(
        tx,
        execution,
        'approved',
        { startedAt: null },
        { event: 'execution.postponed', actor: 'daemon', data: { reason: error.message } },
      )
      tx.onCommit(() => {
        if (!draining) later(() => takeUp(execution))
      })
    })
  }

  /** By a person; what a daemon ends that stops itself may begin with the next one. */
  const isStopped = (requestId: RequestId, ending: AbortSignal): boolean =>
    stopped.has(requestId) || (ending.aborted && ending.reason !== DRAINED)

  const failureBy = (requestId: RequestId): FailureCode =>
    stopped.has(requestId) ? 'stopped' : 'interrupted'

  const runOne = async (run: QueuedRun, ending: AbortSignal): Promise<void> => {
    const { requestId } = run
    const { kind } = await deps.sandbox.status(SANDBOX_VIEW_MS)
    if (kind === 'unavailable') return await holdBack(run)
    const handover = await storage.transaction((tx) => beginRun.waited(tx, requestId), 'grouped')
    if (handover) await handOver(requestId, handover, deps.sandbox.run.bind(deps.sandbox), ending)
  }

  const handOver = async (
    requestId: RequestId,
    { consent, code, imports, secrets, bindings }: Handover,
    runIn: Sandbox['run'],
    ending: AbortSignal,
  ): Promise<void> => {
    begun.set(requestId, consent.agent.id as AgentId)
    const output = createOutputCollector(secrets)
    const policy = createPolicy(egressApproval(consent, secrets, bindings), output.prepare)
    await output.preparedFirst()
    const egress = deps.egress.begin(requestId, policy)
    // What it sends is cut off before its container is gone.
    const cutOff = (): void => void egress.end()
    ending.addEventListener('abort', cutOff)
    try {
      await begunOnDisk()
      // Between its beginning and here it may have been stopped.
      if (isStopped(requestId, ending))
        return await settle(requestId, (tx, execution) =>
          finish(tx, execution, { failure: failureBy(requestId) }),
        )
      const run = runIn(
        {
          ...kindOf(consent),
          requestId,
          code,
          argsJson: consent.args,
          secrets: given(secrets, policy),
          network: hostsOf(consent.network),
          egress,
          imports,
        },
        { onStarted: () => {}, onOutput: (stream, chunk) => output.push(stream, chunk) },
        ending,
      )
      const preparing = setImmediate(output.prepare)
      const outcome = await run.finally(() => clearImmediate(preparing))
      const { stdout, stderr } = await onBehalfOf(consent.agent.id, () =>
        output.end({ truncated: outcome.truncated }),
      )
      const result = {
        stdout,
        stderr,
        exitCode: outcome.exitCode,
        truncated: outcome.truncated,
        network: egress.end(),
      }
      // The audit tells what a run sent before it tells that the run ended.
      await egress.written()
      unavailableSince.delete(requestId)
      const failure = failureOf(outcome, failureBy(requestId))
      const finished = { failure, result, durationMs: Math.round(outcome.durationMs) }
      await settle(requestId, (tx, execution) => finish(tx, execution, finished))
    } catch (error) {
      if (!(error instanceof SandboxUnavailable)) throw error
      await postpone(requestId, error, ending)
    } finally {
      ending.removeEventListener('abort', cutOff)
      egress.end()
    }
  }

  const fail = async (run: QueuedRun, error: unknown): Promise<void> => {
    const { requestId } = run
    deps.onDefect(error, requestId)
    if (isStorageTrouble(error)) {
      // Only the beginning throws this, and then nothing was handed over.
      if (!draining) later(() => takeUp(run))
      return
    }
    await settle(requestId, async (tx, execution) => {
      if (execution.status === 'running') await finish(tx, execution, { failure: 'interrupted' })
      else if (execution.status === 'approved') await finish(tx, execution, { failure: 'not_startable' })
    })
  }

  const lane = deps.places.open((run, ending) =>
    runOne(run, ending).catch((error: unknown) => fail(run, error)),
  )

  const takeUp = ({ requestId, agentId }: QueuedRun): void => {
    if (!draining) lane.push({ requestId, agentId })
  }

  const enqueue: Runs['enqueue'] = (tx, run) => tx.onCommit(() => takeUp(run))

  const begin: Runs['begin'] = async (tx, execution, consent) => {
    let held: HeldRun | undefined
    tx.onUndo(() => held?.release())
    held = holdRun(lane, deps.sandbox, execution, kindOf(consent))
    if (held === undefined) {
      enqueue(tx, execution)
      return execution
    }
    const { requestId } = execution
    const handover = await beginRun.approved(tx, execution, consent)
    tx.onCommit(() => {
      if (handover === undefined) return held.release()
      const isStarted = held.start((runIn, ending) =>
        handOver(requestId, handover, runIn, ending).catch((error: unknown) => fail(execution, error)),
      )
      // The answer to the commit came too late: the code is handed over to nobody, and its row ends as that says.
      if (!isStarted) takeUp(execution)
    })
    return handover?.execution ?? (await ledger.read(tx, requestId))
  }

  const drain = async (graceMs: number): Promise<void> => {
    draining = true
    lane.close()
    for (const timer of retries) clearTimeout(timer)
    const timer = setTimeout(() => lane.end(DRAINED), graceMs)
    await Promise.allSettled([...lane.active.values()].map(({ ended }) => ended))
    clearTimeout(timer)
    // The last chance of an outcome that the disk did not take so far.
    await Promise.all([...unsettled.values()].map((again) => again()))
  }

  return {
    enqueue,
    begin,
    waitingOf: (agentId) => lane.waitingOf(agentId),
    get active() {
      return lane.active.size
    },
    halt: () => lane.halt(STOPPED),
    resume: lane.resume,
    underWay: (idOrPrefix) =>
      [...begun]
        .filter(([requestId]) => requestId.startsWith(fullPrefix(idOrPrefix)))
        .map(([requestId, agentId]) => ({ requestId, agentId })),
    stop(requestId, unwritten) {
      if (lane.active.has(requestId) || unsettled.has(requestId))
        stopped.set(requestId, stopped.get(requestId) ?? unwritten)
      lane.end(STOPPED, { requestId })
    },
    endOf: (agentId) => lane.end(STOPPED, { agentId }),
    drain,
    [Symbol.asyncDispose]: () => drain(0),
  }
}

const kindOf = ({ runtime, limits, dynamic_code, imports }: Consent): RunKind => ({
  runtime: runtime.name,
  image: runtime.image,
  dynamicCode: dynamic_code,
  hasImports: imports !== null,
  limits: {
    timeoutMs: limits.timeout_ms,
    memoryBytes: limits.memory_bytes,
    cpuMillis: limits.cpu_millis,
    pids: limits.pids,
    tmpBytes: limits.tmp_bytes,
    outputBytes: limits.output_bytes,
  },
})

/** What the code finds in its environment: a value only where a person agreed to that. */
function given(
  values: ReadonlyMap<string, SecretValue>,
  policy: EgressPolicy,
): ReadonlyMap<string, SecretValue> {
  const placeholders = policy.secrets.map(
    (secret) => [secret.name, new SecretValue(secret.placeholder)] as const,
  )
  return new Map([...values, ...placeholders])
}
