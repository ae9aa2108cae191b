import { type Consent, consentCode } from '../approvals/consent/index.ts'
import { type Approvals, type Decider, isOver, NO_FOLLOW_UP } from '../approvals/index.ts'
import type { Trust } from '../approvals/trust/index.ts'
import type { Agents } from '../identity/agents/index.ts'
import { AppError, type Clock, newRequestId, type Tx } from '../kernel/index.ts'
import type { FreeSpace, StoredContent } from '../retention/index.ts'
import type { Vault } from '../vault/index.ts'
import { auditFactsOf } from './audit-facts.ts'
import { readStoredCode } from './code/index.ts'
import type { Execution } from './execution.ts'
import type { Ledger } from './ledger.ts'

/**
 * The same consent once more, as a request of its own that waits for a person: no grant approves it, whatever stands by now. Refused
 * where a new request of the same agent would not lead to this very consent, or what it needs is no longer kept.
 */
export function createAskAgain(deps: {
  readonly agents: Pick<Agents, 'byId'>
  readonly ledger: Ledger
  readonly content: Pick<StoredContent, 'reserve'>
  readonly freeSpace: Pick<FreeSpace, 'assertRoom'>
  readonly trust: Pick<Trust, 'look'>
  readonly vault: Pick<Vault, 'binding'>
  readonly clock: Clock
  readonly approvals: Pick<Approvals, 'deadline'>
  readonly consentOf: (execution: Execution) => Consent
  readonly expire: (tx: Tx, execution: Execution) => Promise<Execution>
}) {
  const assertSameBindings = async (tx: Tx, consent: Consent): Promise<void> => {
    for (const { name, bound_to } of consent.secrets) {
      const bound = (await deps.vault.binding(tx, name)) ?? null
      if (JSON.stringify(bound) !== JSON.stringify(bound_to))
        throw conflict(`${name} is bound to other hosts by now; its agent has to ask anew.`)
    }
  }

  return async (tx: Tx, old: Execution, by: Decider): Promise<Execution> => {
    const { agentId, consentHash, consentJson } = old
    const agent = deps.agents.byId(agentId)
    if (agent === undefined || agent.revokedAt !== null)
      throw conflict('Its agent was revoked: nobody would read the answer.')
    const consent = deps.consentOf(old)
    const duplicate = await tx.executions.waitingDuplicate(agentId, consentHash)
    if (duplicate !== undefined && !isOver(duplicate, deps.clock.now()))
      throw conflict(`Its agent asks the same already, as ${duplicate.requestId}.`)
    await assertSameBindings(tx, consent)
    const codeHash = consentCode(consent)
    for (const importsLock of [null, ...(consent.imports === null ? [] : [consent.imports.lock])]) {
      if (await tx.contents.isHeld({ agentId, codeHash, importsLock })) continue
      const what = importsLock === null ? 'code is' : 'imports are'
      throw conflict(`Its ${what} no longer kept; its agent has to ask anew.`)
    }
    await readStoredCode(tx, codeHash)
    deps.freeSpace.assertRoom()
    if (duplicate !== undefined) await deps.expire(tx, duplicate)
    await deps.content.reserve(tx, agentId, [], Buffer.byteLength(consentJson))
    const verdict = await deps.trust.look(tx, consent)
    return await deps.ledger.open(
      tx,
      {
        ...{ agentId, skillId: old.skillId, codeHash, consentJson, consentHash },
        requestId: newRequestId(),
        status: 'pending',
        changes: verdict.trusted ? [] : verdict.changes,
        ...deps.approvals.deadline(),
        trusted: false,
        ...{ decision: null, decidedBy: null, decidedByName: null, decidedAt: null, denyReason: null },
        ...{ startedAt: null, finishedAt: null, durationMs: null, failure: null, result: null },
        ...{ seenAt: null, ackedAt: null },
        ...NO_FOLLOW_UP,
        againOf: old.requestId,
      },
      by.actor,
      { ...auditFactsOf(old, consent), again_of: old.requestId },
    )
  }
}

const conflict = (message: string): AppError => new AppError('conflict', message)
