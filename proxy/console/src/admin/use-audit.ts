import { useEffect, useRef, useState } from 'preact/hooks'
import type { AuditListRow } from '../../../src/contracts/admin/index.ts'
import { api } from '../api/client.ts'
import { onEvent } from '../state/stream.ts'

const PAGE_ROWS = 100
/** Rows come in bursts: one reading for all of a moment. */
const BURST_MS = 300
/** Members of the page's address, each as the route names it. */
export const AUDIT_FILTERS = ['agent', 'event', 'secret', 'host', 'since', 'until'] as const

type Rows = readonly AuditListRow[]

/** `next`: what older rows are asked for with; null: there are none. */
interface Answer {
  readonly rows: Rows
  readonly next: number | null
}

/** What is shown: pages as they came, the newest first; none: nothing was answered yet. */
interface Shown extends Pick<Answer, 'next'> {
  readonly pages: readonly Rows[]
}
/** `turn`: of the filter. */
const NOTHING: Shown & { readonly turn: number } = { pages: [], next: null, turn: 0 }

/** What the address holds, as the route takes it. */
function queryOf(query: URLSearchParams): Record<string, string> {
  const wanted: Record<string, string> = {}
  for (const name of AUDIT_FILTERS) {
    const value = query.get(name)
    if (value === null || value === '') continue
    wanted[name] = name === 'since' || name === 'until' ? String(Date.parse(value)) : value
  }
  return wanted
}

/** The newest rows put before what is shown. Where they may not reach down to it, they take its place: no gap looks like silence. */
function withNewest({ pages, next }: Shown, answer: Answer): Shown {
  const [first = [], ...older] = pages
  const newest = first[0]?.id ?? 0
  const fresh = answer.rows.filter(({ id }) => id > newest)
  if (fresh.length === answer.rows.length && answer.next !== null)
    return { pages: [answer.rows], next: answer.next }
  if (fresh.length === 0) return { pages, next }
  const isRoom = first.length + fresh.length <= PAGE_ROWS
  return { pages: isRoom ? [[...fresh, ...first], ...older] : [fresh, ...pages], next }
}

/** The audit as a filter has it, read in pages; what happens meanwhile comes in at the top, and what was opened stays. */
export function useAudit(query: URLSearchParams) {
  const [shown, setShown] = useState(NOTHING)
  const [error, setError] = useState<string>()
  const key = query.toString()
  /** Of the filter: an answer to another one is not shown. */
  const turn = useRef(0)
  const read = async (before: number | undefined, put: (shown: Shown, answer: Answer) => Shown) => {
    const own = turn.current
    const page = { limit: String(PAGE_ROWS), ...(before !== undefined && { before: String(before) }) }
    try {
      const answer = await api.call('searchAudit', { query: { ...queryOf(query), ...page } })
      if (own !== turn.current) return
      // Answers may overtake each other: only the first of a filter takes the place of what was there.
      const first = { pages: [answer.rows], next: answer.next }
      setShown((now) => ({ ...(now.turn === own ? put(now, answer) : first), turn: own }))
      setError(undefined)
    } catch (failure) {
      if (own === turn.current) setError(failure instanceof Error ? failure.message : String(failure))
    }
  }
  useEffect(() => {
    turn.current += 1
    void read(undefined, withNewest)
    let waits: ReturnType<typeof setTimeout> | undefined
    const off = onEvent(({ type, isAudit }) => {
      if (!isAudit && type !== 'reset') return
      waits ??= setTimeout(() => {
        waits = undefined
        void read(undefined, withNewest)
      }, BURST_MS)
    })
    return () => {
      off()
      clearTimeout(waits)
    }
  }, [key])
  return {
    pages: shown.pages,
    isMore: shown.next !== null,
    error,
    readOlder(): void {
      const { next } = shown
      if (next === null || shown.turn !== turn.current) return
      void read(next, (now, { rows, next: further }) =>
        // Pressed twice, or begun anew meanwhile: only what goes on from the end is put there.
        now.next === next ? { pages: [...now.pages, rows], next: further } : now,
      )
    },
  }
}
