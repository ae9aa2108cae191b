import type { CodeHash, UnixMs } from '../../kernel/index.ts'

/** Code by its hash; each text is stored once. */
interface CodeReader {
  get(hash: CodeHash): Promise<string | undefined>
}

export interface CodeStore extends CodeReader {
  put(hash: CodeHash, code: string, at: UnixMs): Promise<void>
}

declare module '../../kernel/unit-of-work.ts' {
  interface StorePorts {
    readonly codes: StorePort<CodeReader, CodeStore>
  }
}

/** A fetched skill: the exact text, and where it came from in the end. */
export interface FetchedSkill {
  readonly text: string
  readonly finalUrl: string
}

/** One request for a skill_url, or what was not sent: the link itself, then each redirect. */
export interface FetchedHop {
  /** 0 for the link itself. */
  readonly index: number
  readonly host: string
  readonly port: number
  /** As it was fetched, or would have been; printable ASCII. */
  readonly url: string
  /** Of the answer; null when there was none. */
  readonly status: number | null
  /** Of the answer's body, as far as it was read. */
  readonly bytes: number
  /** Why nothing was sent; null when the host was asked. */
  readonly refused: 'bad_form' | 'host_not_listed' | 'address_not_public' | null
  /** Code of the error that it ended with; null when it brought the text or a redirect. */
  readonly problem: string | null
}

/**
 * Fetches a skill once: https only, from hosts that the owner lists, addresses checked when dialled, at most 1 MiB. Tells
 * of each hop before it goes on. Throws `skill_url_refused` or `skill_unreachable`.
 */
export interface SkillFetcher {
  fetch(
    url: string,
    signal: AbortSignal,
    onHop?: (hop: FetchedHop) => void,
    as?: FetchAs,
  ): Promise<FetchedSkill>
}

/** Another address than a skill_url. */
export interface FetchAs {
  /** Begins what the agent or person is told of it. */
  readonly what: string
  /** Hosts that may be asked beside those that the owner lists. */
  readonly hosts: readonly string[]
  /** Whether JSON is what is looked for, and code is not. */
  readonly json?: boolean
}

export const MAX_CODE_BYTES = 1_048_576
