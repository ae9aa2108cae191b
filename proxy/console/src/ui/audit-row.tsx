import type { AuditListRow } from '../../../src/contracts/admin/index.ts'
import { Link } from './link.tsx'
import { Ago } from './time.tsx'

/** One event: a line, and all that is stored of it when it is opened. */
export function AuditRow({ row, isOfThis }: { readonly row: AuditListRow; readonly isOfThis?: boolean }) {
  return (
    <li>
      <details>
        <summary>
          <span class="soft mono">{row.id}</span> <code>{row.event}</code> <bdi>{row.who}</bdi>
          {row.agent !== null && row.agent !== row.who && (
            <span class="soft">
              · <bdi>{row.agent}</bdi>
            </span>
          )}
          <span class="brief soft">
            <bdi>{briefOf(row.data)}</bdi>
          </span>
          <Ago at={row.at} />
        </summary>
        <pre class="data">{row.data}</pre>
        {row.request_id !== null && !isOfThis && (
          <p>
            <Link to={`/requests/${row.request_id}`}>{row.request_id}</Link>
          </p>
        )}
        <p class="soft mono hash">{row.hash}</p>
      </details>
    </li>
  )
}

/** Where a request went and what came back, or why it did not go: the line that says most. */
function briefOf(text: string): string {
  try {
    const data = JSON.parse(text) as Record<string, unknown> | null
    const parts = [data?.method, data?.origin ?? data?.host, data?.path, data?.status, data?.rule, data?.name]
    return parts.filter((part) => typeof part === 'string' || typeof part === 'number').join(' ')
  } catch {
    return ''
  }
}
