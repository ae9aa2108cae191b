import { type AgentId, createFairQueue, type RequestId } from '../kernel/index.ts'

/**
 * The places for runs of the whole installation. Tenants take turns, and the agents of each among themselves. An agent holds one
 * place less than there are, and so does a tenant where there are several: another one's run need not wait for the end of its.
 */
export interface RunPlaces {
  /** `start` runs one to its end, which comes soon once its signal is aborted, and never rejects. */
  open(start: (run: QueuedRun, ending: AbortSignal) => Promise<void>): RunLane
}

export interface QueuedRun {
  readonly requestId: RequestId
  readonly agentId: AgentId
}

/** Kept for one run: either it is given back, or `start` runs to its end in it. */
export interface HeldPlace {
  start(work: (ending: AbortSignal) => Promise<void>): void
  release(): void
}

/** A run that has a place. */
interface ActiveRun {
  readonly agentId: AgentId
  readonly ending: AbortController
  /** When its place is free again. */
  readonly ended: Promise<void>
}

/** What one tenant has waiting and under way. */
interface RunLane {
  push(run: QueuedRun): void
  /** The place that this run would have at once; undefined where it would wait. */
  hold(run: QueuedRun): HeldPlace | undefined
  waitingOf(agentId: AgentId): number
  /** By the request. */
  readonly active: ReadonlyMap<RequestId, ActiveRun>
  /** Ends what has a place and is `of` this agent, or this very run; all where neither is named. Also what has not begun in its place yet. */
  end(why: DOMException, of?: Partial<QueuedRun>): void
  /** Ends what has a place, and whatever is given one, until `resume`. */
  halt(why: DOMException): void
  resume(): void
  /** Starts nothing more, and takes no more turns. */
  close(): void
}

/** `total`: how many run at once. */
export function createRunPlaces(total: number): RunPlaces {
  const most = Math.max(1, total - 1)
  /** In the order of turns: each starts the next of its runs, and whether it did. */
  const lanes = new Map<RunLane, () => boolean>()
  let taken = 0

  const pump = (): void => {
    while (taken < total) {
      const served = [...lanes].find(([, startNext]) => startNext())
      if (served === undefined) return
      // Whoever was served goes to the end.
      if (lanes.delete(served[0])) lanes.set(...served)
    }
  }

  return {
    open(start) {
      // What a person approved is never refused for want of room: requests are bounded where they come in.
      const queue = createFairQueue<RequestId>({
        perOwner: Number.POSITIVE_INFINITY,
        total: Number.POSITIVE_INFINITY,
      })
      const active = new Map<RequestId, ActiveRun>()
      let halted: DOMException | undefined
      /** Taken up again before they ended: what they store at their end may be what they waited for. */
      const again = new Set<RequestId>()
      const activeOf = new Map<string, number>()
      const agentHasPlace = (agentId: string): boolean => (activeOf.get(agentId) ?? 0) < most
      const tenantHasPlace = (): boolean => lanes.size === 1 || active.size < most

      const take = ({ requestId, agentId }: QueuedRun): HeldPlace => {
        const { promise: ended, resolve } = Promise.withResolvers<void>()
        const ending = new AbortController()
        if (halted !== undefined) ending.abort(halted)
        taken += 1
        activeOf.set(agentId, (activeOf.get(agentId) ?? 0) + 1)
        active.set(requestId, { agentId, ending, ended })
        const release = (): void => {
          taken -= 1
          active.delete(requestId)
          if (again.delete(requestId)) queue.push(agentId, requestId)
          const left = (activeOf.get(agentId) ?? 1) - 1
          if (left > 0) activeOf.set(agentId, left)
          else activeOf.delete(agentId)
          pump()
          resolve()
        }
        return { start: (work) => void work(ending.signal).finally(release), release }
      }
      const end: RunLane['end'] = (why, of = {}) => {
        const isOf = (requestId: RequestId, agentId: AgentId): boolean =>
          (of.agentId ?? agentId) === agentId && (of.requestId ?? requestId) === requestId
        for (const [id, run] of active) if (isOf(id, run.agentId)) run.ending.abort(why)
      }
      const startNext = (): boolean => {
        if (!tenantHasPlace()) return false
        for (let next = queue.shift(agentHasPlace); next !== undefined; next = queue.shift(agentHasPlace)) {
          const run = { requestId: next.item, agentId: next.owner as AgentId }
          if (active.has(run.requestId)) {
            again.add(run.requestId)
            continue
          }
          take(run).start((ending) => start(run, ending))
          return true
        }
        return false
      }

      const lane: RunLane = {
        push({ agentId, requestId }) {
          queue.push(agentId, requestId)
          pump()
        },
        hold(run) {
          // What waits while a place is free waits for another agent's share, or another tenant's: nobody is passed by.
          const isFree = taken < total && lanes.has(lane) && tenantHasPlace() && agentHasPlace(run.agentId)
          return isFree && !active.has(run.requestId) ? take(run) : undefined
        },
        waitingOf: (agentId) => queue.sizeOf(agentId),
        active,
        end,
        halt(why) {
          halted = why
          end(why)
        },
        resume() {
          halted = undefined
        },
        close() {
          lanes.delete(lane)
          pump()
        },
      }
      lanes.set(lane, startNext)
      return lane
    },
  }
}
