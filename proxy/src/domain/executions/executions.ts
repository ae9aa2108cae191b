import { type AgentId, AppError, type Clock, newRequestId, type RequestId } from '../../kernel/index.ts'
import type { Agent } from '../agents/index.ts'
import { type Approver, actorOf, DECISIONS, type DecisionKind } from '../approvals/index.ts'
import type { AuditLog, Transactor } from '../audit/index.ts'
import { type CodeRepository, readStoredCode, type SkillFetcher } from '../code/index.ts'
import { type Consent, consentCode, openConsent, type SealedConsent } from '../consent/index.ts'
import type { Trust } from '../trust/index.ts'
import type { Vault } from '../vault/index.ts'
import { type Changes, followExecution, waitUntilFinal } from './changes.ts'
import {
  type Execution,
  type ExecutionFilter,
  type ExecutionRepository,
  type ExecutionSummary,
  isFinal,
} from './execution.ts'
import type { Ledger } from './ledger.ts'
import { draftConsent, type ExecuteRequest, resolveCode } from './request.ts'
import type { Runs } from './runs.ts'
import type { Sandbox } from './sandbox-port.ts'

/** The life of an execution from the outside: asked, decided, waited for, cancelled, read. */
export interface Executions {
  submit(
    agent: Agent,
    request: ExecuteRequest,
    idempotency?: { key: string; bodyHash: string },
    signal?: AbortSignal,
  ): Promise<Execution>
  /** The agent's own, else throws not_found. */
  ofAgent(agentId: AgentId, requestId: string): Execution
  find(requestId: RequestId): Execution | undefined
  /** By a full id or an unambiguous beginning of one, for persons. */
  resolve(idOrPrefix: string): Execution
  list(filter: ExecutionFilter): readonly ExecutionSummary[]
  decide(
    requestId: RequestId,
    consentHash: string,
    decision: DecisionKind,
    approver: Approver,
  ): DecisionOutcome
  cancel(agentId: AgentId, requestId: string): Execution
  acknowledge(agentId: AgentId, requestId: string): Execution
  /** The agent was given this state; a final one stops its wakes. */
  seen(execution: Execution): void
  wait(requestId: RequestId, timeoutMs: number, signal: AbortSignal): Promise<Execution>
  follow(requestId: RequestId, signal: AbortSignal): AsyncGenerator<Execution>
  consentOf(execution: Pick<Execution, 'consentJson' | 'consentHash'>): Consent
  /** The code that the consent names; throws when the stored one is another. */
  codeOf(execution: Pick<Execution, 'consentJson' | 'consentHash'>): string
  missingSecrets(consent: Consent): readonly string[]
  /** An agent was revoked: nothing of it that has not started will. Inside the revoking transaction. */
  agentRevoked(agentId: AgentId, actor: string): void
  /** A secret was stored: whatever waited for it and now has all goes on. Inside the storing transaction. */
  secretStored(name: string): void
  /** Ends what a crashed daemon left running and takes up what was approved. */
  recover(): void
  /** Expires what nobody answered. */
  tick(): void
}

export type DecisionOutcome =
  | { readonly accepted: true; readonly execution: Execution }
  | {
      readonly accepted: false
      readonly reason: 'already_decided' | 'expired' | 'other_consent' | 'not_offered'
      readonly execution: Execution
    }

const IDEMPOTENCY_MS = 24 * 60 * 60 * 1_000

export interface ExecutionsDeps {
  readonly repository: ExecutionRepository
  readonly ledger: Ledger
  readonly changes: Changes
  readonly codes: CodeRepository
  readonly trust: Trust
  readonly vault: Pick<Vault, 'find'>
  readonly fetcher: SkillFetcher
  readonly sandbox: Pick<Sandbox, 'status'>
  readonly runs: Runs
  readonly audit: AuditLog
  readonly transactor: Transactor
  readonly clock: Clock
  readonly approvalTtlMs: number
  /** How many requests of one agent may wait for a person at once. */
  readonly maxWaitingPerAgent: number
}

