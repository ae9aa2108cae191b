import { type Consent, consentCode, openConsent } from '../approvals/consent/index.ts'
import {
  type Approvals,
  type CardModel,
  type DecisionKind,
  type DecisionOutcome,
  type GrantTerms,
  isOver,
} from '../approvals/index.ts'
import type { Grant } from '../approvals/trust/index.ts'
import { assertNotRevoked } from '../identity/agents/index.ts'
import { type Action, type Actor, actorOf, authorize, type Principal, resourceOf } from '../identity/index.ts'
import type { AgentId, FailureCode, ReadTx, RequestId, Tx } from '../kernel/index.ts'
import { AppError, onBehalfOf } from '../kernel/index.ts'
import { IDEMPOTENCY_MS } from '../retention/index.ts'
import { createAskAgain } from './ask-again.ts'
import { type Changes, followExecution, waitUntilFinal } from './changes.ts'
import { readStoredCode } from './code/index.ts'
import {
  type Execution,
  type ExecutionFilter,
  type ExecutionSummary,
  fullPrefix,
  type GrantPage,
  grantActor,
  isFinal,
  WAITING_STATES,
} from './execution.ts'
import { createExecutionApproval } from './execution-approval.ts'
import { type CardDeps, cardOf } from './execution-card.ts'
import { createExplain, type Explain } from './explain.ts'
import { languageOf } from './facts/index.ts'
import { missingSecrets } from './request.ts'
import type { Runs } from './runs.ts'
import { createStopRun, type StopRun } from './stop-run.ts'
import { createSubmit, type Submit, type SubmitDeps } from './submit.ts'
import { createSupplySecret, type SupplySecret } from './supply-secret.ts'

type ExecutionAction = Extract<Action, `execution.${string}`>

/** The life of an execution from the outside: asked, decided, waited for, cancelled, read. */
export interface Executions extends StopRun {
  readonly submit: Submit
  /** Throws not_found for what this principal may not do this to, as for what does not exist. */
  readFor(tx: ReadTx, by: Principal, action: ExecutionAction, requestId: string): Promise<Execution>
  find(tx: ReadTx, requestId: RequestId): Promise<Execution | undefined>
  /** By a full id or an unambiguous beginning of one, for persons. */
  resolve(idOrPrefix: string): Promise<Execution>
  list(tx: ReadTx, filter: ExecutionFilter): Promise<readonly ExecutionSummary[]>
  /** What a grant covered, newest first. */
  ofGrant(tx: ReadTx, grant: number, page: GrantPage): Promise<readonly ExecutionSummary[]>
  /** What a grant let run and goes on, the run that it was given with among it. */
  runningBy(tx: ReadTx, grant: Pick<Grant, 'id' | 'requestId'>): Promise<readonly Execution[]>
  /** Resolves when all that was read so far is on disk, so that nobody is told what a power cut may take. */
  flushed(): Promise<void>
  decide(
    requestId: RequestId,
    consentHash: string,
    decision: DecisionKind,
    by: Principal,
    /** For the agent, of a denial: one visible line. */
    denyReason?: string | null,
    terms?: GrantTerms | null,
  ): Promise<DecisionOutcome<Execution>>
  cancel(by: Principal, requestId: string): Promise<Execution>
  acknowledge(by: Principal, requestId: string): Promise<Execution>
  /** The agent was given this state; a final one stops its wakes. */
  seen(execution: Execution): Promise<void>
  /** For its agent. No outcome is told before it is on disk, without a time to wait as well. Throws unauthenticated once the agent is revoked. */
  wait(requestId: RequestId, timeoutMs: number, signal: AbortSignal): Promise<Execution>
  /** For its agent, as `wait`. */
  follow(requestId: RequestId, signal: AbortSignal): AsyncGenerator<Execution>
  consentOf(execution: Pick<Execution, 'consentJson' | 'consentHash'>): Consent
  /** The code that the consent names; throws when the stored one is another. */
  codeOf(tx: ReadTx, execution: Pick<Execution, 'consentJson' | 'consentHash'>): Promise<string>
  missingSecrets(tx: ReadTx, consent: Consent): Promise<readonly string[]>
  /** What a person is shown of it. */
  cardOf(tx: ReadTx, execution: Execution): Promise<CardModel>
  /** What would be shown and allowed, without asking anybody and without storing anything. */
  readonly explain: Explain
  /** Reads what waits and was not read yet, as after the reader has learnt something. */
  readWaiting(): Promise<void>
  /** Nothing of this agent, or with null of any, that is approved and has not started will. In the unit of what ends it. */
  cancelApproved(tx: Tx, agentId: AgentId | null, actor: Actor, why: string): Promise<void>
  /** A person answers the question for a value that this request waits for. */
  readonly supplySecret: SupplySecret
  /** A secret was stored: whatever waited for it and now has all goes on. In the unit that stores it. */
  secretStored(tx: Tx, name: string): Promise<void>
  /** Ends what a crashed daemon left running and takes up what was approved, unless the yes is older than a request may wait for one. */
  recover(): Promise<void>
  /** Forgets keys of repeats that are old. */
  tick(): Promise<void>
}

