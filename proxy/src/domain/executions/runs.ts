import {
  type AgentId,
  AppError,
  type Clock,
  createFairQueue,
  onBehalfOf,
  type RequestId,
  SecretValue,
  type UnixMs,
} from '../../kernel/index.ts'
import type { AuditLog, Transactor } from '../audit/index.ts'
import { hostsOf } from '../capabilities/index.ts'
import { type CodeRepository, readStoredCode } from '../code/index.ts'
import { type Consent, consentCode, openConsent, uncovered } from '../consent/index.ts'
import { createPolicy, type EgressPolicy, type EgressSessions } from '../egress/index.ts'
import type { ImportRepository, LockedImports } from '../imports/index.ts'
import type { StoredContent } from '../retention/index.ts'
import { createOutputCollector } from '../scrub/index.ts'
import type { Trust } from '../trust/index.ts'
import type { Vault } from '../vault/index.ts'
import type { Execution, ExecutionRepository, FailureCode, RunResult } from './execution.ts'
import type { Ledger } from './ledger.ts'
import { type RunOutcome, type Sandbox, SandboxUnavailable } from './sandbox-port.ts'

/**
 * Runs what is approved, each at most once: the row says `running` on disk before the code is handed over, and
 * nothing takes a `running` row up again. Only a run whose code was not handed over is put back.
 */
export interface Runs extends AsyncDisposable {
  /** Takes the execution up as soon as its agent's turn comes and a place is free; may be called inside a transaction. */
  enqueue(execution: QueuedRun): void
  /** How many runs of this agent wait for a place. */
  waitingOf(agentId: AgentId): number
  readonly active: number
  /** No new runs; waits for those under way, ends them after `graceMs`. */
  drain(graceMs: number): Promise<void>
}

type QueuedRun = Pick<Execution, 'requestId' | 'agentId'>

export interface RunsDeps {
  readonly repository: ExecutionRepository
  readonly ledger: Ledger
  readonly codes: CodeRepository
  readonly content: Pick<StoredContent, 'reserveOutput'>
  readonly imports: Pick<ImportRepository, 'read'>
  readonly vault: Pick<Vault, 'find' | 'open'>
  readonly trust: Pick<Trust, 'evaluate'>
  readonly sandbox: Pick<Sandbox, 'run' | 'status'>
  readonly egress: EgressSessions
  readonly audit: AuditLog
  readonly transactor: Transactor
  readonly clock: Clock
  /** Of all agents. One agent holds one less at most, so that another one's run need not wait for the end of its. */
  readonly maxConcurrent: number
  /** How long approved code waits for a sandbox to come back before it fails. */
  readonly sandboxPatienceMs: number
  readonly onDefect: (error: unknown, requestId: RequestId) => void
}

/** A sandbox that was there this long ago is tried; a newer look is begun beside it. */
const SANDBOX_VIEW_MS = 60_000
const RETRY_MS = 2_000

interface Handover {
  readonly consent: Consent
  readonly code: string
  readonly imports: LockedImports | null
  readonly secrets: ReadonlyMap<string, SecretValue>
}

