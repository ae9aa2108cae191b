import {
  type Consent,
  type ConsentImports,
  consentCode,
  openConsent,
  type SealedConsent,
} from '../approvals/consent/index.ts'
import { type Approvals, isOver, NO_FOLLOW_UP } from '../approvals/index.ts'
import type { Grant, Trust } from '../approvals/trust/index.ts'
import type { AuditLog } from '../audit/index.ts'
import { type Agent, type Agents, assertNotRevoked } from '../identity/agents/index.ts'
import { agentActor, agentRequester } from '../identity/index.ts'
import {
  type AgentId,
  AppError,
  type Clock,
  type CodeHash,
  newRequestId,
  type ReadTx,
  type Storage,
  sha256Hex,
  type Tx,
} from '../kernel/index.ts'
import type { FreeSpace, StoredContent } from '../retention/index.ts'
import { type ImportResolver, type LockedImports, remoteImports } from '../sandbox/imports/index.ts'
import type { RuntimeInfo, Sandbox } from '../sandbox/index.ts'
import type { Vault } from '../vault/index.ts'
import { type AgentFetches, createAgentFetches } from './agent-fetches.ts'
import { auditFactsOf } from './audit-facts.ts'
import type { SkillFetcher } from './code/index.ts'
import { type Execution, grantActor } from './execution.ts'
import { type CodeFacts, type CodeFactsService, languageOf } from './facts/index.ts'
import type { Ledger } from './ledger.ts'
import type { SkillRegistries } from './registry/index.ts'
import { draftConsent, type ExecuteRequest, pickRuntime, resolveCode } from './request.ts'

export type Submit = (
  agent: Agent,
  request: ExecuteRequest,
  idempotency?: { key: string; bodyHash: string },
  signal?: AbortSignal,
) => Promise<Execution>

export interface SubmitDeps {
  readonly agents: Pick<Agents, 'byId'>
  readonly ledger: Ledger
  readonly content: Pick<StoredContent, 'reserve' | 'hold'>
  readonly freeSpace: Pick<FreeSpace, 'assertRoom'>
  readonly facts: CodeFactsService
  readonly importResolver: ImportResolver
  readonly trust: Trust
  readonly vault: Pick<Vault, 'find' | 'list' | 'binding' | 'put'>
  readonly fetcher: SkillFetcher
  readonly registries: Pick<SkillRegistries, 'resolve' | 'accepted'>
  readonly sandbox: Pick<Sandbox, 'status'>
  readonly audit: AuditLog
  readonly storage: Storage
  readonly clock: Clock
  readonly approvals: Pick<Approvals, 'deadline' | 'limit'>
}

/** What a new execution needs of the life it begins. */
interface Steps {
  expire(tx: Tx, execution: Execution): Promise<Execution>
  /** A person is to be asked. */
  requested(tx: Tx, execution: Execution): Promise<void>
  /** From approved to the run, or to waiting for secrets. */
  beginOrAwaitSecrets(
    tx: Tx,
    execution: Execution,
    consent: Consent,
    missing: readonly string[],
  ): Promise<Execution>
  missingSecrets(tx: ReadTx, consent: Consent): Promise<readonly string[]>
  /** How many runs of this agent wait for a place. */
  queuedRuns(agentId: AgentId): number
}

/** A runtime that was replaced since is refused when the run starts, so nobody waits for the engine to be asked. */
const RUNTIME_VIEW_MS = 60_000
/** Trusted runs of one agent that may wait for a place; what a person approves is bounded by the cards. */
const MAX_QUEUED_RUNS = 100

/**
 * From a request to its row: the code is read, the consent drafted and evaluated, and one unit of work stores all of it.
 * A repeat of a key, or a duplicate that still waits, is answered with what there is.
 */
