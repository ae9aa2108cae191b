import { signal } from '@preact/signals'
import { setDaemonTime } from './clock.ts'
import { loadSession } from './session.ts'
import { sessionState } from './session-signals.ts'

/** What `GET /console/api/events` sends. `audit`: a row of it, by the number `id`. */
interface SentEvent {
  readonly type: string
  readonly id?: string | number
  readonly event?: string
  readonly request_id?: string | null
  readonly now?: number
}

/** What happened, by the name that the audit or the daemon itself has for it. `reset`: some was missed, read everything anew. */
interface ConsoleEvent {
  readonly type: string
  /** The request that it happened to, if it did to one. */
  readonly id?: string | undefined
  /** A row was added to the audit. */
  readonly isAudit?: true
}

const eventOf = ({ type, id, event, request_id }: SentEvent): ConsoleEvent =>
  type === 'audit'
    ? { type: event ?? type, id: request_id ?? undefined, isAudit: true }
    : { type, id: id === undefined ? undefined : String(id) }

export const connection = signal<'connecting' | 'live' | 'offline'>('connecting')

type Listener = (event: ConsoleEvent) => void
const listeners = new Set<Listener>()

/** Calls `listener` for every event, and with `reset` whenever what was read before may be old. */
export function onEvent(listener: Listener): () => void {
  listeners.add(listener)
  return () => {
    listeners.delete(listener)
  }
}

const tell = (event: ConsoleEvent): void => {
  for (const listener of [...listeners]) listener(event)
}

let source: EventSource | undefined
let retry: ReturnType<typeof setTimeout> | undefined
let isFirst = true
const RETRY_MS = 1_000

/** The one stream of this tab. */
export function openStream(): void {
  closeStream()
  const opened = new EventSource('/console/api/events')
  source = opened
  opened.onopen = () => {
    connection.value = 'live'
    // The first reading of a page is on its way already.
    if (!isFirst) tell({ type: 'reset' })
    isFirst = false
  }
  opened.onmessage = ({ data }) => {
    const sent = JSON.parse(data as string) as SentEvent
    if (sent.now !== undefined) setDaemonTime(sent.now)
    if (sent.type !== 'hello') tell(eventOf(sent))
  }
  opened.onerror = () => {
    if (source !== opened) return
    connection.value = 'offline'
    // EventSource gives up by itself where the answer is no stream, as of a proxy whose daemon is away.
    closeStream()
    retry = setTimeout(again, RETRY_MS)
  }
}

function again(): void {
  loadSession().then(
    () => {
      if (typeof sessionState.value === 'object') openStream()
    },
    () => {
      retry = setTimeout(again, RETRY_MS)
    },
  )
}

export function closeStream(): void {
  clearTimeout(retry)
  source?.close()
  source = undefined
}

/** Of all tabs in the background one keeps its stream, and tells in its title what waits. */
const IN_BACKGROUND = 'oauth3-background-stream'
const HIDDEN_MS = 10_000

/** Browsers open six connections to a place over HTTP/1.1, whatever the number of tabs: those that nobody sees leave them to the others. */
export function yieldConnections(): void {
  let seen: (() => void) | undefined
  let timer: ReturnType<typeof setTimeout> | undefined
  const leave = (): void => {
    const untilSeen = new Promise<void>((resolve) => {
      seen = resolve
    })
    void navigator.locks.request(IN_BACKGROUND, { ifAvailable: true }, (lock) => {
      if (lock !== null) return untilSeen
      closeStream()
      connection.value = 'connecting'
      return undefined
    })
  }
  document.addEventListener('visibilitychange', () => {
    clearTimeout(timer)
    if (document.visibilityState === 'hidden') {
      timer = setTimeout(leave, HIDDEN_MS)
      return
    }
    seen?.()
    if (source === undefined && typeof sessionState.value === 'object') openStream()
  })
}