export function createRuns(deps: RunsDeps): Runs {
  const { repository, ledger, transactor, clock } = deps
  // What a person approved is never refused for want of room: requests are bounded where they come in.
  const queue = createFairQueue<RequestId>({
    perOwner: Number.POSITIVE_INFINITY,
    total: Number.POSITIVE_INFINITY,
  })
  const active = new Map<RequestId, Promise<void>>()
  const activeOf = new Map<string, number>()
  const placesOfOne = Math.max(1, deps.maxConcurrent - 1)
  const retries = new Set<NodeJS.Timeout>()
  /** Outcomes that the disk has not taken yet. */
  const unsettled = new Map<RequestId, () => void>()
  /** Since when no sandbox has taken the run. */
  const unavailableSince = new Map<RequestId, UnixMs>()
  const ending = new AbortController()
  let draining = false

  const finish = (
    execution: Execution,
    failure: FailureCode | null,
    result: RunResult | null,
    durationMs: number | null,
  ): void => {
    const status = failure === null ? 'success' : 'failed'
    if (result !== null)
      deps.content.reserveOutput(execution.agentId, result.stdout.length + result.stderr.length)
    ledger.move(
      execution,
      status,
      { failure, result, durationMs, finishedAt: clock.now() },
      {
        event: 'execution.finished',
        actor: 'daemon',
        data: { status, failure, exit_code: result?.exitCode ?? null, duration_ms: durationMs },
      },
    )
  }

  /** Everything that must be true for the run, and the row that says it began, in one transaction. */
  const begin = (requestId: RequestId): Handover | undefined =>
    transactor.transact(() => {
      const execution = repository.byRequestId(requestId)
      if (execution?.status !== 'approved') return undefined
      const consent = openConsent(execution.consentJson, execution.consentHash)
      const code = readStoredCode(deps.codes, consentCode(consent))
      const imports = readLocked(deps.imports, consent)
      // It may have waited for a secret or a sandbox, and the owner may have changed their mind since.
      if (execution.trusted && !deps.trust.evaluate(consent).trusted) {
        finish(execution, 'trust_ended', null, null)
        return undefined
      }
      const missing = consent.secrets
        .filter((secret) => !deps.vault.find(secret.name))
        .map((secret) => secret.name)
      if (missing.length > 0) {
        ledger.move(
          execution,
          'awaiting_secrets',
          {},
          {
            event: 'execution.awaiting_secrets',
            actor: 'daemon',
            data: { missing },
          },
        )
        return undefined
      }
      if (hasStaleBinding(consent, deps.vault)) {
        finish(execution, 'consent_stale', null, null)
        return undefined
      }
      const secrets = new Map(
        consent.secrets.map((secret) => [secret.name, deps.vault.open(secret.name, requestId)] as const),
      )
      ledger.move(
        execution,
        'running',
        { startedAt: clock.now() },
        {
          event: 'execution.started',
          actor: 'daemon',
          data: { consent_hash: execution.consentHash, code_hash: execution.codeHash },
        },
      )
      return { consent, code, imports, secrets }
    }, 'grouped')

  /** Code that is handed over before the disk says so could be handed over once more after a power cut. */
  const begunOnDisk = (): Promise<void> =>
    transactor.flushed().catch((error: unknown) => {
      throw new SandboxUnavailable('The disk does not take that the run has begun.', error)
    })

  const later = (work: () => void): void => {
    const timer = setTimeout(() => {
      retries.delete(timer)
      work()
    }, RETRY_MS)
    retries.add(timer)
  }

  /**
   * Writes what came of a run. As long as the disk does not take it, it is tried again; the row says `running`
   * until then, so nothing runs twice, and a daemon that ends before says `interrupted` when it comes back.
   */
  const settle = (requestId: RequestId, work: (execution: Execution) => void): void => {
    unsettled.delete(requestId)
    try {
      transactor.transact(() => work(ledger.read(requestId)), 'grouped')
    } catch (error) {
      deps.onDefect(error, requestId)
      if (!isStorageTrouble(error) || draining) return
      const again = (): void => settle(requestId, work)
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
  const holdBack = (run: QueuedRun): void => {
    const { requestId } = run
    if (mayWait(requestId)) {
      if (!draining) later(() => enqueue(run))
      return
    }
    settle(requestId, (execution) => {
      if (execution.status === 'approved') finish(execution, 'sandbox_unavailable', null, null)
    })
  }

  const postpone = (requestId: RequestId, error: SandboxUnavailable): void => {
    settle(requestId, (execution) => {
      if (execution.status !== 'running') return
      if (!mayWait(requestId)) {
        finish(execution, 'sandbox_unavailable', null, null)
        return
      }
      ledger.move(
        execution,
        'approved',
        { startedAt: null },
        { event: 'execution.postponed', actor: 'daemon', data: { reason: error.message } },
      )
      if (!draining) later(() => enqueue(execution))
    })
  }

  const runOne = async (run: QueuedRun): Promise<void> => {
    const { requestId } = run
    const { kind } = await deps.sandbox.status(SANDBOX_VIEW_MS)
    if (kind === 'unavailable') return holdBack(run)
    const handover = begin(requestId)
    if (!handover) return
    const { consent, code, imports, secrets } = handover
    const output = createOutputCollector(secrets)
    const policy = createPolicy(
      consent,
      secrets,
      (name) => deps.vault.find(name)?.hosts ?? null,
      output.prepare,
    )
    await output.preparedFirst()
    const egress = deps.egress.begin(requestId, policy)
    try {
      await begunOnDisk()
      const run = deps.sandbox.run(
        {
          requestId,
          runtime: consent.runtime.name,
          image: consent.runtime.image,
          code,
          argsJson: consent.args,
          secrets: given(secrets, policy),
          network: hostsOf(consent.network),
          dynamicCode: consent.dynamic_code,
          egress,
          imports,
          limits: {
            timeoutMs: consent.limits.timeout_ms,
            memoryBytes: consent.limits.memory_bytes,
            cpuMillis: consent.limits.cpu_millis,
            pids: consent.limits.pids,
            tmpBytes: consent.limits.tmp_bytes,
            outputBytes: consent.limits.output_bytes,
          },
        },
        { onStarted: () => {}, onOutput: (stream, chunk) => output.push(stream, chunk) },
        ending.signal,
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
      unavailableSince.delete(requestId)
      settle(requestId, (execution) =>
        finish(execution, failureOf(outcome), result, Math.round(outcome.durationMs)),
      )
    } catch (error) {
      if (!(error instanceof SandboxUnavailable)) throw error
      postpone(requestId, error)
    } finally {
      egress.end()
    }
  }

  const fail = (run: QueuedRun, error: unknown): void => {
    const { requestId } = run
    deps.onDefect(error, requestId)
    if (isStorageTrouble(error)) {
      // Only the beginning throws this, and then nothing was handed over.
      if (!draining) later(() => enqueue(run))
      return
    }
    settle(requestId, (execution) => {
      if (execution.status === 'running') finish(execution, 'interrupted', null, null)
      else if (execution.status === 'approved') finish(execution, 'not_startable', null, null)
    })
  }

  const hasPlace = (agentId: string): boolean => (activeOf.get(agentId) ?? 0) < placesOfOne

  const pump = (): void => {
    while (!draining && active.size < deps.maxConcurrent) {
      const next = queue.shift(hasPlace)
      if (next === undefined) return
      const { owner, item: requestId } = next
      if (active.has(requestId)) continue
      const queued: QueuedRun = { requestId, agentId: owner as AgentId }
      activeOf.set(owner, (activeOf.get(owner) ?? 0) + 1)
      const run = runOne(queued)
        .catch((error: unknown) => fail(queued, error))
        .finally(() => {
          active.delete(requestId)
          const left = (activeOf.get(owner) ?? 1) - 1
          if (left > 0) activeOf.set(owner, left)
          else activeOf.delete(owner)
          pump()
        })
      active.set(requestId, run)
    }
  }

  const enqueue = ({ requestId, agentId }: QueuedRun): void => {
    queue.push(agentId, requestId)
    // After the caller's transaction; a row that was rolled back is simply not there then.
    queueMicrotask(pump)
  }

  const drain = async (graceMs: number): Promise<void> => {
    draining = true
    for (const timer of retries) clearTimeout(timer)
    const timer = setTimeout(() => ending.abort(), graceMs)
    await Promise.allSettled(active.values())
    clearTimeout(timer)
    // The last chance of an outcome that the disk did not take so far.
    for (const again of [...unsettled.values()]) again()
  }

  return {
    enqueue,
    waitingOf: (agentId) => queue.sizeOf(agentId),
    get active() {
      return active.size
    },
    drain,
    [Symbol.asyncDispose]: () => drain(0),
  }
}

/** The modules that the consent names, whole; throws when they are missing or have become others. */
function readLocked(imports: Pick<ImportRepository, 'read'>, consent: Consent): LockedImports | null {
  if (consent.imports === null) return null
  const locked = imports.read(consent.imports.lock)
  if (locked !== undefined) return locked
  throw new AppError(
    'internal',
    'The stored imports of this execution do not match their hashes; they will not be used.',
  )
}

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

function failureOf(outcome: RunOutcome): FailureCode | null {
  if (outcome.end === 'exited') return outcome.exitCode === 0 ? null : 'nonzero_exit'
  return outcome.end === 'cancelled' ? 'interrupted' : outcome.end
}

const isStorageTrouble = (error: unknown): boolean =>
  error instanceof AppError && error.code === 'storage_unavailable'

/**
 * Whether the owner has since bound a secret to fewer hosts than the consent lets it go to. In raw mode the code would
 * take the value past the binding; in placeholder mode the gateway would refuse it in the middle of what was approved.
 */
function hasStaleBinding(consent: Consent, vault: Pick<Vault, 'find'>): boolean {
  return consent.secrets.some((secret) => {
    const bound = vault.find(secret.name)?.hosts ?? null
    if (JSON.stringify(bound) === JSON.stringify(secret.bound_to)) return false
    return bound !== null && uncovered(bound, secret.hosts).length > 0
  })
}
