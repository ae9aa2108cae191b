import { Show } from '../admin/section.tsx'
import { Table } from '../admin/table.tsx'
import { Names, Time } from '../admin/time.tsx'
import { useLoaded } from '../admin/use-loaded.ts'
import { api } from '../api/client.ts'
import { Link } from '../ui/link.tsx'
import { grantHolds } from './grant-holds.tsx'
import type { PageProps } from './table.ts'

/** One grant, and the runs that it covered. */
export default function Grant({ params }: PageProps) {
  const id = params.id ?? ''
  const grant = useLoaded(() => api.call('readTrust', { params: { id }, query: { limit: '200' } }), id, [
    'trust.',
    'execution.',
  ])
  return (
    <Show of={grant}>
      {(of) => (
        <>
          <h1>
            Grant for <bdi>{of.skill_id}</bdi>
          </h1>
          <dl class="pairs">
            <dt>Holds</dt>
            <dd>{grantHolds(of)}</dd>
            <dt>Agent</dt>
            <dd>
              <bdi>{of.agent}</bdi>
            </dd>
            <dt>Secrets</dt>
            <dd>
              <Names of={of.secrets} none="none" />
            </dd>
            <dt>Sends</dt>
            <dd>{of.sends}</dd>
            <dt>Code</dt>
            <dd class="mono hash">{of.code_hash}</dd>
            <dt>Given by</dt>
            <dd>
              <bdi>{of.approved_by}</bdi>, <Time at={of.approved_at} />, for{' '}
              <Link to={`/requests/${of.request_id}`}>{of.request_id}</Link>
            </dd>
          </dl>
          <h2 class="after">What ran by it</h2>
          <Table
            label="Runs by this grant"
            rows={of.runs}
            keyOf={({ request_id }) => request_id}
            empty="Nothing that is still kept."
            columns={[
              {
                title: 'Request',
                isName: true,
                cell: ({ request_id }) => <Link to={`/requests/${request_id}`}>{request_id}</Link>,
              },
              { title: 'State', cell: ({ status }) => status },
              { title: 'Asked', cell: ({ created_at }) => <Time at={created_at} /> },
              {
                title: 'Took',
                isNumber: true,
                cell: ({ duration_ms }) => (duration_ms === null ? '–' : `${duration_ms} ms`),
              },
            ]}
          />
        </>
      )}
    </Show>
  )
}
