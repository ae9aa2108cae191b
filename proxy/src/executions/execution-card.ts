import { type Consent, consentCode, openConsent } from '../approvals/consent/index.ts'
import type { CardModel } from '../approvals/index.ts'
import type { Trust } from '../approvals/trust/index.ts'
import { hostsOf } from '../egress/capabilities/index.ts'
import type { ReadTx } from '../kernel/index.ts'
import type { Vault } from '../vault/index.ts'
import { buildCard, type KnownNames } from './card/index.ts'
import { readEndedCode, readStoredCode } from './code/index.ts'
import { type Execution, isFinal } from './execution.ts'
import { type CodeFactsService, languageOf, unreadableFacts } from './facts/index.ts'

export interface CardDeps {
  readonly facts: Pick<CodeFactsService, 'known'>
  readonly vault: Pick<Vault, 'list'>
  readonly trust: Pick<Trust, 'list'>
  /** Hosts that the owner uses besides: those of LLM providers. */
  readonly knownHosts: () => readonly string[]
}

/** The card of a stored request, beside what the owner has by now. */
export async function cardOf(
  tx: ReadTx,
  deps: CardDeps,
  execution: Execution,
  missing: readonly string[],
): Promise<CardModel> {
  const consent = openConsent(execution.consentJson, execution.consentHash)
  const hash = consentCode(consent)
  const language = languageOf(consent.runtime.name)
  // Only what has ended may have lost its code; what waits without it is a defect.
  const code = isFinal(execution.status) ? await readEndedCode(tx, hash) : await readStoredCode(tx, hash)
  return buildCard({
    requestId: execution.requestId,
    consent,
    code,
    facts:
      code === null
        ? unreadableFacts(language, 'it is no longer kept')
        : await deps.facts.known(tx, hash, language),
    known: await knownNames(tx, deps, consent),
    changes: execution.changes,
    missing,
    expiresAt: execution.expiresAt,
  })
}

/** Names and hosts that a request can be mistaken for. Those that it names itself are no others. */
export async function knownNames(
  tx: ReadTx,
  deps: Omit<CardDeps, 'facts'>,
  consent: Consent,
): Promise<KnownNames> {
  const grants = (await deps.trust.list(tx)).filter(({ skillId }) => skillId !== consent.skill_id)
  const secrets = await deps.vault.list(tx)
  const granted = grants.flatMap(({ consentJson, consentHash }) =>
    hostsOf(openConsent(consentJson, consentHash).network),
  )
  return {
    storedSecrets: secrets.map(({ name }) => name),
    trustedSkills: [
      ...grants.map(({ skillId }) => skillId),
      ...(await tx.skills.acceptedNames()).filter((name) => name !== consent.skill_id),
    ],
    hosts: [...new Set([...deps.knownHosts(), ...secrets.flatMap(({ hosts }) => hosts ?? []), ...granted])],
  }
}
