import type { Json } from './canonical-json.ts'

/** What something under way tells, numbered from 1. */
export interface LoggedEvent {
  readonly id: number
  readonly event: string
  readonly data: Json
}

/** Events up to this one are not kept any more: whoever follows has lost those it had not seen. */
interface LostEvents {
  readonly lostUpTo: number
}

/**
 * The events of one thing that goes on, bounded in bytes. Whoever follows by the number of the last one seen misses none and sees none twice; one
 * that is behind what is kept is told so, and never handed a whole that is none.
 */
export interface EventLog {
  append(event: string, data: Json): void
  /** Nothing comes any more. */
  close(): void
  readonly isClosed: boolean
  readonly bytes: number
  readonly lastId: number
  follow(after: number, signal: AbortSignal): AsyncGenerator<LoggedEvent | LostEvents>
}

/** What an event takes beside its text. */
const OVERHEAD_BYTES = 128

export function createEventLog(maxBytes: number): EventLog {
  let events: { readonly logged: LoggedEvent; readonly bytes: number }[] = []
  /** Places at the front whose events are dropped. */
  let dropped = 0
  let firstId = 1
  let nextId = 1
  let bytes = 0
  let isClosed = false
  let news = Promise.withResolvers<void>()
  const tell = (): void => {
    news.resolve()
    news = Promise.withResolvers()
  }
  const trim = (): void => {
    while (bytes > maxBytes && events.length - dropped > 1) {
      bytes -= events[dropped]?.bytes ?? 0
      dropped += 1
      firstId += 1
    }
    if (dropped > 1_024 && dropped * 2 > events.length) {
      events = events.slice(dropped)
      dropped = 0
    }
  }
  const at = (id: number): LoggedEvent | undefined => events[dropped + id - firstId]?.logged

  return {
    append(event, data) {
      if (isClosed) return
      const size = OVERHEAD_BYTES + Buffer.byteLength(JSON.stringify(data))
      events.push({ logged: { id: nextId, event, data }, bytes: size })
      nextId += 1
      bytes += size
      trim()
      tell()
    },
    close() {
      isClosed = true
      tell()
    },
    get isClosed() {
      return isClosed
    },
    get bytes() {
      return bytes
    },
    get lastId() {
      return nextId - 1
    },
    async *follow(after, signal) {
      let seen = Math.min(after, nextId - 1)
      const gone = Promise.withResolvers<void>()
      const leave = (): void => gone.resolve()
      signal.addEventListener('abort', leave, { once: true })
      try {
        while (!signal.aborted) {
          const more = news.promise
          if (seen + 1 < firstId) {
            seen = firstId - 1
            yield { lostUpTo: seen }
          }
          for (let next = at(seen + 1); next !== undefined && !signal.aborted; next = at(seen + 1)) {
            seen = next.id
            yield next
            if (seen + 1 < firstId) break
          }
          if (seen + 1 < firstId) continue
          if (seen + 1 < nextId) continue
          if (isClosed) return
          await Promise.race([more, gone.promise])
        }
      } finally {
        signal.removeEventListener('abort', leave)
      }
    },
  }
}
