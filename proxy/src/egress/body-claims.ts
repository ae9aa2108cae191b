import { operationOfRequest } from './capabilities/index.ts'
import { type ClaimedMethods, methodsInBody } from './method-override.ts'

/** What a request's body may show beyond its head. */
export interface BodyClaims {
  /** It is, or may be, a GraphQL mutation. */
  readonly mutation: boolean
  /** Methods that frameworks take from a body in place of the request's own. */
  readonly methods: ClaimedMethods
}

/** What is asked of a body; plain data, so that a worker can answer it. */
export interface BodyInspection {
  readonly path: string
  readonly contentType: string
  /** It is compressed, so nothing can be read in it. */
  readonly isEncoded: boolean
  readonly mutations: boolean
  readonly methods: boolean
}

/** Of a body that cannot be looked into: it may do anything. */
export const ANY_CLAIMS: BodyClaims = { mutation: true, methods: 'any' }

export function claimsOf(inspection: BodyInspection, bytes: Buffer): BodyClaims {
  const { path, contentType, isEncoded, mutations, methods } = inspection
  const body = isEncoded ? null : bytes
  return {
    mutation: mutations && operationOfRequest({ path, contentType, body }) === 'mutation',
    methods: methods ? methodsInBody(contentType, body) : [],
  }
}

/** Inspects large bodies off the event loop; agents take turns. */
export interface LargeInspections {
  /** As `claimsOf`; `ANY_CLAIMS` when it takes too long, or too many of the owner's wait. */
  inspect(owner: string, inspection: BodyInspection, body: Buffer): Promise<BodyClaims>
}
