import { buildCard, type CardModel, type KnownNames } from '../approvals/index.ts'
import { hostsOf } from '../capabilities/index.ts'
import { type CodeRepository, readEndedCode, readStoredCode } from '../code/index.ts'
import { type Consent, consentCode, openConsent } from '../consent/index.ts'
import { type CodeFactsService, languageOf, unreadableFacts } from '../facts/index.ts'
import type { Trust } from '../trust/index.ts'
import type { Vault } from '../vault/index.ts'
import { type Execution, isFinal } from './execution.ts'

export interface CardDeps {
  readonly codes: Pick<CodeRepository, 'get'>
  readonly facts: Pick<CodeFactsService, 'known'>
  readonly vault: Pick<Vault, 'list'>
  readonly trust: Pick<Trust, 'list'>
  /** Hosts that the owner uses besides: those of LLM providers. */
  readonly knownHosts: () => readonly string[]
}

/** The card of a stored request, beside what the owner has by now. */
export function cardOf(deps: CardDeps, execution: Execution, missing: readonly string[]): CardModel {
  const consent = openConsent(execution.consentJson, execution.consentHash)
  const hash = consentCode(consent)
  const language = languageOf(consent.runtime.name)
  // Only what has ended may have lost its code; what waits without it is a defect.
  const code = isFinal(execution.status) ? readEndedCode(deps.codes, hash) : readStoredCode(deps.codes, hash)
  return buildCard({
    requestId: execution.requestId,
    consent,
    code,
    facts:
      code === null ? unreadableFacts(language, 'it is no longer kept') : deps.facts.known(hash, language),
    known: knownNames(deps, consent),
    changes: execution.changes,
    missing,
    expiresAt: execution.expiresAt,
  })
}

/** Names and hosts that a request can be mistaken for. Those that it names itself are no others. */
export function knownNames(deps: Omit<CardDeps, 'codes' | 'facts'>, consent: Consent): KnownNames {
  const grants = deps.trust.list().filter(({ skillId }) => skillId !== consent.skill_id)
  const secrets = deps.vault.list()
  const granted = grants.flatMap(({ consentJson, consentHash }) =>
    hostsOf(openConsent(consentJson, consentHash).network),
  )
  return {
    storedSecrets: secrets.map(({ name }) => name),
    trustedSkills: grants.map(({ skillId }) => skillId),
    hosts: [...new Set([...deps.knownHosts(), ...secrets.flatMap(({ hosts }) => hosts ?? []), ...granted])],
  }
}