export function createExecutions(deps: ExecutionsDeps): Executions {
  const { repository, ledger, changes, codes, trust, audit, transactor, clock, runs } = deps

  const consentOf = (execution: Pick<Execution, 'consentJson' | 'consentHash'>): Consent =>
    openConsent(execution.consentJson, execution.consentHash)
  const missingSecrets = (consent: Consent): readonly string[] =>
    consent.secrets.map((secret) => secret.name).filter((name) => !deps.vault.find(name))

  const replay = (
    agent: Agent,
    idempotency: { key: string; bodyHash: string } | undefined,
  ): Execution | undefined => {
    const entry = idempotency && repository.idempotencyEntry(agent.id, idempotency.key)
    if (!entry) return undefined
    if (entry.bodyHash !== idempotency.bodyHash) {
      throw new AppError('idempotency_conflict', 'This Idempotency-Key was used with another body.')
    }
    return ledger.read(entry.requestId)
  }

  const ofAgent = (agentId: AgentId, requestId: string): Execution => {
    const execution = repository.byRequestId(requestId as RequestId)
    if (!execution || execution.agentId !== agentId) throw new AppError('not_found', 'No such execution.')
    return execution
  }

  /** A row whose consent cannot be opened ends here, so that it holds up nothing else. */
  const readable = (execution: Execution): Consent | undefined => {
    try {
      return consentOf(execution)
    } catch {
      ledger.move(
        execution,
        'failed',
        { failure: 'not_startable', finishedAt: clock.now() },
        {
          event: 'execution.finished',
          actor: 'daemon',
          data: { status: 'failed', failure: 'not_startable' },
        },
      )
      return undefined
    }
  }

  const expire = (execution: Execution): Execution =>
    ledger.move(
      execution,
      'expired',
      { finishedAt: clock.now() },
      {
        event: 'execution.expired',
        actor: 'daemon',
        data: { was: execution.status },
      },
    )

  /** From approved to the run, or to waiting for secrets. Inside the approving transaction. */
  const proceed = (execution: Execution, consent: Consent): Execution => {
    const missing = missingSecrets(consent)
    if (missing.length === 0) {
      runs.enqueue(execution.requestId)
      return execution
    }
    return ledger.move(
      execution,
      'awaiting_secrets',
      {},
      {
        event: 'execution.awaiting_secrets',
        actor: 'daemon',
        data: { missing },
      },
    )
  }

  const store = (agent: Agent, sealed: SealedConsent, code: string): Execution => {
    const now = clock.now()
    const twin = repository.waitingTwin(agent.id, sealed.hash)
    if (twin && twin.expiresAt > now) return twin
    if (twin) expire(twin)
    const verdict = trust.judge(sealed.consent)
    const waits = !verdict.trusted || missingSecrets(sealed.consent).length > 0
    if (waits && repository.countWaiting(agent.id) >= deps.maxWaitingPerAgent) {
      throw new AppError('rate_limited', `${deps.maxWaitingPerAgent} requests of yours wait already.`, {
        retryAfterSeconds: 30,
      })
    }
    codes.put(consentCode(sealed.consent), code, now)
    const execution = ledger.open(
      {
        requestId: newRequestId(),
        agentId: agent.id,
        skillId: sealed.consent.skill_id,
        codeHash: consentCode(sealed.consent),
        status: verdict.trusted ? 'approved' : 'pending',
        consentJson: sealed.json,
        consentHash: sealed.hash,
        changes: verdict.trusted ? [] : verdict.changes,
        createdAt: now,
        expiresAt: now + deps.approvalTtlMs,
        trusted: verdict.trusted,
        decision: null,
        decidedBy: verdict.trusted ? `grant:${verdict.grant.id}` : null,
        decidedByName: null,
        decidedAt: verdict.trusted ? now : null,
        startedAt: null,
        finishedAt: null,
        durationMs: null,
        failure: null,
        result: null,
        seenAt: null,
        ackedAt: null,
      },
      `agent:${agent.id}`,
      { consent_hash: sealed.hash, code_hash: sealed.consent.code.sha256, skill_id: sealed.consent.skill_id },
    )
    if (!verdict.trusted) return execution
    audit.append('trust.used', 'daemon', execution.requestId, {
      grant: verdict.grant.id,
      level: verdict.grant.level,
    })
    return proceed(execution, sealed.consent)
  }

  return {
    async submit(agent, request, idempotency, signal = new AbortController().signal) {
      const before = replay(agent, idempotency)
      if (before) return before
      const [resolved, sandbox] = await Promise.all([
        resolveCode(request, deps.fetcher, signal),
        deps.sandbox.status(),
      ])
      const sealed = draftConsent(agent, request, resolved, sandbox, deps.vault)
      return transactor.transact(() => {
        const raced = replay(agent, idempotency)
        if (raced) return raced
        const execution = store(agent, sealed, resolved.code)
        if (idempotency) {
          repository.remember(
            agent.id,
            idempotency.key,
            { requestId: execution.requestId, bodyHash: idempotency.bodyHash },
            clock.now(),
          )
        }
        return execution
      })
    },

    ofAgent,
    find: (requestId) => repository.byRequestId(requestId),

    resolve(idOrPrefix) {
      const matches = repository.byPrefix(idOrPrefix.startsWith('req_') ? idOrPrefix : `req_${idOrPrefix}`)
      if (matches.length > 1)
        throw new AppError('invalid_request', `"${idOrPrefix}" fits more than one request.`)
      const requestId = matches[0]
      if (!requestId) throw new AppError('not_found', `No request ${idOrPrefix}.`)
      return ledger.read(requestId)
    },

    list: (filter) => repository.list(filter),

    decide(requestId, consentHash, decision, approver) {
      return transactor.transact((): DecisionOutcome => {
        const execution = ledger.read(requestId)
        const actor = actorOf(approver)
        const refuse = (
          reason: 'already_decided' | 'expired' | 'other_consent' | 'not_offered',
          now = execution,
        ): DecisionOutcome => {
          audit.append('approval.refused', actor, requestId, { decision, reason })
          return { accepted: false, reason, execution: now }
        }
        if (execution.consentHash !== consentHash) return refuse('other_consent')
        const verdict = DECISIONS[decision]
        // "Any args" is offered where a person saw args; without any it would allow what nobody was shown.
        if (verdict.approves && verdict.anyArgs && consentOf(execution).args === null)
          return refuse('not_offered')
        const waits =
          execution.status === 'pending' || (!verdict.approves && execution.status === 'awaiting_secrets')
        if (!waits) return refuse(execution.status === 'expired' ? 'expired' : 'already_decided')
        if (clock.now() >= execution.expiresAt) return refuse('expired', expire(execution))
        const decided = { decision, decidedBy: actor, decidedByName: approver.name, decidedAt: clock.now() }
        const note = {
          event: 'approval.decided',
          actor,
          data: { decision, consent_hash: consentHash },
        } as const
        if (!verdict.approves) {
          return {
            accepted: true,
            execution: ledger.move(execution, 'denied', { ...decided, finishedAt: clock.now() }, note),
          }
        }
        const consent = consentOf(execution)
        trust.grant({
          sealed: { consent, json: execution.consentJson, hash: execution.consentHash },
          level: verdict.level,
          anyArgs: verdict.anyArgs,
          requestId,
          actor,
        })
        const approved = ledger.move(execution, 'approved', decided, note)
        return { accepted: true, execution: proceed(approved, consent) }
      })
    },

    cancel(agentId, requestId) {
      return transactor.transact(() => {
        const execution = ofAgent(agentId, requestId)
        if (execution.status === 'cancelled') return execution
        if (isFinal(execution.status) || execution.status === 'running') {
          throw new AppError(
            'conflict',
            `The execution is ${execution.status}; only what has not started can be cancelled.`,
          )
        }
        return ledger.move(
          execution,
          'cancelled',
          { finishedAt: clock.now(), seenAt: clock.now() },
          {
            event: 'execution.cancelled',
            actor: `agent:${agentId}`,
            data: { was: execution.status },
          },
        )
      })
    },

    acknowledge(agentId, requestId) {
      return transactor.transact(() => {
        const execution = ofAgent(agentId, requestId)
        if (!isFinal(execution.status))
          throw new AppError('conflict', `The execution is still ${execution.status}.`)
        if (execution.ackedAt !== null) return execution
        const acked = { ...execution, ackedAt: clock.now(), seenAt: execution.seenAt ?? clock.now() }
        repository.update(acked)
        audit.append('execution.acknowledged', `agent:${agentId}`, execution.requestId, null)
        return acked
      })
    },

    seen(execution) {
      if (execution.seenAt !== null || !isFinal(execution.status)) return
      transactor.transact(() =>
        repository.update({ ...ledger.read(execution.requestId), seenAt: clock.now() }),
      )
    },

    wait: (requestId, timeoutMs, signal) =>
      waitUntilFinal(changes, () => ledger.read(requestId), timeoutMs, signal),
    follow: (requestId, signal) => followExecution(changes, () => ledger.read(requestId), signal),
    consentOf,
    missingSecrets,

    codeOf: (execution) => readStoredCode(codes, consentCode(consentOf(execution))),

    agentRevoked(agentId, actor) {
      for (const status of ['pending', 'awaiting_secrets', 'approved'] as const) {
        for (const execution of repository.inStatus(status)) {
          if (execution.agentId !== agentId) continue
          ledger.move(
            execution,
            'cancelled',
            { finishedAt: clock.now(), seenAt: clock.now() },
            { event: 'execution.cancelled', actor, data: { was: status, why: 'agent revoked' } },
          )
        }
      }
    },

    secretStored(name) {
      for (const execution of repository.inStatus('awaiting_secrets')) {
        const consent = readable(execution)
        if (!consent) continue
        if (!consent.secrets.some((secret) => secret.name === name)) continue
        if (missingSecrets(consent).length > 0 || clock.now() >= execution.expiresAt) continue
        const approved = ledger.move(
          execution,
          'approved',
          {},
          {
            event: 'secret.stored',
            actor: 'daemon',
            data: { resumes: true, name },
          },
        )
        runs.enqueue(approved.requestId)
      }
    },

    recover() {
      transactor.transact(() => {
        for (const execution of repository.inStatus('running')) {
          ledger.move(
            execution,
            'failed',
            { failure: 'interrupted', finishedAt: clock.now() },
            {
              event: 'execution.finished',
              actor: 'daemon',
              data: { status: 'failed', failure: 'interrupted' },
            },
          )
        }
        for (const execution of repository.inStatus('approved')) runs.enqueue(execution.requestId)
      })
    },

    tick() {
      const expired = repository.expiredBy(clock.now())
      if (expired.length > 0)
        transactor.transact(() => expired.forEach((execution) => void expire(execution)))
      repository.forgetIdempotencyBefore(clock.now() - IDEMPOTENCY_MS)
    },
  }
}
