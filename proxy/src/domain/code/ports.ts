import type { CodeHash, UnixMs } from '../../kernel/index.ts'

/** Code by its hash; each text is stored once. */
export interface CodeRepository {
  put(hash: CodeHash, code: string, at: UnixMs): void
  get(hash: CodeHash): string | undefined
}

/** A fetched skill: the exact text, and where it came from in the end. */
export interface FetchedSkill {
  readonly text: string
  readonly finalUrl: string
}

/** Fetches a skill once: https only, addresses checked when dialled, at most 1 MiB. Throws `skill_url_refused` or `skill_unreachable`. */
export interface SkillFetcher {
  fetch(url: string, signal: AbortSignal): Promise<FetchedSkill>
}

export const MAX_CODE_BYTES = 1_048_576
