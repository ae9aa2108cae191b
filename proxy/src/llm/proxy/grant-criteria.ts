import type { EndpointGroup, Provider } from '../providers/index.ts'
import type { Caller } from './caller.ts'

/** What of a request decides whether a grant covers it. */
export interface GrantCriteria {
  readonly agent: Caller
  readonly provider: Provider
  /** Path behind the provider's root, without query. */
  readonly path: string
  /** What the request does there. */
  readonly group: EndpointGroup
  /** Every model that the request names where one is usually named; null for one whose name cannot be told. */
  readonly models: readonly (string | null)[]
  /** With those that it names anywhere else. Looked for when it matters: where a grant or key is for some models. */
  allModels(): readonly (string | null)[]
  /** It only reads, and names no model. */
  readonly isListing: boolean
}
