import {
  type AgentId,
  AppError,
  type Clock,
  type CodeHash,
  newRequestId,
  sha256Hex,
} from '../../kernel/index.ts'
import type { Agent } from '../agents/index.ts'
import { type Approvals, isOver } from '../approvals/index.ts'
import type { AuditLog, Transactor } from '../audit/index.ts'
import type { CodeRepository, SkillFetcher } from '../code/index.ts'
import {
  type Consent,
  type ConsentImports,
  consentCode,
  openConsent,
  type SealedConsent,
} from '../consent/index.ts'
import { type CodeFacts, type CodeFactsService, languageOf } from '../facts/index.ts'
import {
  type ImportRepository,
  type ImportResolver,
  type LockedImports,
  remoteImports,
} from '../imports/index.ts'
import type { FreeSpace, StoredContent } from '../retention/index.ts'
import type { Grant, Trust } from '../trust/index.ts'
import type { Vault } from '../vault/index.ts'
import { type AgentFetches, createAgentFetches } from './agent-fetches.ts'
import type { Execution, ExecutionRepository } from './execution.ts'
import type { Ledger } from './ledger.ts'
import { draftConsent, type ExecuteRequest, pickRuntime, resolveCode } from './request.ts'
import type { RuntimeInfo, Sandbox } from './sandbox-port.ts'

export type Submit = (
  agent: Agent,
  request: ExecuteRequest,
  idempotency?: { key: string; bodyHash: string },
  signal?: AbortSignal,
) => Promise<Execution>

export interface SubmitDeps {
  readonly repository: ExecutionRepository
  readonly ledger: Ledger
  readonly codes: CodeRepository
  readonly content: Pick<StoredContent, 'reserve' | 'hold'>
  readonly freeSpace: Pick<FreeSpace, 'assertRoom'>
  readonly facts: CodeFactsService
  readonly imports: ImportRepository
  readonly importResolver: ImportResolver
  readonly trust: Trust
  readonly vault: Pick<Vault, 'find' | 'list' | 'binding' | 'put'>
  readonly fetcher: SkillFetcher
  readonly sandbox: Pick<Sandbox, 'status'>
  readonly audit: AuditLog
  readonly transactor: Transactor
  readonly clock: Clock
  readonly approvals: Pick<Approvals, 'deadline' | 'limit'>
}

/** What a new execution needs of the life it begins. Each belongs inside a transaction. */
interface Steps {
  expire(execution: Execution): Execution
  /** From approved to the run, or to waiting for secrets. */
  runOrAwaitSecrets(execution: Execution, consent: Consent): Execution
  missingSecrets(consent: Consent): readonly string[]
  /** How many runs of this agent wait for a place. */
  queuedRuns(agentId: AgentId): number
}

/** A runtime that was replaced since is refused when the run starts, so nobody waits for the engine to be asked. */
const RUNTIME_VIEW_MS = 60_000
/** Trusted runs of one agent that may wait for a place; what a person approves is bounded by the cards. */
const MAX_QUEUED_RUNS = 100

/**
 * From a request to its row: the code is read, the consent drafted and evaluated, and one transaction stores all of it.
 * A repeat of a key, or a duplicate that still waits, is answered with what there is.
 */
