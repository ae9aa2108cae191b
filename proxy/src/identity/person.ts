import { AppError } from '../kernel/index.ts'
import { telegramActor } from './actor.ts'
import type { ApproverId, Principal } from './principal.ts'

/**
 * The account that somebody decides by: the host's owner, at the admin socket or signed in from there, or a Telegram account. What
 * channel it came through does not matter: the owner's terminal and the owner's console are one.
 */
export type DeciderAccount = 'owner' | ReturnType<typeof telegramActor>

/** Throws `internal` for a principal that is no person. */
export function accountOf(principal: Principal): DeciderAccount {
  switch (principal.kind) {
    case 'session':
      return accountOf(principal.of)
    // Against a Sybil attack: whoever has the host and whoever the tenant is of never make two.
    case 'account':
    case 'owner':
      return 'owner'
    case 'approver':
      return telegramActor(principal.approverId)
    default:
      throw new AppError('internal', `A principal of kind ${principal.kind} is no person.`)
  }
}

/** Which of the approvers the host's owner is: one of them, none of them, or nobody has said. */
export type OwnerIs = Exclude<DeciderAccount, 'owner'> | 'separate' | 'unknown'

/** Who stands behind the accounts of one tenant. */
export interface Persons {
  readonly approvers: ReadonlySet<ApproverId>
  readonly ownerIs: OwnerIs
}

/** One name for all accounts that are known to be the same person's. */
export const personOf = (account: DeciderAccount, { ownerIs }: Pick<Persons, 'ownerIs'>): DeciderAccount =>
  account === 'owner' && ownerIs !== 'unknown' && ownerIs !== 'separate' ? ownerIs : account

/**
 * Quorum counts persons, not accounts: how many these accounts are of at least. Sybil attack: as long as nobody has said who the owner is, they may be any of the
 * others, so that two accounts of one person never make two persons.
 */
export function countPersons(accounts: Iterable<DeciderAccount>, persons: Persons): number {
  const found = new Set([...accounts].map((account) => personOf(account, persons)))
  const mayBeOneOfThem = found.has('owner') && persons.ownerIs === 'unknown' && found.size > 1
  return found.size - (mayBeOneOfThem ? 1 : 0)
}

/** Whether whoever decides by this account may do so by now. */
export const isDecider = (account: DeciderAccount, { approvers }: Persons): boolean =>
  account === 'owner' || approvers.has(account.slice('telegram:'.length) as ApproverId)

/** How many persons may decide, of whom it is certain that they are so many. */
export const countDeciders = (persons: Persons): number =>
  countPersons(['owner', ...[...persons.approvers].map(telegramActor)], persons)

/** The way that somebody answers by. */
export type DeciderChannel = 'telegram' | 'terminal' | 'console'

export function channelOf({ kind }: Principal): DeciderChannel {
  if (kind === 'session' || kind === 'account') return 'console'
  return kind === 'owner' ? 'terminal' : 'telegram'
}
