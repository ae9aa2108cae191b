import type { Consent } from '../approvals/consent/index.ts'
import type { Json } from '../kernel/index.ts'
import type { Execution } from './execution.ts'

/**
 * What the first row of an execution says of it. The audit keeps names of secrets and hosts, so that whatever happened is found by them
 * also when retention has dropped the execution with its code, args and output.
 */
export const auditFactsOf = (
  { agentId, skillId, consentHash }: Pick<Execution, 'agentId' | 'skillId' | 'consentHash'>,
  consent: Consent,
): Readonly<Record<string, Json>> => ({
  consent_hash: consentHash,
  code_hash: consent.code.sha256,
  skill_id: skillId,
  agent_id: agentId,
  ...namesOf(consent),
})

export const namesOf = ({ secrets, network }: Consent) => ({
  secrets: secrets.map(({ name }) => name),
  hosts: network.map(({ host }) => host),
})
