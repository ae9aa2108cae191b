import type { AgentId, CodeHash, UnixMs } from '../kernel/index.ts'

/** What an agent's requests keep: their code, or modules that the code imports. */
export interface Held {
  readonly agentId: AgentId
  readonly codeHash: CodeHash
  /** The hash of locked imports; null for the code itself. */
  readonly importsLock: string | null
}

/** Since when what has ended keeps its code. */
export interface KeptSince {
  readonly ran: UnixMs
  /** Also its imports: it may be asked once more. */
  readonly expired: UnixMs
}

/** Who keeps which code and imports, and how many bytes each agent keeps in all. */
interface ContentReader {
  isHeld(held: Held): Promise<boolean>
  /** What that would let go of. */
  countNext(
    after: Held | undefined,
    limit: number,
    since: KeptSince,
  ): Promise<{ readonly next: Held | undefined; readonly code: number; readonly bytes: number }>
  /** Stored bytes of the agent: rows, code, imports, output. Kept as a sum; costs one look-up. */
  bytesOf(agentId: AgentId): Promise<number>
  /** The next agent after `after`, in any fixed order, that keeps more than so many bytes; undefined at the end. */
  nextBeyond(bytes: number, after: AgentId | undefined): Promise<AgentId | undefined>
}

export interface ContentStore extends ContentReader {
  hold(held: Held, bytes: number): Promise<void>
  /** The code ran for the agent; written once a day, so that a run costs a look-up. */
  ran(agentId: AgentId, codeHash: CodeHash, at: UnixMs): Promise<void>
  /**
   * Lets go of code and imports of this agent that nothing needs: what waits or runs, an active grant, or, for code,
   * a run that ended after `since.ran`, give or take a day, or a request that expired after `since.expired`. What nobody holds any more is queued to be deleted.
   */
  release(agentId: AgentId, codeHash: CodeHash, since: KeptSince): Promise<void>
  /** The same for the next `limit` holdings after `after`, in any fixed order; undefined at the end. */
  releaseNext(after: Held | undefined, limit: number, since: KeptSince): Promise<Held | undefined>
  /** Deletes one piece, bounded in size, of what nobody holds; the code's hash where it was code. */
  deleteReleased(): Promise<{ readonly codeHash: CodeHash | null } | undefined>
}

declare module '../kernel/unit-of-work.ts' {
  interface StorePorts {
    readonly contents: StorePort<ContentReader, ContentStore>
  }
}

/** Which rows end by age or for want of room. Each call is one short piece of work. */
export interface RetentionReader {
  /** Bytes that the database uses, and bytes of its file that are free. */
  size(): Promise<{ readonly used: number; readonly free: number }>
  /** Counts the next `limit` requests after a row id; undefined at the end. */
  countNext(
    cutoffs: Cutoffs,
    afterId: number,
    limit: number,
  ): Promise<{ readonly lastId: number; readonly counts: ExecutionCounts } | undefined>
  countOthers(cutoffs: Cutoffs): Promise<{ readonly usageRows: number; readonly grants: number }>
}

export interface RetentionStore extends RetentionReader {
  /** Empties the outputs that ended first, at least one and at most `limit` rows or about `bytes`; how many. */
  dropOutputs(
    which: { agentId?: AgentId; endedBefore?: UnixMs },
    limit: number,
    bytes: number,
  ): Promise<number>
  /**
   * Deletes at most `limit` ended requests that nothing refers to, among the next rows after a place: how many rows it
   * looks at is bounded. With an agent, only its requests without output that no person decided.
   */
  dropExecutions(
    which: { agentId: AgentId; endedBefore: UnixMs } | { endedBefore: UnixMs; undecided: boolean },
    after: Place | undefined,
    limit: number,
  ): Promise<Dropped>
  /** Deletes grants and asks that have ended, and usage of days before `day`. */
  dropEnded(endedBefore: UnixMs, limit: number): Promise<number>
  dropUsage(day: string, limit: number): Promise<number>
  /** Deletes turns of chats with hosted agents that ended before. */
  dropTurns(endedBefore: UnixMs, limit: number): Promise<number>
  /** Gives some free pages at the end of the file back to the disk; false when there is none to give. */
  shrink(pages: number): Promise<boolean>
}

declare module '../kernel/unit-of-work.ts' {
  interface StorePorts {
    readonly retention: StorePort<RetentionReader, RetentionStore>
  }
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
