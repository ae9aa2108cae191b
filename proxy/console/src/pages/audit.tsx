import { useEffect, useRef, useState } from 'preact/hooks'
import type { AuditListRow } from '../../../src/contracts/admin/index.ts'
import { Field, type Fields } from '../admin/form.tsx'
import { api } from '../api/client.ts'
import { go } from '../router.ts'
import { onEvent } from '../state/stream.ts'
import { AuditRow } from '../ui/audit-row.tsx'
import { AuditArchives } from './audit-archives.tsx'
import { AuditCheck } from './audit-check.tsx'
import type { PageProps } from './table.ts'

const PAGE_ROWS = 100
const FILTERS = ['agent', 'event', 'secret', 'host', 'since', 'until'] as const

/** What the address holds, as the route takes it. */
function queryOf(query: URLSearchParams): Record<string, string> {
  const wanted: Record<string, string> = {}
  for (const name of FILTERS) {
    const value = query.get(name)
    if (value === null || value === '') continue
    wanted[name] = name === 'since' || name === 'until' ? String(Date.parse(value)) : value
  }
  return wanted
}

function Filters({ query }: { readonly query: URLSearchParams }) {
  const search = (fields: Fields): void => {
    const wanted = new URLSearchParams()
    for (const name of FILTERS) if (fields[name]) wanted.set(name, fields[name])
    const text = wanted.toString()
    go(text === '' ? '/audit' : `/audit?${text}`)
  }
  return (
    <search>
      <form
        class="filters"
        key={query.toString()}
        onSubmit={(event) => {
          event.preventDefault()
          const data = new FormData(event.currentTarget)
          search(Object.fromEntries(FILTERS.map((name) => [name, String(data.get(name) ?? '').trim()])))
        }}
      >
        <Field name="agent" label="Agent" value={query.get('agent') ?? ''} />
        <Field name="event" label="Event" value={query.get('event') ?? ''} placeholder="egress.refused" />
        <Field name="secret" label="Secret" value={query.get('secret') ?? ''} />
        <Field name="host" label="Host" value={query.get('host') ?? ''} />
        <Field name="since" label="From" type="datetime-local" value={query.get('since') ?? ''} />
        <Field name="until" label="To" type="datetime-local" value={query.get('until') ?? ''} />
        <button type="submit" class="primary">
          Search
        </button>
        {query.size > 0 && (
          <button type="button" onClick={() => search({})}>
            Clear
          </button>
        )}
      </form>
    </search>
  )
}

/** What happened, newest first; what happens meanwhile comes in at the top. */
export default function Audit({ query }: PageProps) {
  const [rows, setRows] = useState<readonly AuditListRow[]>()
  const [next, setNext] = useState<number | null>(null)
  const [error, setError] = useState<string>()
  const key = query.toString()
  const turn = useRef(0)
  const read = async (before: number | undefined): Promise<void> => {
    const own = before === undefined ? ++turn.current : turn.current
    try {
      const answer = await api.call('searchAudit', {
        query: {
          ...queryOf(query),
          limit: String(PAGE_ROWS),
          ...(before === undefined ? {} : { before: String(before) }),
        },
      })
      if (own !== turn.current) return
      setRows((shown) => (before === undefined ? answer.rows : [...(shown ?? []), ...answer.rows]))
      setNext(answer.next)
      setError(undefined)
    } catch (failure) {
      if (own === turn.current) setError(failure instanceof Error ? failure.message : String(failure))
    }
  }
  useEffect(() => {
    void read(undefined)
  }, [key])
  useEffect(() => {
    let waits: ReturnType<typeof setTimeout> | undefined
    // Rows come in bursts: one reading for all of a moment.
    const off = onEvent(({ type, isAudit }) => {
      if (!isAudit && type !== 'reset') return
      waits ??= setTimeout(() => {
        waits = undefined
        void read(undefined)
      }, 300)
    })
    return () => {
      off()
      clearTimeout(waits)
    }
  }, [key])
  return (
    <>
      <h1>Audit</h1>
      <Filters query={query} />
      {error !== undefined && (
        <p class="note bad" role="alert">
          {error}
        </p>
      )}
      {rows === undefined ? (
        error === undefined && <p class="empty">Loading …</p>
      ) : rows.length === 0 ? (
        <p class="empty">Nothing fits.</p>
      ) : (
        <ol class="audit" aria-label="Events, newest first">
          {rows.map((row) => (
            <AuditRow key={row.id} row={row} />
          ))}
        </ol>
      )}
      {next !== null && (
        <button type="button" onClick={() => void read(next)}>
          Older
        </button>
      )}
      <AuditCheck />
      <AuditArchives />
    </>
  )
}
