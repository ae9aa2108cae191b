/**
 * The types of the consent corpus: requests as an agent would send them, and what the card must say about
 * each. The code in a case is material for the analysis; it is never run.
 */

export type CorpusRuntime = 'deno' | 'node' | 'quickjs' | 'python'

export type CorpusNetworkEntry =
  | string
  | {
      host: string
      methods?: string[]
      paths?: string[]
      requests?: number
      websocket?: boolean
      graphql?: 'query' | 'mutation'
    }

export interface CorpusRequest {
  skillId: string
  description: string
  code: string
  runtime: CorpusRuntime
  /** Names of the secrets that the request asks for, as placeholders for a header unless said otherwise below. */
  secrets: string[]
  /** Those of `secrets` that are asked for with `"mode": "raw"`. */
  rawSecrets?: string[]
  /** Places other than a header that a secret is asked for, by name. */
  secretPlaces?: Record<string, ('header' | 'query' | 'body')[]>
  network: CorpusNetworkEntry[]
  args?: Record<string, unknown>
  /** Names of the secrets that the owner keeps, whether asked for here or not. */
  storedSecrets?: string[]
  /** Ids of skills that the owner trusts already. */
  trustedSkills?: string[]
  /** The request asks for `"dynamic_code": true`. */
  dynamicCode?: boolean
}

/**
 * One concrete request: an upper-case method (`WEBSOCKET` for the opening of one), a host without port, and a
 * path that starts with `/`, without query.
 */
export interface SentRequest {
  method: string
  host: string
  path: string
}

/** What the card must say so that the person is not deceived; ANY one of them is enough. */
export interface Tells {
  /** Kinds of danger, any one of which explains this deception. */
  danger?: string[]
  /**
   * Any one of these requests must be covered AND named by the capability lines of the card: not hidden
   * under a wider line, unless that line comes with an `any_*` danger.
   */
  sends?: SentRequest[]
  /** The daemon may refuse the request outright. */
  refused?: true
}

export interface DeceptiveCase {
  /** Unique in the corpus: the family, the runtime and a number. */
  id: string
  family: string
  request: CorpusRequest
  tells: Tells
}
