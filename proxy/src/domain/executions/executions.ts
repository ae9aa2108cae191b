import { type AgentId, AppError, onBehalfOf, type RequestId } from '../../kernel/index.ts'
import {
  type Approvals,
  type Approver,
  actorOf,
  type CardModel,
  type DecisionKind,
  type DecisionOutcome,
  isOver,
} from '../approvals/index.ts'
import { readStoredCode } from '../code/index.ts'
import { type Consent, consentCode, openConsent } from '../consent/index.ts'
import { languageOf } from '../facts/index.ts'
import { IDEMPOTENCY_MS } from '../retention/index.ts'
import { type Changes, followExecution, waitUntilFinal } from './changes.ts'
import {
  type Execution,
  type ExecutionFilter,
  type ExecutionSummary,
  isFinal,
  WAITING_STATES,
} from './execution.ts'
import { createExecutionApproval } from './execution-approval.ts'
import { type CardDeps, cardOf } from './execution-card.ts'
import { createExplain, type Explain } from './explain.ts'
import type { Runs } from './runs.ts'
import { createSubmit, type Submit, type SubmitDeps } from './submit.ts'
import { createSupplySecret, type SupplySecret } from './supply-secret.ts'

/** The life of an execution from the outside: asked, decided, waited for, cancelled, read. */
export interface Executions {
  readonly submit: Submit
  /** The agent's own, else throws not_found. */
  ofAgent(agentId: AgentId, requestId: string): Execution
  find(requestId: RequestId): Execution | undefined
  /** By a full id or an unambiguous beginning of one, for persons. */
  resolve(idOrPrefix: string): Execution
  list(filter: ExecutionFilter): readonly ExecutionSummary[]
  /** Resolves when all that was read so far is on disk, so that nobody is told what a power cut may take. */
  flushed(): Promise<void>
  decide(
    requestId: RequestId,
    consentHash: string,
    decision: DecisionKind,
    approver: Approver,
    /** For the agent, of a denial: one visible line. */
    denyReason?: string | null,
  ): DecisionOutcome<Execution>
  cancel(agentId: AgentId, requestId: string): Execution
  acknowledge(agentId: AgentId, requestId: string): Execution
  /** The agent was given this state; a final one stops its wakes. */
  seen(execution: Execution): void
  /** No outcome is told before it is on disk, without a time to wait as well. */
  wait(requestId: RequestId, timeoutMs: number, signal: AbortSignal): Promise<Execution>
  follow(requestId: RequestId, signal: AbortSignal): AsyncGenerator<Execution>
  consentOf(execution: Pick<Execution, 'consentJson' | 'consentHash'>): Consent
  /** The code that the consent names; throws when the stored one is another. */
  codeOf(execution: Pick<Execution, 'consentJson' | 'consentHash'>): string
  missingSecrets(consent: Consent): readonly string[]
  /** What a person is shown of it. */
  cardOf(execution: Execution): CardModel
  /** What would be shown and allowed, without asking anybody and without storing anything. */
  readonly explain: Explain
  /** Reads what waits and was not read yet, as after the reader has learnt something. */
  readWaiting(): Promise<void>
  /** An agent was revoked: nothing of it that has not started will. Inside the revoking transaction. */
  agentRevoked(agentId: AgentId, actor: string): void
  /** A person answers the question for a value that this request waits for. */
  readonly supplySecret: SupplySecret
  /** A secret was stored: whatever waited for it and now has all goes on. Inside the storing transaction. */
  secretStored(name: string): void
  /** Ends what a crashed daemon left running and takes up what was approved. */
  recover(): void
  /** Expires what nobody answered. */
  tick(): void
}

export interface ExecutionsDeps extends SubmitDeps, Pick<CardDeps, 'knownHosts'> {
  readonly approvals: Approvals
  readonly changes: Changes
  readonly runs: Runs
}

