import { canonicalJson, type DecisionProof, verifyDecisionProof } from '../../kernel/index.ts'
import type { Receipt } from './receipt.ts'

/** One yes of a verdict that took several persons. */
export interface RecordedVote {
  readonly by: string
  readonly name: string | null
  readonly channel: string
  readonly choice: string
  /** A passkey signed it; what it signed stands in the audit's row of that yes. */
  readonly proved: boolean
}

/** The yeses that a receipt names, in the order in which they were given; none where one person's was enough. */
export function votesOf(receipt: Receipt): readonly RecordedVote[] {
  const { votes } = JSON.parse(receipt['audit-data']) as { readonly votes?: readonly RecordedVote[] }
  return Array.isArray(votes) ? votes : []
}

/**
 * Whether what a receipt holds as proof is an assertion of WebAuthn over just this answer to just this request by just this person.
 * A verdict by passkey has one, and no other verdict does. That the passkey is the person's is the issuer's word.
 */
export function isProofOf(receipt: Receipt): boolean {
  if (receipt.authenticator !== 'passkey' || receipt.proof === '-')
    return receipt.authenticator !== 'passkey' && receipt.proof === '-'
  const proof = JSON.parse(receipt.proof) as DecisionProof
  if (!verifyDecisionProof(proof).ok) return false
  const { approval, by, choice, consent_hash } = proof.statement
  return (
    approval === receipt.request &&
    by === receipt['decided-by'] &&
    consent_hash === receipt.consent &&
    isAnswerOf(receipt, choice)
  )
}

/** Of several yeses the narrowest is given: the signed one is then the person's own among them. */
function isAnswerOf(receipt: Receipt, signed: string): boolean {
  const own = votesOf(receipt).find(({ by }) => by === receipt['decided-by'])
  if (own !== undefined) return isSameChoice(own.choice, signed) && signed !== 'deny'
  const given = JSON.parse(receipt.choice) as string
  const isOneModel = receipt.terms === canonicalJson('model')
  return isSameChoice(isOneModel ? `model_${given}` : given, signed)
}

/** A choice with a limit of its own (`24h_usd1`) is told of as the one that it narrows. */
const isSameChoice = (told: string, signed: string): boolean =>
  signed === told || /^(.+)_(?:usd|tokens|requests)[0-9]+k?$/.exec(signed)?.[1] === told
