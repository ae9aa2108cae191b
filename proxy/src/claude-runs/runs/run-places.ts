import {
  AppError,
  type AppId,
  createFairSlots,
  createSharedTotal,
  fairShare,
  type TenantId,
} from '../../kernel/index.ts'

/** The installation's places for runs of apps, and what may wait for one: shared by all tenants, in turns of apps. */
export interface ClaudeRunPlaces {
  /** Throws `rate_limited` at once where no more may wait; what it resolves to is in the queue. */
  take(of: PlaceRequest): Promise<PlaceWait>
  readonly running: number
  readonly waiting: number
}

interface PlaceRequest {
  readonly tenant: TenantId
  readonly appId: AppId
  /** Most runs of the app at once; null: all places but one. */
  readonly maxRunning: number | null
  /** What it keeps in memory while it waits and runs. */
  readonly bytes: number
  readonly signal: AbortSignal
}

interface PlaceWait {
  /** In turn; rejects with the signal's reason. */
  readonly place: Promise<Disposable>
  /** How many turns come before it. */
  ahead(): number
}

/** Prompts and schemas that wait, of all apps. */
const HELD_BYTES = { total: 256 * 1_048_576, perOwner: 64 * 1_048_576 }
/** How long a run takes, until some have told. */
const USUAL_RUN_MS = 15_000

export function createClaudeRunPlaces({
  maxRuns,
  maxWaitingPerApp,
}: {
  readonly maxRuns: number
  readonly maxWaitingPerApp: number
}): ClaudeRunPlaces {
  const mostOf = new Map<string, number>()
  const usualMost = Math.max(1, maxRuns - 1)
  const waiting = { perOwner: maxWaitingPerApp, total: maxWaitingPerApp * 4 }
  const slots = createFairSlots({
    total: maxRuns,
    perOwner: (owner) => mostOf.get(owner) ?? usualMost,
    waiting,
  })
  /** However many apps have as much waiting as they may, the next one finds room. */
  const hasRoom = (owner: string): boolean => {
    const own = slots.waitingOf(owner)
    return own === 0 || own < fairShare(waiting, slots.waiting - own)
  }
  const held = createSharedTotal()
  const heldBy = new Map<string, number>()
  let usualMs = USUAL_RUN_MS

  const hold = (owner: string, bytes: number): Disposable => {
    const own = heldBy.get(owner) ?? 0
    if (own + bytes > fairShare(HELD_BYTES, held.taken - own)) throw full()
    heldBy.set(owner, own + bytes)
    held.taken += bytes
    return {
      [Symbol.dispose]() {
        held.taken -= bytes
        const left = (heldBy.get(owner) ?? bytes) - bytes
        if (left > 0) heldBy.set(owner, left)
        else heldBy.delete(owner)
      },
    }
  }
  const full = (): AppError =>
    new AppError('rate_limited', 'As many runs wait as may wait; see Retry-After.', {
      retryAfterSeconds: Math.min(300, Math.max(1, Math.ceil((usualMs * slots.waiting) / maxRuns / 1_000))),
    })

  return {
    async take({ tenant, appId, maxRunning, bytes, signal }) {
      const owner = `${tenant}/${appId}`
      if (maxRunning === null) mostOf.delete(owner)
      else mostOf.set(owner, maxRunning)
      if (!hasRoom(owner)) throw full()
      const memory = hold(owner, bytes)
      let ahead: (() => number) | undefined
      const granted = slots.take(owner, signal, (turns) => {
        ahead = turns
      })
      // Not told to wait: there is a place, or no room to wait for one.
      if (ahead === undefined && (await granted) === undefined) {
        memory[Symbol.dispose]()
        throw full()
      }
      const place = granted.then((given) => {
        const since = performance.now()
        return {
          [Symbol.dispose]() {
            usualMs += (performance.now() - since - usualMs) / 8
            memory[Symbol.dispose]()
            given?.[Symbol.dispose]()
          },
        }
      })
      place.catch(() => memory[Symbol.dispose]())
      return { place, ahead: () => ahead?.() ?? 0 }
    },
    get running() {
      return slots.taken
    },
    get waiting() {
      return slots.waiting
    },
  }
}
