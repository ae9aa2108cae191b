import type { CardModel } from '../approvals/index.ts'
import type { Capability } from '../egress/capabilities/index.ts'
import type { Agent } from '../identity/agents/index.ts'
import type { ConsentHash } from '../kernel/index.ts'
import { createAgentFetches } from './agent-fetches.ts'
import { buildCard } from './card/index.ts'
import { type CardDeps, knownNames } from './execution-card.ts'
import type { CodeFacts } from './facts/index.ts'
import { languageOf } from './facts/index.ts'
import { draftConsent, type ExecuteRequest, missingSecrets, pickRuntime, resolveCode } from './request.ts'
import type { SubmitDeps } from './submit.ts'

/** What a request would ask for: nothing of it is stored, and nobody is asked. */
export interface Explanation {
  readonly capabilities: readonly Capability[]
  readonly facts: CodeFacts
  readonly card: CardModel
  /** Of the consent as far as it can be told before its imports are fetched. */
  readonly consentHash: ConsentHash
  /** Whether it would run without a question. */
  readonly trusted: boolean
}

export type Explain = (agent: Agent, request: ExecuteRequest, signal: AbortSignal) => Promise<Explanation>

export function createExplain(deps: SubmitDeps & Pick<CardDeps, 'knownHosts'>): Explain {
  return async (agent, request, signal) => {
    // It stores nothing itself, but what it fetches is in the audit.
    deps.freeSpace.assertRoom()
    using fetches = createAgentFetches({ ...deps, limit: deps.approvals.limit }, agent)
    const sandbox = await deps.sandbox.status()
    pickRuntime(request.runtime, sandbox)
    const resolved = await resolveCode(request, fetches, signal)
    const language = languageOf(pickRuntime(request.runtime, sandbox).name)
    const facts = await deps.facts.of(resolved.code, language, agent.id)
    const { consent, hash, verdict, known, missing } = await deps.storage.read(async (tx) => {
      const sealed = await draftConsent(tx, agent, request, resolved, sandbox, deps.vault, facts)
      return {
        ...sealed,
        verdict: await deps.trust.look(tx, sealed.consent),
        known: await knownNames(tx, deps, sealed.consent),
        missing: await missingSecrets(tx, deps.vault, sealed.consent),
      }
    })
    const card = buildCard({
      requestId: 'req_dry_run',
      consent,
      code: resolved.code,
      facts,
      known,
      changes: verdict.trusted ? [] : verdict.changes,
      missing,
      expiresAt: deps.approvals.deadline().expiresAt,
    })
    return { capabilities: consent.network, facts, card, consentHash: hash, trusted: verdict.trusted }
  }
}
