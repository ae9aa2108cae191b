import { randomBytes } from 'node:crypto'

/** What happened, small enough for every console: `id` names what it happened to. Never a value, code or output. */
interface FeedEvent {
  readonly type: string
  readonly id: string | number
  readonly [member: string]: string | number | null
}

/** Events of one tenant in the form of an event stream (text/event-stream), each serialised once for all who follow. */
export interface EventFeed {
  /** Where nobody has followed yet it costs nothing. */
  publish(event: FeedEvent): void
  /** `take` gets what is published in a moment as one piece. Where nobody has followed before, it begins here. */
  follow(lastEventId: string | undefined, take: (piece: Buffer) => void): Following
}

interface Following extends Disposable {
  /** The id of the newest event. */
  readonly position: string
  /** What was published behind `lastEventId`; null where that is unknown or too long ago, so that all has to be read anew. */
  readonly missed: string | null
}

/** For whoever was away for a moment. */
const KEPT = 1_024
/** The write to each console is four fifths of what an event costs: what comes in a burst goes out together. The first of it goes at once. */
const BETWEEN_MS = 250

export function createEventFeed(): EventFeed {
  /** Ids of another process are none of this one's. */
  const epoch = randomBytes(6).toString('hex')
  const followers = new Set<(piece: Buffer) => void>()
  let kept: string[] = []
  let newest = 0
  let isFollowed = false
  let pending = ''
  let flushedAt = Number.NEGATIVE_INFINITY

  const idOf = (sequence: number): string => `${epoch}-${sequence}`
  const flush = (): void => {
    if (pending === '') return
    flushedAt = performance.now()
    const piece = Buffer.from(pending)
    pending = ''
    for (const take of [...followers]) take(piece)
  }
  const missedBy = (lastEventId: string): string | null => {
    const [, of, text] = /^([0-9a-f]{12})-(\d{1,15})$/.exec(lastEventId) ?? []
    const behind = newest - Number(text)
    if (of !== epoch || behind < 0 || behind > kept.length) return null
    return kept.slice(kept.length - behind).join('')
  }

  return {
    publish(event) {
      if (!isFollowed) return
      newest += 1
      const text = `id: ${idOf(newest)}\ndata: ${JSON.stringify(event)}\n\n`
      kept.push(text)
      if (kept.length >= 2 * KEPT) kept = kept.slice(-KEPT)
      if (followers.size === 0) return
      if (pending === '') {
        const waitMs = flushedAt + BETWEEN_MS - performance.now()
        if (waitMs > 0) setTimeout(flush, waitMs).unref()
        else setImmediate(flush)
      }
      pending += text
    },
    follow(lastEventId, take) {
      isFollowed = true
      // What is pending is among the kept: those who follow already get it now, so that nobody gets it twice.
      flush()
      followers.add(take)
      return {
        position: idOf(newest),
        missed: lastEventId === undefined ? '' : missedBy(lastEventId),
        [Symbol.dispose]: () => void followers.delete(take),
      }
    },
  }
}
