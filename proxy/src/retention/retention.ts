import { setImmediate as othersTurn } from 'node:timers/promises'
import type { AuditLog } from '../audit/index.ts'
import type { Actor } from '../identity/index.ts'
import type {
  AgentId,
  Clock,
  CodeHash,
  EventPublisher,
  ReadTx,
  Storage,
  Tx,
  UnixMs,
} from '../kernel/index.ts'
import { IDEMPOTENCY_MS, keptSince, ranSince } from './content.ts'
import type { Cutoffs, Dropped, Held, Place, PruneCounts } from './ports.ts'

/** How long what has ended is kept, in milliseconds, and how large the database may get; 0: no end. */
export interface RetentionPolicy {
  readonly outputsMs: number
  readonly codeMs: number
  readonly executionsMs: number
  readonly usageMs: number
  readonly maxDatabaseBytes: number
  readonly maxBytesPerAgent: number
}

/** What went, by kind. */
interface Pruned {
  readonly outputs: number
  readonly executions: number
  readonly ended: number
  readonly usageRows: number
}

/**
 * Drops what is over, a little at a time. What an active grant needs, what waits or runs, what a person decided, what a
 * message or wake on its way is about, and the audit stay.
 */
export interface Retention {
  /** One short piece of work; false when nothing is left to do for now. */
  turn(): Promise<boolean>
  /** Looks at everything anew at the next turn. */
  reconsider(): void
  /** What a prune by hand would take. */
  count(wish: PruneWish): Promise<PruneCounts>
  /**
   * Prunes by hand for up to `ms`, in short pieces with pauses between; written to the audit. Whether it came to its end is
   * told too.
   */
  prune(wish: PruneWish, actor: Actor, ms: number): Promise<Pruned & { readonly finished: boolean }>
  size(): Promise<{ readonly used: number; readonly free: number }>
}

interface PruneWish {
  /** In place of the ages of the settings; 0: all that has ended. */
  readonly olderThanMs: number | null
  /** In place of the size of the settings. */
  readonly maxBytes: number | null
}

const ROWS = 50
const BYTES = 256 * 1_024
const FREE_PAGES = 128
/** Free pages that stay for the next rows, rather than be given back and taken again. */
const SPARE_BYTES = 8 * 1_048_576
/** An agent's room is made before its requests have to wait for it. */
const FULL = 0.9
const PASS_MS = 10 * 60_000
const AUDIT_MS = 60 * 60_000
/** Messages of the chat and the limits after a denial look back no further. */
const LEAST_MS = IDEMPOTENCY_MS
const PAUSE_MS = 5
const COUNTED_ROWS = 200

type Counts = { -readonly [K in keyof Pruned]: number }

/** How far a pass has come; each part looks once at what is there. */
interface Pass {
  held: { readonly after: Held | undefined } | undefined
  readonly executions: Search
  readonly undecided: Search
  full: { readonly after: AgentId | undefined; readonly undecided: Search } | undefined
}
/** Takes one step of a search, and says how many rows it dropped; undefined at the end. */
type Search = (step: (after: Place | undefined) => Promise<Dropped>) => Promise<number | undefined>

/** The code and its stored facts are gone. */
export interface RetentionEvent {
  readonly type: 'code.deleted'
  readonly codeHash: CodeHash
}

