import { useMemo } from 'preact/hooks'
import type { AuditListRow } from '../../../src/contracts/admin/index.ts'
import { Field, type Fields } from '../admin/form.tsx'
import { AUDIT_FILTERS, useAudit } from '../admin/use-audit.ts'
import { go } from '../router.ts'
import { AuditRow } from '../ui/audit-row.tsx'
import { AuditArchives } from './audit-archives.tsx'
import { AuditCheck } from './audit-check.tsx'
import type { PageProps } from './table.ts'

function Filters({ query }: { readonly query: URLSearchParams }) {
  const search = (fields: Fields): void => {
    const wanted = new URLSearchParams()
    for (const name of AUDIT_FILTERS) if (fields[name]) wanted.set(name, fields[name])
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
          search(Object.fromEntries(AUDIT_FILTERS.map((name) => [name, String(data.get(name) ?? '').trim()])))
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

/** Rows that came as one, in a list of their own: what is far from the screen is not laid out, and stays as it is while others come. */
function Rows({ rows, label }: { readonly rows: readonly AuditListRow[]; readonly label: string }) {
  return useMemo(
    () => (
      <ol class="audit" aria-label={label}>
        {rows.map((row) => (
          <AuditRow key={row.id} row={row} />
        ))}
      </ol>
    ),
    [rows, label],
  )
}

/** What happened, newest first; what happens meanwhile comes in at the top. */
export default function Audit({ query }: PageProps) {
  const { pages, isMore, error, readOlder } = useAudit(query)
  return (
    <>
      <h1>Audit</h1>
      <Filters query={query} />
      {error !== undefined && (
        <p class="note bad" role="alert">
          {error}
        </p>
      )}
      {pages.length === 0 ? (
        error === undefined && <p class="empty">Loading …</p>
      ) : pages.every((rows) => rows.length === 0) ? (
        <p class="empty">Nothing fits.</p>
      ) : (
        <div class="audit-pages">
          {pages.map((rows, at) => (
            <Rows
              key={rows.at(-1)?.id}
              rows={rows}
              label={at === 0 ? 'Events, newest first' : 'Older events'}
            />
          ))}
        </div>
      )}
      {isMore && (
        <button type="button" onClick={readOlder}>
          Older
        </button>
      )}
      <AuditCheck />
      <AuditArchives />
    </>
  )
}
