import { useEffect, useState } from 'preact/hooks'
import type { AuditListRow } from '../../../src/contracts/admin/index.ts'
import { api } from '../api/client.ts'
import { oneAtATime } from '../state/one-at-a-time.ts'
import { onEvent } from '../state/stream.ts'
import { AuditRow } from './audit-row.tsx'

/** More than a run can send requests; what is older is in the audit. */
const MAX_ROWS = 500

/** All that the audit has of one request, in the order in which it happened: who approved, each request through the gateway, its end. */
export function Trail({ id }: { readonly id: string }) {
  const [rows, setRows] = useState<readonly AuditListRow[]>([])
  useEffect(() => {
    let isGone = false
    const read = oneAtATime(async () => {
      const answer = await api.call('searchAudit', { query: { request: id, limit: String(MAX_ROWS) } })
      if (!isGone) setRows(answer.rows.toReversed())
    })
    read()
    const off = onEvent((event) => {
      if (event.type === 'reset' || event.id === id) read()
    })
    return () => {
      isGone = true
      off()
    }
  }, [id])
  if (rows.length === 0) return null
  return (
    <section class="part" aria-label="What happened">
      <h2>What happened</h2>
      <ol class="audit">
        {rows.map((row) => (
          <AuditRow key={row.id} row={row} isOfThis />
        ))}
      </ol>
    </section>
  )
}
