import { type Actor, actorOf, type Principal } from '../identity/index.ts'
import type { ConsentHash, Json } from '../kernel/index.ts'
import type { Vote } from './quorum/index.ts'

/** How a decision is recorded: `telegram:1001` and the name that goes with it. */
export interface Decider {
  readonly actor: Actor
  readonly name: string | null
}

/** Who decides, and what the audit's row of the verdict says beside the answer; a kind stores it with that row. */
export interface Verdict extends Decider {
  readonly record: Readonly<Record<string, Json>>
}

export const deciderOf = (principal: Principal): Decider => ({
  actor: actorOf(principal),
  name: nameOf(principal),
})

/** `shown`: the hash of what the person was shown and answered; `votes`: the yeses that counted, where it took several. */
export const verdictBy = (
  principal: Principal,
  shown: ConsentHash,
  votes: Verdict['record'] = {},
): Verdict => {
  const decider = deciderOf(principal)
  const { name } = decider
  const authenticator = authenticatorOf(principal)
  return {
    ...decider,
    record: { consent_hash: shown, authenticator, name, ...votes, ...proofOf(principal) },
  }
}

/** What the person's passkey signed, for the row of their yes or no: a receipt carries it from there. */
export const proofOf = (principal: Principal): Verdict['record'] =>
  principal.kind === 'session' && principal.proof !== null ? { proof: { ...principal.proof } } : {}

/** By what the person was known: `passkey` where one signed this very answer, `console-…` where it or a link signed them in. */
function authenticatorOf(principal: Principal): string {
  if (principal.kind === 'session')
    return principal.provedFor === null ? `console-${principal.signedInBy}` : 'passkey'
  return principal.kind === 'owner' ? 'socket' : principal.kind === 'approver' ? 'telegram' : 'none'
}

function nameOf(principal: Principal): string | null {
  if (principal.kind === 'session') return nameOf(principal.of)
  return 'name' in principal ? principal.name : null
}

/** Of a decision that took several: the last of them, by the names of all. */
export function namedWith({ actor, name }: Decider, votes: readonly Vote[]): Decider {
  const names = [name, ...votes.map((vote) => vote.name ?? vote.account)].filter((one) => one !== null)
  return { actor, name: name === null ? null : [...new Set(names)].join(', ') }
}