export function createRetention(deps: {
  readonly audit: AuditLog
  readonly storage: Storage
  /** To count all there is: a connection that no decision waits for. Left out: the same storage. */
  readonly longReads?: Pick<Storage, 'read'>
  readonly clock: Clock
  readonly policy: RetentionPolicy
  readonly events: EventPublisher<RetentionEvent>
}): Retention {
  const { audit, storage, longReads = storage, events, clock, policy } = deps
  let tally = noCounts()
  let toldAt = clock.now()
  let passAt = 0
  let pass: Pass | undefined
  /** The database is beyond its size although no row can go: code of whatever has ended goes before its time. */
  let isSqueezed = false

  const cutoffsOf = (wish: PruneWish): Cutoffs => {
    const now = clock.now()
    // Whatever the clock said when it ended.
    const wished = wish.olderThanMs === 0 ? Number.MAX_SAFE_INTEGER : now - (wish.olderThanMs ?? 0)
    const before = (ms: number): UnixMs => {
      if (wish.olderThanMs !== null) return wished
      return ms === 0 ? 0 : now - ms
    }
    return {
      outputs: before(policy.outputsMs),
      code: wish.olderThanMs === null ? ranSince(now, policy.codeMs) : wished,
      executions: Math.min(before(policy.executionsMs), now - LEAST_MS),
      usageDay: new Date(policy.usageMs === 0 ? 0 : now - policy.usageMs).toISOString().slice(0, 10),
    }
  }

  const isBeyond = async (tx: ReadTx, maxBytes: number): Promise<boolean> =>
    maxBytes > 0 && (await tx.retention.size()).used > maxBytes

  /** Each does one piece and says how many rows it took. */
  const byAge = async (
    tx: Tx,
    cutoffs: Cutoffs,
    counts: Counts,
    { executions: search }: Pass,
  ): Promise<boolean> => {
    const { outputs, executions, usageDay } = cutoffs
    const took = (kind: keyof Counts, rows: number): boolean => {
      counts[kind] += rows
      return rows > 0
    }
    return (
      (outputs > 0 &&
        took('outputs', await tx.retention.dropOutputs({ endedBefore: outputs }, ROWS, BYTES))) ||
      (outputs > 0 && took('outputs', await tx.retention.dropTurns(outputs, ROWS))) ||
      (executions > 0 &&
        (await isSearching(search, counts, (after) =>
          tx.retention.dropExecutions({ endedBefore: executions, undecided: false }, after, ROWS),
        ))) ||
      (executions > 0 && took('ended', await tx.retention.dropEnded(executions, ROWS))) ||
      took('usageRows', await tx.retention.dropUsage(usageDay, ROWS))
    )
  }

  /** Output first; then whole requests that no person decided and no key can name any more. */
  const bySize = async (
    tx: Tx,
    agentId: AgentId | undefined,
    counts: Counts,
    undecided: Search,
  ): Promise<boolean> => {
    const outputs = await tx.retention.dropOutputs(agentId === undefined ? {} : { agentId }, ROWS, BYTES)
    counts.outputs += outputs
    if (outputs > 0) return true
    const endedBefore = clock.now() - IDEMPOTENCY_MS
    const which = agentId === undefined ? { endedBefore, undecided: true } : { endedBefore, agentId }
    return await isSearching(undecided, counts, (after) => tx.retention.dropExecutions(which, after, ROWS))
  }
  const isSearching = async (
    search: Search,
    counts: Counts,
    step: (after?: Place) => Promise<Dropped>,
  ): Promise<boolean> => {
    const dropped = await search(step)
    counts.executions += dropped ?? 0
    return dropped !== undefined
  }

  const deleteReleased = async (tx: Tx): Promise<boolean> => {
    const deleted = await tx.contents.deleteReleased()
    if (deleted === undefined) return false
    if (deleted.codeHash !== null)
      await events.publish(tx, { type: 'code.deleted', codeHash: deleted.codeHash })
    return true
  }

  /** Code whose time is over, or whose grant has ended, in passes over all that is held. */
  const releaseSome = async (tx: Tx, codeCutoff: UnixMs, pass: Pass): Promise<boolean> => {
    if (pass.held === undefined) return false
    const after = await tx.contents.releaseNext(pass.held.after, ROWS, keptSince(codeCutoff, clock.now()))
    pass.held = after === undefined ? undefined : { after }
    return true
  }
  /** Agents that are nearly full, each until nothing of it can go. */
  const ofFullAgents = async (tx: Tx, pass: Pass): Promise<boolean> => {
    if (pass.full === undefined || policy.maxBytesPerAgent === 0) return false
    const { after, undecided } = pass.full
    const agentId = await tx.contents.nextBeyond(policy.maxBytesPerAgent * FULL, after)
    if (agentId === undefined) pass.full = undefined
    else if (!(await bySize(tx, agentId, tally, undecided)))
      pass.full = { after: agentId, undecided: createSearch() }
    return true
  }

  const shrink = async (): Promise<boolean> =>
    (await storage.read((tx) => tx.retention.size())).free > SPARE_BYTES &&
    (await storage.transaction((tx) => tx.retention.shrink(FREE_PAGES), 'grouped'))

  const tell = async (tx: Tx, counts: Pruned, actor: Actor): Promise<void> => {
    if (Object.values(counts).every((count) => count === 0)) return
    await audit.append(tx, 'storage.pruned', actor, null, {
      outputs: counts.outputs,
      executions: counts.executions,
      ended_grants_and_asks: counts.ended,
      usage_rows: counts.usageRows,
    })
  }

  const tellTally = async (tx: Tx): Promise<void> => {
    const now = clock.now()
    if (now - toldAt < AUDIT_MS && now >= toldAt) return
    await tell(tx, tally, 'daemon')
    tally = noCounts()
    toldAt = now
  }

  /** By age and size, while a pass lasts. */
  const overdue = async (tx: Tx, pass: Pass): Promise<boolean> => {
    const cutoffs = cutoffsOf(NO_WISH)
    if (
      (await releaseSome(tx, isSqueezed ? clock.now() : cutoffs.code, pass)) ||
      (await byAge(tx, cutoffs, tally, pass))
    )
      return true
    if (await ofFullAgents(tx, pass)) return true
    if (!(await isBeyond(tx, policy.maxDatabaseBytes))) return false
    if (await bySize(tx, undefined, tally, pass.undecided)) return true
    if (isSqueezed) return false
    isSqueezed = true
    pass.held = FROM_THE_START
    return true
  }

  return {
    async turn() {
      return (
        (await storage.transaction(async (tx) => {
          if (await deleteReleased(tx)) return true
          const now = clock.now()
          if (now >= passAt || passAt > now + PASS_MS) {
            passAt = now + PASS_MS
            pass = createPass()
            isSqueezed = false
          }
          if (pass !== undefined && (await overdue(tx, pass))) return true
          pass = undefined
          await tellTally(tx)
          return false
        }, 'grouped')) || (await shrink())
      )
    },
    reconsider() {
      passAt = 0
    },
    async count(wish) {
      const cutoffs = cutoffsOf(wish)
      const sums = { outputs: 0, outputBytes: 0, executions: 0, waiting: 0, unsent: 0, young: 0 }
      const pageAfter = (id: number) =>
        longReads.read((tx) => tx.retention.countNext(cutoffs, id, COUNTED_ROWS))
      for (let page = await pageAfter(0); page !== undefined; page = await pageAfter(page.lastId)) {
        for (const key of Object.keys(sums) as (keyof typeof sums)[]) sums[key] += page.counts[key]
        await othersTurn()
      }
      let code = 0
      let codeBytes = 0
      let after: Held | undefined
      do {
        const from = after
        const since = keptSince(cutoffs.code, clock.now())
        const held = await longReads.read((tx) => tx.contents.countNext(from, COUNTED_ROWS, since))
        code += held.code
        codeBytes += held.bytes
        after = held.next
        await othersTurn()
      } while (after !== undefined)
      const others = await longReads.read((tx) => tx.retention.countOthers(cutoffs))
      return { ...sums, code, codeBytes, ...others }
    },
    async prune(wish, actor, ms) {
      const until = performance.now() + ms
      const counts = noCounts()
      const cutoffs = cutoffsOf(wish)
      let codeCutoff = cutoffs.code
      let isLast = false
      const maxBytes = wish.maxBytes ?? policy.maxDatabaseBytes
      const pass = createPass()
      const piece = async (tx: Tx): Promise<boolean> => {
        if (
          (await deleteReleased(tx)) ||
          (await byAge(tx, cutoffs, counts, pass)) ||
          (await releaseSome(tx, codeCutoff, pass))
        )
          return true
        if (!(await isBeyond(tx, maxBytes))) return false
        if (await bySize(tx, undefined, counts, pass.undecided)) return true
        if (isLast) return false
        isLast = true
        codeCutoff = clock.now()
        pass.held = FROM_THE_START
        return true
      }
      let finished = false
      while (!finished && performance.now() < until) {
        finished = !((await storage.transaction(piece, 'grouped')) || (await shrink()))
        await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
      }
      await storage.transaction((tx) => tell(tx, counts, actor))
      return { ...counts, finished }
    },
    size: () => storage.read((tx) => tx.retention.size()),
  }
}

const NO_WISH: PruneWish = { olderThanMs: null, maxBytes: null }

const FROM_THE_START = { after: undefined }

const createPass = (): Pass => ({
  held: FROM_THE_START,
  executions: createSearch(),
  undecided: createSearch(),
  full: { after: undefined, undecided: createSearch() },
})

function createSearch(): Search {
  let after: Place | undefined
  let isOver = false
  return async (step) => {
    if (isOver) return undefined
    const { dropped, next } = await step(after)
    after = next
    isOver = next === undefined
    return dropped
  }
}

const noCounts = (): Counts => ({ outputs: 0, executions: 0, ended: 0, usageRows: 0 })
