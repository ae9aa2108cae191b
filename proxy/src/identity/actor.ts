import { type AccountId, type AgentId, AppError, type AppId } from '../kernel/index.ts'
import { isAuthenticated, type Principal, type SessionPerson } from './principal.ts'

/**
 * Who caused something, as the audit stores it. The forms are part of the audit's hashes: a form is added, never changed.
 * `daemon` is the daemon of its own accord, `run` code in a sandbox; `address` is whoever could not be told by anything else.
 */
export type Actor =
  | 'daemon'
  | 'run'
  | `agent:${string}`
  | `app:${string}`
  | `account:${string}`
  | `telegram:${string}`
  | `cli:${string}`
  | `address:${string}`

const KINDS = ['agent', 'app', 'account', 'telegram', 'cli', 'address'] as const
type ActorKind = (typeof KINDS)[number]

/** One token of visible ASCII: no space, line break or control character makes one actor look like another. */
const ID = /^[\x21-\x7e]{1,128}$/

function named<Kind extends ActorKind>(kind: Kind, id: string): `${Kind}:${string}` {
  if (!ID.test(id)) throw new AppError('internal', `An actor of kind ${kind} has an id that is none.`)
  return `${kind}:${id}`
}

export const agentActor = (id: AgentId) => named('agent', id)
export const appActor = (id: AppId) => named('app', id)
/** Somebody who signed up. */
export const accountActor = (id: AccountId) => named('account', id)
/** A Telegram account, approver or stranger. */
export const telegramActor = (userId: string) => named('telegram', userId)
/** Whoever a session is of: the same actor as without a browser. */
export function personActor(person: SessionPerson): Actor {
  if (person.kind === 'owner') return named('cli', person.uid)
  return person.kind === 'account' ? accountActor(person.id) : telegramActor(person.id)
}
/** A peer that was not authenticated. */
export const addressActor = (address: string) => named('address', address)

/** How the audit names a principal. Throws `internal` for one that no authentication made. */
export function actorOf(principal: Principal): Actor {
  if (!isAuthenticated(principal)) throw new AppError('internal', 'Nobody has established who acts.')
  switch (principal.kind) {
    case 'owner':
      return named('cli', principal.uid)
    case 'approver':
      return telegramActor(principal.approverId)
    case 'account':
      return accountActor(principal.accountId)
    case 'agent':
      return agentActor(principal.agentId)
    case 'app':
      return appActor(principal.appId)
    case 'session':
      return actorOf(principal.of)
  }
}

export type ParsedActor =
  | { readonly kind: 'daemon' | 'run' }
  | { readonly kind: 'agent'; readonly id: AgentId }
  | { readonly kind: Exclude<ActorKind, 'agent'>; readonly id: string }

/** Undefined for what is no actor. */
export function parseActor(text: string): ParsedActor | undefined {
  if (text === 'daemon' || text === 'run') return { kind: text }
  const at = text.indexOf(':')
  const id = text.slice(at + 1)
  const kind = KINDS.find((known) => known === text.slice(0, at))
  if (kind === undefined || !ID.test(id)) return undefined
  return kind === 'agent' ? { kind, id: id as AgentId } : { kind, id }
}

/** The agent that this actor is; null for any other. */
export function agentOfActor(actor: string): AgentId | null {
  const parsed = parseActor(actor)
  return parsed?.kind === 'agent' ? parsed.id : null
}

/** For a person: an agent by the name it has, whoever else as stored. */
export function describeActor(actor: string, nameOf: (id: AgentId) => string): string {
  const id = agentOfActor(actor)
  return id === null ? actor : `agent:${nameOf(id)}`
}
