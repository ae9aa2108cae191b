import { ConfirmButton } from '../admin/act.tsx'
import { Section, Show } from '../admin/section.tsx'
import { Table } from '../admin/table.tsx'
import { Names, Time } from '../admin/time.tsx'
import { useLoaded } from '../admin/use-loaded.ts'
import { api } from '../api/client.ts'
import { Link } from '../ui/link.tsx'
import { grantHolds } from './grant-holds.tsx'
import { ProviderGrants } from './provider-grants.tsx'

/** What is allowed unasked: programs, and providers. */
export default function Grants() {
  const trust = useLoaded(() => api.call('listTrust'), 'trust', ['trust.'])
  return (
    <>
      <h1>Grants</h1>
      <p class="lead">
        What runs and what is used without asking you. Revoked here, the next one asks again.
      </p>
      <Section title="Programs">
        <Show of={trust}>
          {({ grants }) => (
            <Table
              label="Trusted programs"
              rows={grants}
              keyOf={({ id }) => id}
              empty="No program runs unasked."
              columns={[
                {
                  title: 'Program',
                  isName: true,
                  cell: ({ id, skill_id, code_hash }) => (
                    <>
                      <Link to={`/grants/${id}`}>{skill_id}</Link>{' '}
                      <code class="soft">{code_hash.slice(0, 12)}</code>
                    </>
                  ),
                },
                { title: 'Agent', cell: ({ agent }) => agent },
                { title: 'Secrets', cell: ({ secrets }) => <Names of={secrets} none="none" /> },
                { title: 'Sends', cell: ({ sends, hosts }) => sends || <Names of={hosts} none="nothing" /> },
                {
                  title: 'Holds',
                  cell: grantHolds,
                },
                { title: 'Used', isNumber: true, cell: ({ uses }) => uses },
                {
                  title: 'Given by',
                  cell: ({ approved_by, approved_at }) => (
                    <>
                      {approved_by}, <Time at={approved_at} />
                    </>
                  ),
                },
                {
                  title: '',
                  cell: ({ id, skill_id }) => (
                    <ConfirmButton
                      label="Revoke"
                      title={`Revoke the grant for ${skill_id}?`}
                      act={() => api.call('revokeTrust', { params: { id } })}
                      done="Revoked."
                      after={trust.reload}
                    >
                      <p>The code is asked about again the next time; what it runs already goes on.</p>
                    </ConfirmButton>
                  ),
                },
              ]}
            />
          )}
        </Show>
      </Section>
      <ProviderGrants />
    </>
  )
}