export function createSubmit(deps: SubmitDeps, steps: Steps): Submit {
  const { ledger, trust, storage, clock } = deps
  const { limit } = deps.approvals

  /** Idempotency-Key, replay: a request that was sent before is answered by its row; throws idempotency_conflict for another body. */
  const replay = async (
    tx: ReadTx,
    agent: Agent,
    idempotency: { key: string; bodyHash: string } | undefined,
  ): Promise<Execution | undefined> => {
    const entry = idempotency && (await tx.executions.idempotencyEntry(agent.id, idempotency.key))
    if (!entry) return undefined
    if (entry.bodyHash !== idempotency.bodyHash) {
      throw new AppError('idempotency_conflict', 'This Idempotency-Key was used with another body.')
    }
    return await ledger.read(tx, entry.requestId)
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
    const stored = await storage.read((tx) => importsOfKnown(tx, agent, request.skillId, codeHash, runtime))
    if (stored !== undefined) return stored
    await fetches.payForImports()
    return await deps.importResolver.resolve(code, runtime, signal, agent.id)
  }

  const importsOfKnown = async (
    tx: ReadTx,
    agent: Agent,
    skillId: string,
    codeHash: CodeHash,
    runtime: RuntimeInfo,
  ): Promise<LockedImports | undefined> => {
    const waiting = (await tx.executions.waitingOf(agent.id, codeHash))
      .filter((execution) => execution.skillId === skillId && !isOver(execution, clock.now()))
      .map(({ consentJson: json, consentHash: hash }) => ({ json, hash }))
    for (const { json, hash } of [...(await trust.activeGrants(tx, skillId, codeHash)), ...waiting]) {
      const { imports, runtime: was } = openConsent(json, hash)
      if (imports === null || was.name !== runtime.name || was.image !== runtime.image) continue
      const stored = await tx.imports.read(imports.lock)
      if (stored !== undefined) return stored
    }
    return undefined
  }

  const store = async (
    tx: Tx,
    agent: Agent,
    sealed: SealedConsent,
    code: string,
    facts: CodeFacts,
    imports: LockedImports | null,
    fetches: AgentFetches,
  ): Promise<Execution> => {
    const now = clock.now()
    const duplicate = await tx.executions.waitingDuplicate(agent.id, sealed.hash)
    if (duplicate && !isOver(duplicate, now)) return duplicate
    if (duplicate) await steps.expire(tx, duplicate)
    const verdict = await trust.take(tx, sealed.consent)
    const missing = verdict.trusted ? await steps.missingSecrets(tx, sealed.consent) : []
    const waits = !verdict.trusted || missing.length > 0
    if (waits) await limit.assertPlace(tx, agentRequester(agent.id), fetches.paid)
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
    await deps.content.reserve(tx, agent.id, parts, Buffer.byteLength(sealed.json))
    if (!verdict.trusted && !fetches.paid) fetches.card.spend(tx)
    // Only an address that stood on the approved card: any other could tell its server something, unasked and for nothing.
    if (verdict.trusted && isApprovedLink(verdict.grant, sealed.consent)) fetches.refund()
    await tx.codes.put(codeHash, code, now)
    await deps.content.hold(tx, agent.id, parts)
    await deps.facts.keep(tx, code, facts.language, facts)
    if (imports !== null) await tx.imports.put(imports, now)
    const execution = await ledger.open(
      tx,
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
        decidedBy: verdict.trusted ? grantActor(verdict.grant.id) : null,
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
        ...NO_FOLLOW_UP,
      },
      agentActor(agent.id),
      auditFactsOf(
        { agentId: agent.id, skillId: sealed.consent.skill_id, consentHash: sealed.hash },
        sealed.consent,
      ),
    )
    // Until then the row is counted by nobody else.
    tx.onCommit(() => fetches.stored())
    if (!verdict.trusted) {
      await steps.requested(tx, execution)
      return execution
    }
    await trust.recordUse(tx, verdict.grant, execution.requestId)
    return await steps.beginOrAwaitSecrets(tx, execution, sealed.consent, missing)
  }

  return async (agent, request, idempotency, signal = new AbortController().signal) => {
    const before = idempotency && (await storage.read((tx) => replay(tx, agent, idempotency)))
    if (before) {
      // The request that it repeats may have been stored this moment.
      await storage.flushed()
      return before
    }
    deps.freeSpace.assertRoom()
    using fetches = createAgentFetches({ ...deps, limit }, agent)
    const sandbox = await deps.sandbox.status(RUNTIME_VIEW_MS)
    const runtime = pickRuntime(request.runtime, sandbox)
    const resolved = await resolveCode(request, fetches, signal)
    const facts = await deps.facts.of(resolved.code, languageOf(runtime.name), agent.id)
    // Everything that is wrong with the request itself is said before anything is fetched for it.
    const draft = (imports: ConsentImports | null): Promise<SealedConsent> =>
      storage.read((tx) => draftConsent(tx, agent, request, resolved, sandbox, deps.vault, facts, imports))
    const withoutImports = await draft(null)
    const imports = await lockImports(agent, request, resolved.code, runtime, fetches, signal)
    const sealed = imports === null ? withoutImports : await draft(consentImportsOf(imports))
    const submitted = await storage.transaction(async (tx) => {
      assertNotRevoked(deps.agents, agent.id)
      const raced = await replay(tx, agent, idempotency)
      if (raced) return raced
      // A duplicate that waits stores no row of its own, and each key is one.
      if (idempotency) await deps.content.reserve(tx, agent.id, [], idempotency.key.length)
      const execution = await store(tx, agent, sealed, resolved.code, facts, imports, fetches)
      if (idempotency) {
        await tx.executions.remember(
          agent.id,
          idempotency.key,
          { requestId: execution.requestId, bodyHash: idempotency.bodyHash },
          clock.now(),
        )
      }
      return execution
    }, 'grouped')
    await storage.flushed()
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
