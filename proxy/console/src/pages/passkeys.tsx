import type { PasskeyView } from '../../../src/contracts/admin/index.ts'
import { ConfirmButton } from '../admin/act.tsx'
import { Field, FoldedForm } from '../admin/form.tsx'
import { Section, Show } from '../admin/section.tsx'
import { Table } from '../admin/table.tsx'
import { Time } from '../admin/time.tsx'
import { useLoaded } from '../admin/use-loaded.ts'
import { api } from '../api/client.ts'
import { hasPasskeys, registerPasskey } from '../passkey.ts'
import { signedIn } from '../state/session.ts'

/** What signs in here: passkeys are registered, renamed and removed. */
export default function Passkeys() {
  const passkeys = useLoaded(() => api.call('listPasskeys'), 'passkeys', ['passkey.'])
  // The session says whether its person has one.
  const after = (): void => {
    passkeys.reload()
    signedIn().catch(() => undefined)
  }
  return (
    <>
      <h1>Passkeys</h1>
      <p class="lead">
        A passkey signs you in here without a link, and proves that it is you where the risk is high.
      </p>
      {hasPasskeys() ? (
        <FoldedForm
          title="Add a passkey"
          submit="Add it"
          done="The passkey is registered."
          send={({ label = '' }) => registerPasskey(label.trim())}
          after={after}
        >
          <Field
            name="label"
            label="A name for it"
            hint="Such as the device it is on."
            maxLength={64}
            isRequired
          />
        </FoldedForm>
      ) : (
        <p class="note">This browser has no passkeys, or is too old for them.</p>
      )}
      <Section title="Registered">
        <Show of={passkeys}>{({ passkeys: rows }) => <Registered rows={rows} after={after} />}</Show>
      </Section>
    </>
  )
}

function Registered({ rows, after }: { readonly rows: readonly PasskeyView[]; readonly after: () => void }) {
  return (
    <Table
      label="Passkeys"
      rows={rows}
      keyOf={({ id }) => id}
      empty="No passkeys yet. Until there is one, a link signs you in, and nothing of high risk is approved here."
      columns={[
        { title: 'Name', isName: true, cell: ({ label }) => <bdi>{label}</bdi> },
        { title: 'Of', cell: ({ own, who }) => (own ? 'you' : <bdi>{who}</bdi>) },
        { title: 'Added', cell: ({ created_at }) => <Time at={created_at} /> },
        {
          title: 'Used',
          cell: ({ last_used_at: at }) => (at === null ? <span class="soft">never</span> : <Time at={at} />),
        },
        {
          title: '',
          cell: ({ id, label, own, who }) => (
            <div class="acts">
              {own && (
                <FoldedForm
                  title="Rename"
                  submit="Save"
                  done="Renamed."
                  send={({ to = '' }) =>
                    api.call('renamePasskey', { params: { id }, body: { label: to.trim() } })
                  }
                  after={after}
                >
                  <Field name="to" label={`New name of ${label}`} value={label} maxLength={64} isRequired />
                </FoldedForm>
              )}
              <ConfirmButton
                label="Remove"
                title={`Remove the passkey ${label}?`}
                act={() => api.call('removePasskey', { params: { id } })}
                done={`${label} is removed, and its person is signed out elsewhere.`}
                after={after}
              >
                <p>
                  <bdi>{own ? 'You are' : `${who} is`}</bdi> signed out everywhere else. On its device it may
                  still be offered; it signs in nobody.
                </p>
              </ConfirmButton>
            </div>
          ),
        },
      ]}
    />
  )
}