export interface ExecutionsDeps extends SubmitDeps, Pick<CardDeps, 'knownHosts'> {
  readonly approvals: Approvals
  readonly changes: Changes
  readonly runs: Runs
}

export function createExecutions(deps: ExecutionsDeps): Executions {
  const { ledger, changes, audit, storage, clock, runs } = deps

  const consentOf = (execution: Pick<Execution, 'consentJson' | 'consentHash'>): Consent =>
    openConsent(execution.consentJson, execution.consentHash)
  const missingOf = (tx: ReadTx, consent: Consent): Promise<readonly string[]> =>
    missingSecrets(tx, deps.vault, consent)

  const readFor: Executions['readFor'] = async (tx, by, action, requestId) => {
    const execution = await tx.executions.byRequestId(requestId as RequestId)
    // An id tells nobody else whether it exists.
    if (!execution || !authorize(by, action, resourceOf(tx.tenant, action, execution.agentId)).allowed) {
      throw new AppError('not_found', 'No such execution.')
    }
    return execution
  }

  const fail = (tx: Tx, execution: Execution, failure: FailureCode): Promise<Execution> =>
    ledger.transition(
      tx,
      execution,
      'failed',
      { failure, finishedAt: clock.now() },
      { event: 'execution.finished', actor: 'daemon', data: { status: 'failed', failure } },
    )

  /** A row whose consent, or what `read` needs beside it, is not what was asked ends here, so that it holds up nothing else. */
  const readable = async <T>(
    tx: Tx,
    execution: Execution,
    read: (consent: Consent) => Promise<T>,
  ): Promise<T | undefined> => {
    try {
      return await read(consentOf(execution))
    } catch {
      // Where the database failed, so does this: a unit with a failed statement takes no other.
      await fail(tx, execution, 'not_startable')
      return undefined
    }
  }

  /** A yes of long ago is none to what would run now, behind the back of whoever gave it; a grant is asked anew as the run begins. */
  const isStale = ({ trusted, createdAt, decidedAt, expiresAt }: Execution): boolean =>
    !trusted && clock.now() - (decidedAt ?? createdAt) >= expiresAt - createdAt

  type Go = (
    tx: Tx,
    execution: Execution,
    consent: Consent,
    missing?: readonly string[],
  ) => Promise<Execution>
  /** From approved to the run, or to waiting for secrets. In the unit that approves. */
  const orAwaitSecrets =
    (go: Go): Go =>
    async (tx, execution, consent, known) => {
      const missing = known ?? (await missingOf(tx, consent))
      if (missing.length === 0) return await go(tx, execution, consent)
      return await ledger.transition(
        tx,
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
  const runOrAwaitSecrets = orAwaitSecrets(async (tx, execution) => {
    runs.enqueue(tx, execution)
    return execution
  })

  const expire = (tx: Tx, execution: Execution): Promise<Execution> =>
    requests.end(tx, execution, { to: 'expired', by: null })
  const submit = createSubmit(deps, {
    ...{ beginOrAwaitSecrets: orAwaitSecrets(runs.begin), missingSecrets: missingOf },
    expire,
    requested: (tx, execution) => requests.requested(tx, execution),
    queuedRuns: (agentId) => runs.waitingOf(agentId),
  })
  const codeOf: Executions['codeOf'] = (tx, execution) =>
    readStoredCode(tx, consentCode(consentOf(execution)))
  const showCard: Executions['cardOf'] = async (tx, execution) =>
    cardOf(tx, deps, execution, await missingOf(tx, consentOf(execution)))
  const requests = deps.approvals.register(
    createExecutionApproval({
      ...{ ...deps, consentOf, cardOf: showCard, codeOf, missingOf, runOrAwaitSecrets },
      askAgain: createAskAgain({ ...deps, consentOf, expire }),
    }),
  )
  const explain = createExplain(deps)
  const present = (requestId: RequestId): Promise<Execution> =>
    storage.read((tx) => ledger.read(tx, requestId))

  const resolve: Executions['resolve'] = async (idOrPrefix) =>
    storage.read(async (tx) => {
      const matches = await tx.executions.byPrefix(fullPrefix(idOrPrefix))
      if (matches.length > 1)
        throw new AppError('invalid_request', `"${idOrPrefix}" fits more than one request.`)
      const requestId = matches[0]
      if (!requestId) throw new AppError('not_found', `No request ${idOrPrefix}.`)
      return await ledger.read(tx, requestId)
    })
  const stopRun = createStopRun({
    ...{ ...deps, readFor, resolve, present },
    endAsStopped: (tx, execution) => fail(tx, execution, 'stopped'),
  })

  /** Whoever waits with a token that is not good any more is told nothing. */
  const tellable = (execution: Execution): Execution => {
    assertNotRevoked(deps.agents, execution.agentId)
    return execution
  }

  return {
    // What is fetched for a request is fetched for its agent.
    submit: (agent, ...rest) => onBehalfOf(agent.id, () => submit(agent, ...rest)),

    ...stopRun,
    readFor,
    find: (tx, requestId) => tx.executions.byRequestId(requestId),

    resolve,

    list: (tx, filter) => tx.executions.list(filter),
    ofGrant: (tx, grant, page) => tx.executions.ofGrant(grantActor(grant), page),
    async runningBy(tx, { id, requestId }) {
      const running = await tx.executions.inStatus('running')
      return running.filter((run) => run.requestId === requestId || run.decidedBy === grantActor(id))
    },
    flushed: () => changes.flushed(),

    decide: (requestId, consentHash, decision, by, denyReason = null, terms = null) =>
      storage.transaction((tx) =>
        requests.decide(tx, requestId, consentHash, { decision, denyReason, terms }, by),
      ),

    async cancel(by, requestId) {
      return await storage.transaction(async (tx) => {
        const execution = await readFor(tx, by, 'execution.cancel', requestId)
        if (execution.status === 'cancelled') return execution
        if (isFinal(execution.status) || execution.status === 'running') {
          throw new AppError(
            'conflict',
            `The execution is ${execution.status}; only what has not started can be cancelled.`,
          )
        }
        return await requests.end(tx, execution, {
          to: 'cancelled',
          by: { actor: actorOf(by), name: null },
        })
      })
    },

    async acknowledge(by, requestId) {
      return await storage.transaction(async (tx) => {
        const execution = await readFor(tx, by, 'execution.acknowledge', requestId)
        if (!isFinal(execution.status))
          throw new AppError('conflict', `The execution is still ${execution.status}.`)
        if (execution.ackedAt !== null) return execution
        const acked = { ...execution, ackedAt: clock.now(), seenAt: execution.seenAt ?? clock.now() }
        await tx.executions.update(acked)
        await audit.append(tx, 'execution.acknowledged', actorOf(by), execution.requestId, null)
        return acked
      })
    },

    async seen(execution) {
      if (execution.seenAt !== null || !isFinal(execution.status)) return
      await storage.transaction(
        async (tx) =>
          await tx.executions.update({
            ...(await ledger.read(tx, execution.requestId)),
            seenAt: clock.now(),
          }),
        'grouped',
      )
    },

    wait: async (requestId, timeoutMs, signal) =>
      tellable(await waitUntilFinal(changes, requestId, () => present(requestId), timeoutMs, signal)),
    async *follow(requestId, signal) {
      for await (const execution of followExecution(changes, requestId, () => present(requestId), signal))
        yield tellable(execution)
    },
    consentOf,
    missingSecrets: missingOf,
    explain: (agent, ...rest) => onBehalfOf(agent.id, () => explain(agent, ...rest)),
    cardOf: showCard,
    codeOf,

    async readWaiting() {
      const waiting = await storage.read((tx) =>
        tx.executions.list({ statuses: WAITING_STATES, limit: 1_000 }),
      )
      for (const { requestId } of waiting) {
        const unread = await storage.transaction(async (tx) =>
          readable(tx, await ledger.read(tx, requestId), async (consent) => ({
            consent,
            code: await readStoredCode(tx, consentCode(consent)),
          })),
        )
        if (unread === undefined) continue
        const { consent, code } = unread
        const language = languageOf(consent.runtime.name)
        const facts = await deps.facts.of(code, language, 'daemon')
        await storage.transaction(async (tx) => {
          // Its request may have ended meanwhile, and its code with it.
          if ((await tx.codes.get(consentCode(consent))) !== undefined)
            await deps.facts.keep(tx, code, language, facts)
        })
      }
    },

    async cancelApproved(tx, agentId, actor, why) {
      for (const execution of await tx.executions.inStatus('approved')) {
        if (agentId !== null && execution.agentId !== agentId) continue
        await requests.end(tx, execution, { to: 'cancelled', by: { actor, name: null }, why })
      }
    },

    supplySecret: createSupplySecret({ ...deps, consentOf }),

    async secretStored(tx, name) {
      for (const execution of await tx.executions.inStatus('awaiting_secrets')) {
        const consent = await readable(tx, execution, async (opened) => opened)
        if (!consent) continue
        if (!consent.secrets.some((secret) => secret.name === name)) continue
        if ((await missingOf(tx, consent)).length > 0 || isOver(execution, clock.now())) continue
        const approved = await ledger.transition(
          tx,
          execution,
          'approved',
          {},
          {
            event: 'secret.stored',
            actor: 'daemon',
            data: { resumes: true, name },
          },
        )
        runs.enqueue(tx, approved)
      }
    },

    async recover() {
      await storage.transaction(async (tx) => {
        for (const execution of await tx.executions.inStatus('running')) {
          await fail(tx, execution, 'interrupted')
        }
        for (const execution of await tx.executions.inStatus('approved')) {
          if (isStale(execution)) await fail(tx, execution, 'trust_ended')
          else runs.enqueue(tx, execution)
        }
      })
    },

    async tick() {
      const now = clock.now()
      const isDue = await storage.read((tx) => tx.executions.hasIdempotencyBefore(now - IDEMPOTENCY_MS))
      if (isDue)
        await storage.transaction((tx) => tx.executions.forgetIdempotencyBefore(now - IDEMPOTENCY_MS))
    },
  }
}