export function createExecutions(deps: ExecutionsDeps): Executions {
  const { repository, ledger, changes, codes, audit, transactor, clock, runs } = deps

  const consentOf = (execution: Pick<Execution, 'consentJson' | 'consentHash'>): Consent =>
    openConsent(execution.consentJson, execution.consentHash)
  const missingSecrets = (consent: Consent): readonly string[] =>
    consent.secrets.map((secret) => secret.name).filter((name) => !deps.vault.find(name))

  const ofAgent = (agentId: AgentId, requestId: string): Execution => {
    const execution = repository.byRequestId(requestId as RequestId)
    if (!execution || execution.agentId !== agentId) throw new AppError('not_found', 'No such execution.')
    return execution
  }

  /** A row whose consent cannot be opened ends here, so that it holds up nothing else. Inside a transaction. */
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
  const runOrAwaitSecrets = (execution: Execution, consent: Consent): Execution => {
    const missing = missingSecrets(consent)
    if (missing.length === 0) {
      runs.enqueue(execution)
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

  const submit = createSubmit(deps, {
    ...{ expire, runOrAwaitSecrets, missingSecrets },
    queuedRuns: (agentId) => runs.waitingOf(agentId),
  })
  const codeOf: Executions['codeOf'] = (execution) => readStoredCode(codes, consentCode(consentOf(execution)))
  const showCard: Executions['cardOf'] = (execution) =>
    cardOf(deps, execution, missingSecrets(consentOf(execution)))
  const decisions = deps.approvals.register(
    createExecutionApproval({ ...deps, consentOf, cardOf: showCard, codeOf, expire, runOrAwaitSecrets }),
  )
  const explain = createExplain(deps)

  return {
    // What is fetched for a request is fetched for its agent.
    submit: (agent, ...rest) => onBehalfOf(agent.id, () => submit(agent, ...rest)),

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
    flushed: () => changes.flushed(),

    decide: (requestId, consentHash, decision, approver, denyReason = null) =>
      decisions.decide(
        requestId,
        consentHash,
        { decision, denyReason },
        { actor: actorOf(approver), name: approver.name },
      ),

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
      transactor.transact(
        () => repository.update({ ...ledger.read(execution.requestId), seenAt: clock.now() }),
        'grouped',
      )
    },

    wait: (requestId, timeoutMs, signal) =>
      waitUntilFinal(changes, () => ledger.read(requestId), timeoutMs, signal),
    follow: (requestId, signal) => followExecution(changes, () => ledger.read(requestId), signal),
    consentOf,
    missingSecrets,
    explain: (agent, ...rest) => onBehalfOf(agent.id, () => explain(agent, ...rest)),
    cardOf: showCard,
    codeOf,

    async readWaiting() {
      for (const summary of repository.list({ statuses: WAITING_STATES, limit: 1_000 })) {
        const execution = ledger.read(summary.requestId)
        const consent = transactor.transact(() => readable(execution))
        if (consent === undefined) continue
        const language = languageOf(consent.runtime.name)
        const code = readStoredCode(codes, consentCode(consent))
        const facts = await deps.facts.of(code, language, 'daemon')
        transactor.transact(() => {
          // Its request may have ended meanwhile, and its code with it.
          if (codes.get(consentCode(consent)) !== undefined) deps.facts.keep(code, language, facts)
        })
      }
    },

    agentRevoked(agentId, actor) {
      for (const status of [...WAITING_STATES, 'approved'] as const) {
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

    supplySecret: createSupplySecret({ ...deps, consentOf }),

    secretStored(name) {
      for (const execution of repository.inStatus('awaiting_secrets')) {
        const consent = readable(execution)
        if (!consent) continue
        if (!consent.secrets.some((secret) => secret.name === name)) continue
        if (missingSecrets(consent).length > 0 || isOver(execution, clock.now())) continue
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
        runs.enqueue(approved)
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
        for (const execution of repository.inStatus('approved')) runs.enqueue(execution)
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