export function createSubmit(deps: SubmitDeps, steps: Steps): Submit {
  const { repository, ledger, codes, trust, audit, transactor, clock } = deps
  const { limit } = deps.approvals

  /** Idempotency key: a request that was sent before is answered by its row; throws idempotency_conflict for another body. */
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

  /**
   * What the code imports, fixed. What a person trusted, or is being asked about, stays what it was, whatever its sources
   * hold by now.
   */
  const lockImports = async (
    agent: Agent,
    request: ExecuteRequest,
    code: string,
    runtime: RuntimeInfo,
    fetches: AgentFetches,
    signal: AbortSignal,
  ): Promise<LockedImports | null> => {
    if (remoteImports(code).length === 0) return null
    const codeHash = sha256Hex(code) as CodeHash
    const known = [
      ...trust.activeGrants(request.skillId, codeHash),
      ...repository
        .waitingOf(agent.id, codeHash)
        .filter((execution) => execution.skillId === request.skillId && !isOver(execution, clock.now()))
        .map(({ consentJson: json, consentHash: hash }) => ({ json, hash })),
    ]
    for (const { json, hash } of known) {
      const { imports, runtime: was } = openConsent(json, hash)
      if (imports === null || was.name !== runtime.name || was.image !== runtime.image) continue
      const stored = deps.imports.read(imports.lock)
      if (stored !== undefined) return stored
    }
    fetches.payForImports()
    return await deps.importResolver.resolve(code, runtime, signal, agent.id)
  }

  const store = (
    agent: Agent,
    sealed: SealedConsent,
    code: string,
    facts: CodeFacts,
    imports: LockedImports | null,
    fetches: AgentFetches,
  ): Execution => {
    const now = clock.now()
    const duplicate = repository.waitingDuplicate(agent.id, sealed.hash)
    if (duplicate && !isOver(duplicate, now)) return duplicate
    if (duplicate) steps.expire(duplicate)
    const verdict = trust.evaluate(sealed.consent)
    const waits = !verdict.trusted || steps.missingSecrets(sealed.consent).length > 0
    if (waits) limit.assertPlace(agent.id, fetches.paid)
    if (!waits && steps.queuedRuns(agent.id) >= MAX_QUEUED_RUNS) {
      throw new AppError('rate_limited', `${MAX_QUEUED_RUNS} runs of yours wait for a place already.`, {
        retryAfterSeconds: 10,
      })
    }
    const codeHash = consentCode(sealed.consent)
    const parts = [
      { codeHash, importsLock: null, bytes: sealed.consent.code.bytes + deps.facts.bytesOf(facts) },
      ...(imports === null ? [] : [{ codeHash, importsLock: imports.lock.hash, bytes: imports.lock.bytes }]),
    ]
    deps.content.reserve(agent.id, parts, Buffer.byteLength(sealed.json))
    if (!verdict.trusted && !fetches.paid) limit.spend(agent.id)
    // Only an address that stood on the approved card: any other could tell its server something, unasked and for nothing.
    if (verdict.trusted && isApprovedLink(verdict.grant, sealed.consent)) fetches.refund()
    codes.put(codeHash, code, now)
    deps.content.hold(agent.id, parts)
    deps.facts.keep(code, facts.language, facts)
    if (imports !== null) deps.imports.put(imports, now)
    const execution = ledger.open(
      {
        requestId: newRequestId(),
        agentId: agent.id,
        skillId: sealed.consent.skill_id,
        codeHash,
        status: verdict.trusted ? 'approved' : 'pending',
        consentJson: sealed.json,
        consentHash: sealed.hash,
        changes: verdict.trusted ? [] : verdict.changes,
        ...deps.approvals.deadline(),
        trusted: verdict.trusted,
        decision: null,
        decidedBy: verdict.trusted ? `grant:${verdict.grant.id}` : null,
        decidedByName: null,
        decidedAt: verdict.trusted ? now : null,
        denyReason: null,
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
    fetches.stored()
    if (!verdict.trusted) return execution
    audit.append('trust.used', 'daemon', execution.requestId, {
      grant: verdict.grant.id,
      level: verdict.grant.level,
    })
    return steps.runOrAwaitSecrets(execution, sealed.consent)
  }

  return async (agent, request, idempotency, signal = new AbortController().signal) => {
    const before = replay(agent, idempotency)
    if (before) {
      // The request that it repeats may have been stored this moment.
      await transactor.flushed()
      return before
    }
    deps.freeSpace.assertRoom()
    using fetches = createAgentFetches({ ...deps, limit }, agent)
    const sandbox = await deps.sandbox.status(RUNTIME_VIEW_MS)
    const runtime = pickRuntime(request.runtime, sandbox)
    const resolved = await resolveCode(request, fetches, signal)
    const facts = await deps.facts.of(resolved.code, languageOf(runtime.name), agent.id)
    // Everything that is wrong with the request itself is said before anything is fetched for it.
    const draft = (imports: ConsentImports | null): SealedConsent =>
      draftConsent(agent, request, resolved, sandbox, deps.vault, facts, imports)
    const withoutImports = draft(null)
    const imports = await lockImports(agent, request, resolved.code, runtime, fetches, signal)
    const sealed = imports === null ? withoutImports : draft(consentImportsOf(imports))
    const submitted = transactor.transact(() => {
      const raced = replay(agent, idempotency)
      if (raced) return raced
      // A duplicate that waits stores no row of its own, and each key is one.
      if (idempotency) deps.content.reserve(agent.id, [], idempotency.key.length)
      const execution = store(agent, sealed, resolved.code, facts, imports, fetches)
      if (idempotency) {
        repository.remember(
          agent.id,
          idempotency.key,
          { requestId: execution.requestId, bodyHash: idempotency.bodyHash },
          clock.now(),
        )
      }
      return execution
    }, 'grouped')
    await transactor.flushed()
    return submitted
  }
}

const isApprovedLink = (grant: Grant, asked: Consent): boolean =>
  openConsent(grant.consentJson, grant.consentHash).source?.url === asked.source?.url

const consentImportsOf = ({ lock }: LockedImports): ConsentImports => ({
  lock: lock.hash,
  files: lock.files.length,
  bytes: lock.bytes,
  modules: [...lock.modules],
})
