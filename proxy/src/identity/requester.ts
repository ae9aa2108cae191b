import type { AgentId, AppId } from '../kernel/index.ts'

/** Who asks a person for something: an agent, or a run of an app. */
export type Requester =
  | { readonly kind: 'agent'; readonly id: AgentId }
  | { readonly kind: 'app'; readonly id: AppId }

export type NamedRequester = Requester & { readonly name: string }

export const agentRequester = (id: AgentId): Requester => ({ kind: 'agent', id })
export const appRequester = (id: AppId): Requester => ({ kind: 'app', id })

/** Where the names of one kind of requesters stand. */
export interface RequesterNames {
  /** Of one that was revoked, too; undefined: unknown. */
  nameOf(id: string): string | undefined
  /** The id of the one that has this name and is not revoked; undefined: there is none. */
  activeId(name: string): string | undefined
}

/** The names of all who may ask, whichever product knows them. */
export interface Requesters {
  /** Once for each kind, by whoever has its rows. */
  register(kind: Requester['kind'], names: RequesterNames): void
  /** The id where nobody knows a name. */
  nameOf(kind: Requester['kind'], id: string): string
  activeId(kind: Requester['kind'], name: string): string | undefined
}

export function createRequesters(): Requesters {
  const known = new Map<Requester['kind'], RequesterNames>()
  return {
    register(kind, names) {
      if (known.has(kind)) throw new Error(`two parts know the names of kind ${kind}`)
      known.set(kind, names)
    },
    nameOf: (kind, id) => known.get(kind)?.nameOf(id) ?? id,
    activeId: (kind, name) => known.get(kind)?.activeId(name),
  }
}
