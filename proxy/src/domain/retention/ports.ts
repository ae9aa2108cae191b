import type { AgentId, CodeHash, UnixMs } from '../../kernel/index.ts'

/** What an agent's requests keep: their code, or modules that the code imports. */
export interface Held {
  readonly agentId: AgentId
  readonly codeHash: CodeHash
  /** The hash of locked imports; null for the code itself. */
  readonly importsLock: string | null
}

/** Who keeps which code and imports, and how many bytes each agent keeps in all. */
export interface ContentRepository {
  isHeld(held: Held): boolean
  hold(held: Held, bytes: number): void
  /** The code ran for the agent; written once a day, so that a run costs a look-up. */
  ran(agentId: AgentId, codeHash: CodeHash, at: UnixMs): void
  /**
   * Lets go of code and imports of this agent that nothing needs: what waits or runs, an active grant, or, for code,
   * a run that ended after `ranSince`, give or take a day. What nobody holds any more is queued to be deleted.
   */
  release(agentId: AgentId, codeHash: CodeHash, ranSince: UnixMs): void
  /** The same for the next `limit` holdings after `after`, in any fixed order; undefined at the end. */
  releaseNext(after: Held | undefined, limit: number, ranSince: UnixMs): Held | undefined
  /** What that would let go of. */
  countNext(
    after: Held | undefined,
    limit: number,
    ranSince: UnixMs,
  ): { readonly next: Held | undefined; readonly code: number; readonly bytes: number }
  /** Deletes one piece, bounded in size, of what nobody holds; the code's hash where it was code. */
  deleteReleased(): { readonly codeHash: CodeHash | null } | undefined
  /** Stored bytes of the agent: rows, code, imports, output. Kept as a sum; costs one look-up. */
  bytesOf(agentId: AgentId): number
  /** The next agent after `after`, in any fixed order, that keeps more than so many bytes; undefined at the end. */
  nextBeyond(bytes: number, after: AgentId | undefined): AgentId | undefined
}

/** Which rows end by age or for want of room. Each call is one short piece of work. */
export interface RetentionRepository {
  /** Empties the outputs that ended first, at least one and at most `limit` rows or about `bytes`; how many. */
  dropOutputs(which: { agentId?: AgentId; endedBefore?: UnixMs }, limit: number, bytes: number): number
  /**
   * Deletes at most `limit` ended requests that nothing refers to, among the next rows after a place: how many rows it
   * looks at is bounded. With an agent, only its requests without output that no person decided.
   */
  dropExecutions(
    which: { agentId: AgentId; endedBefore: UnixMs } | { endedBefore: UnixMs; undecided: boolean },
    after: Place | undefined,
    limit: number,
  ): Dropped
  /** Deletes grants and asks that have ended, and usage of days before `day`. */
  dropEnded(endedBefore: UnixMs, limit: number): number
  dropUsage(day: string, limit: number): number
  /** Bytes that the database uses, and bytes of its file that are free. */
  size(): { readonly used: number; readonly free: number }
  /** Gives some free pages at the end of the file back to the disk; false when there is none to give. */
  shrink(pages: number): boolean
  /** Counts the next `limit` requests after a row id; undefined at the end. */
  countNext(
    cutoffs: Cutoffs,
    afterId: number,
    limit: number,
  ): { readonly lastId: number; readonly counts: ExecutionCounts } | undefined
  countOthers(cutoffs: Cutoffs): { readonly usageRows: number; readonly grants: number }
}

/** A row in the order of a search. */
export interface Place {
  readonly finishedAt: UnixMs
  readonly id: number
}

export interface Dropped {
  readonly dropped: number
  /** Where the search goes on; undefined at its end. */
  readonly next: Place | undefined
}

/** Times before which what has ended goes; 0: nothing goes. */
export interface Cutoffs {
  readonly outputs: UnixMs
  readonly code: UnixMs
  readonly executions: UnixMs
  /** First day that stays, as `2026-01-31`. */
  readonly usageDay: string
}

export interface ExecutionCounts {
  readonly outputs: number
  readonly outputBytes: number
  readonly executions: number
  /** What stays, and why. */
  readonly waiting: number
  readonly unsent: number
  readonly young: number
}

export interface PruneCounts extends ExecutionCounts {
  readonly code: number
  readonly codeBytes: number
  readonly usageRows: number
  readonly grants: number
}
