import type { AccountId, AgentId, AppId, ConsentHash, DecisionProof, TenantId } from '../kernel/index.ts'

declare const idBrand: unique symbol
declare const authenticatedBrand: unique symbol

/** A Telegram user id, in decimal digits. */
export type ApproverId = string & { readonly [idBrand]: 'ApproverId' }
/** Of somebody's signed-in browser. */
export type SessionId = string & { readonly [idBrand]: 'SessionId' }

/** Cannot be written down: only what authenticates makes one (see authentication.ts). */
interface Authenticated {
  readonly [authenticatedBrand]: true
  /** What is another tenant's is out of reach, whatever the principal. */
  readonly tenant: TenantId
}

/** The user that the daemon runs as, at the admin socket. */
export interface OwnerPrincipal extends Authenticated {
  readonly kind: 'owner'
  readonly uid: string
  readonly name: string
}

/** A member of the tenant who may decide, known by the account that they write from. */
export interface ApproverPrincipal extends Authenticated {
  readonly kind: 'approver'
  readonly approverId: ApproverId
  /** Chosen by the person; the id alone identifies. */
  readonly name: string
}

/** The holder of an agent's token. */
export interface AgentPrincipal extends Authenticated {
  readonly kind: 'agent'
  readonly agentId: AgentId
}

/** The holder of an app's token. */
export interface AppPrincipal extends Authenticated {
  readonly kind: 'app'
  readonly appId: AppId
}

/** A person who signed up, in the tenant that is theirs: its owner, who reaches nothing of the installation. */
export interface AccountPrincipal extends Authenticated {
  readonly kind: 'account'
  readonly accountId: AccountId
  readonly name: string
}

/** Whom a session is of, as it is stored: the daemon's own user, an approver by their chat account, or somebody who signed up. */
export type SessionPerson =
  | { readonly kind: 'owner'; readonly uid: string; readonly name: string }
  | { readonly kind: 'approver'; readonly id: string; readonly name: string }
  | { readonly kind: 'account'; readonly id: AccountId; readonly name: string }

/** What a person proves by who they are: a link of the command line, a passkey, a password, or a key at a provider. */
export type ProofMethod = 'link' | 'passkey' | 'password' | 'key'

/** A signed-in browser: its person, from further away. */
export interface SessionPrincipal extends Authenticated {
  readonly kind: 'session'
  readonly sessionId: SessionId
  readonly of: OwnerPrincipal | ApproverPrincipal | AccountPrincipal
  readonly signedInBy: ProofMethod
  /** By what the person has just proved again that it is them; null: that was too long ago. */
  readonly steppedUpBy: ProofMethod | null
  /** The consent that a passkey has signed in this request, and which alone it proves anything for; null: none. */
  readonly provedFor: ConsentHash | null
  /** What it signed, and the signature; null: nothing. */
  readonly proof: DecisionProof | null
}

/** Whoever asks, once it is known who that is. */
export type Principal =
  | OwnerPrincipal
  | ApproverPrincipal
  | AccountPrincipal
  | AgentPrincipal
  | AppPrincipal
  | SessionPrincipal

type Facts<P> = P extends unknown ? Omit<P, typeof authenticatedBrand> : never

const authenticated = new WeakSet<object>()

/** For authentication.ts alone; the module's index does not export it. */
export function admitPrincipal<P extends Principal>(facts: Facts<P>): P {
  const principal = Object.freeze({ ...facts }) as unknown as P
  authenticated.add(principal)
  return principal
}

/** False for a copy, a cast, or anything else that was not made by authentication. */
export const isAuthenticated = (principal: Principal): boolean => authenticated.has(principal)
